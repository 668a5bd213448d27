"""What make audit says, from servers that stand in for the ones it asks."""

import gzip
import json
import os
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".venv-audit" / "bin" / "python"
LOCKS = sorted((ROOT / "locks").glob("*.txt"))


class Advisories(ThreadingHTTPServer):
    """Answers as PyPI and npm's registry do, and keeps what it was asked about."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.python: dict[str, list[object]] = {}
        self.unknown: set[str] = set()
        self.npm: dict[str, list[object]] = {}
        self.asked: list[tuple[str, str]] = []
        self.status = 200

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Advisories

    def do_GET(self) -> None:
        _, folder, name, version, _ = [*self.path.split("/"), "", "", "", ""][:5]
        if folder != "pypi" or name in self.server.unknown:
            self.send_error(404)
            return
        self.server.asked.append((name, version))
        self.answer({"info": {}, "vulnerabilities": self.server.python.get(name, [])})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        asked = json.loads(body)
        self.server.asked += [(name, v) for name, versions in asked.items() for v in versions]
        self.answer({name: self.server.npm[name] for name in asked if name in self.server.npm})

    def answer(self, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def advisories():
    server = Advisories()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


# pip-audit has the address of PyPI built in.
DETOUR = """
import os
from requests import Session
straight = Session.request
def request(self, method, url, *rest, **more):
    return straight(self, method, url.replace("https://pypi.org", os.environ["PYPI"]), *rest, **more)
Session.request = request
"""


@pytest.fixture
def audit(advisories, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(DETOUR)

    def run() -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "NO_PROXY": "127.0.0.1",
            "PYPI": advisories.address,
            "PYTHONPATH": str(tmp_path),
            "PIP_CACHE_DIR": str(tmp_path),
            "npm_config_registry": advisories.address,
            "npm_config_cache": str(tmp_path),
            "npm_config_fetch_retries": "0",
        }
        command = [PYTHON, ROOT / "scripts" / "audit.py"]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    return run


def pinned_in_locks():
    text = "\n".join(lock.read_text("utf-8") for lock in LOCKS)
    return set(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", text, re.MULTILINE))


def pinned_by_npm():
    folders = (ROOT / "site_template" / "vendor", ROOT / "benchmarks")
    locks = [json.loads((folder / "package-lock.json").read_text("utf-8")) for folder in folders]
    return {
        (path.rpartition("node_modules/")[2], package["version"])
        for lock in locks
        for path, package in lock["packages"].items()
        if path
    }


def test_everything_that_is_pinned_is_asked_about(audit, advisories):
    done = audit()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(": no advisory\n") == done.stdout.count("\n")
    python, npm = pinned_in_locks(), pinned_by_npm()
    assert {"torch", "colorama", "pip-audit", "pillow"} <= {name for name, _ in python}
    assert {"onnxruntime-web", "lighthouse"} <= {name for name, _ in npm}
    assert python | npm == set(advisories.asked)


def test_an_advisory_about_a_python_package_is_told(audit, advisories):
    pinned = dict(pinned_in_locks())["pillow"]
    one = {"id": "PYSEC-0-1", "summary": "x", "details": "x", "aliases": [], "fixed_in": ["99.1"]}
    advisories.python["pillow"] = [one]
    done = audit()
    assert (done.returncode, done.stderr) == (1, "")
    assert f"  pillow {pinned}: PYSEC-0-1, mended in 99.1\n" in done.stdout


def test_an_advisory_about_a_package_from_npm_is_told(audit, advisories):
    one = {"id": 1, "url": "https://example.org/1", "title": "Bad", "severity": "low"}
    advisories.npm["protobufjs"] = [one | {"vulnerable_versions": "<99"}]
    done = audit()
    assert (done.returncode, done.stderr) == (1, "")
    assert "audit: site_template/vendor/package-lock.json: 1 advisory\n" in done.stdout
    assert "  protobufjs <99: Bad, https://example.org/1\n" in done.stdout


def test_no_answer_is_not_a_good_one(audit, advisories):
    advisories.status = 500
    done = audit()
    assert done.returncode == 1
    assert done.stdout == ""
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == ["audit"] * 4


def test_packages_that_nobody_knows_are_told(audit, advisories):
    advisories.unknown = {"pillow", "torch"}
    done = audit()
    assert done.returncode == 1
    assert done.stderr.endswith(": PyPI says nothing about pillow, torch\n")
    assert done.stderr.count("\n") == 1
