"""Firefox as it is installed, driven over WebDriver BiDi: the W3C protocol that it speaks itself.

Playwright drives only a Firefox of its own build, and Selenium needs geckodriver, which Debian
does not ship. What these tests need of the protocol is a WebSocket and the few commands below.
"""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

START = 60
"""Seconds that Firefox may take until it can be reached."""
PATIENCE = 15
"""Seconds that a page may take until something is true."""
PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "captivedetect.canonicalURL": "",
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}
"""Firefox asks nobody for anything but the site that is tested."""
KEYS = {"ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015"}


class Firefox:
    """One tab, and every fault that pages in it had."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._last = 0
        self.faults: list[str] = []
        self.requests: list[str] = []
        self._send("session.new", capabilities={})
        self._tab = self._send("browsingContext.getTree")["contexts"][0]["context"]
        events = ["log.entryAdded", "network.responseCompleted", "network.fetchError"]
        self._send("session.subscribe", events=events)

    def open(self, url: str, width: int = 1280, height: int = 900) -> None:
        """Open a page and wait until it has loaded."""
        viewport = {"width": width, "height": height}
        self._send("browsingContext.setViewport", context=self._tab, viewport=viewport)
        # Another fragment alone would not load the page anew.
        for target in ("about:blank", url):
            self._send("browsingContext.navigate", context=self._tab, url=target, wait="complete")

    def ask(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; a promise is waited for."""
        found = self._send(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self._tab},
            awaitPromise=True,
        )
        if found["type"] == "exception":
            raise AssertionError(f"{expression}: {found['exceptionDetails']['text']}")
        return json.loads(found["result"].get("value", "null"))

    def wait(self, expression: str) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + PATIENCE
        while not self.ask(f"Boolean({expression})"):
            assert time.monotonic() < deadline, f"never true: {expression}\n{self.faults}"
            time.sleep(0.05)

    def press(self, key: str) -> None:
        value = KEYS[key]
        steps = [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self._act({"type": "key", "id": "keyboard", "actions": steps})

    def hover(self, x: float, y: float) -> None:
        """Move the pointer to a point of the window, CSS pixels."""
        self._pointer(x, y, [])

    def click(self, selector: str) -> None:
        """Click on the middle of an element."""
        box = self.box(selector)
        steps = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self._pointer(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps)

    def give(self, selector: str, file: Path) -> None:
        """Choose a file."""
        find = f"document.querySelector({json.dumps(selector)})"
        target = {"context": self._tab}
        found = self._send("script.evaluate", expression=find, target=target, awaitPromise=False)
        element = {"sharedId": found["result"]["sharedId"]}
        self._send("input.setFiles", context=self._tab, element=element, files=[str(file)])

    def box(self, selector: str) -> dict[str, float]:
        """Bring an element into view; return where it is in the window, CSS pixels."""
        find = f"document.querySelector({json.dumps(selector)})"
        self.ask(f"{find}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
        return self.ask(f"{find}.getBoundingClientRect()")

    def _pointer(self, x: float, y: float, then: list[dict[str, Any]]) -> None:
        move = {"type": "pointerMove", "x": round(x), "y": round(y)}
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}}
        self._act(mouse | {"actions": [move, *then]})

    def _act(self, source: dict[str, Any]) -> None:
        self._send("input.performActions", context=self._tab, actions=[source])

    def _send(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the answer to a command; events that come before it are looked at."""
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            if message["type"] == "event":
                self._note(message["method"], message["params"])
            elif message["id"] == self._last:
                assert message["type"] == "success", f"{method}: {message}"
                return message["result"]

    def _note(self, event: str, params: dict[str, Any]) -> None:
        if event == "log.entryAdded":
            if params["level"] in {"error", "warn"}:
                self.faults.append(f"{params['type']} {params['level']}: {params['text']}")
            return
        url = params["request"]["url"]
        self.requests.append(url)
        if event == "network.fetchError":
            if params["errorText"] != "NS_BINDING_ABORTED":  # Firefox's own, on leaving a page
                self.faults.append(f"failed: {url}: {params['errorText']}")
        elif params["response"]["status"] >= 400:
            self.faults.append(f"{params['response']['status']}: {url}")


@contextmanager
def started(program: str, profile: Path) -> Iterator[Firefox]:
    """Start Firefox without a window, with an empty profile, and end it afterwards."""
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines), "utf-8")
    log = profile / "log.txt"
    command = [program, "--headless", "--no-remote", "--profile", str(profile)]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--remote-debugging-port", "0"], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        with connect(f"{_address(process, log)}/session", max_size=None, proxy=None) as socket:
            yield Firefox(socket)
            with suppress(Exception):  # it may be gone before it answers
                socket.send(json.dumps({"id": 0, "method": "browser.close", "params": {}}))
                process.wait(10)
    finally:
        process.kill()
        process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"Firefox does not start:\n{log.read_text()}")
