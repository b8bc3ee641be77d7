# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open a page in a headless Chromium: read its content, console messages and network requests, and take a picture.

Uses the DevTools protocol on a pipe, without a port or a driver. Standard library only.
``python -m tools.devtools PAGE.html PICTURE.png [WIDTH] [dark|print]`` takes a picture.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.browser import Chromium, ensure

FLAGS = (
    "--headless",
    "--no-sandbox",  # the sandbox needs privileges that containers lack; only pages of this project are opened
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
    "--font-render-hinting=none",
    "--remote-debugging-pipe",
)


class PageError(Exception):
    """The browser refused a command, or a JavaScript expression threw an error."""


class Tab:
    """One page. ``problems``: errors and console messages. ``requests``: requested URLs."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.loaded = False

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, as a JSON value. Raises PageError."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise PageError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def show(self, *, width: int = 1280, height: int = 900, dark: bool = False, media: str = "screen") -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def picture(self, target: Path, *, whole: bool = True) -> None:
        """Save a picture of the whole page, including the part below the window, or of the window only."""
        shown = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        target.write_bytes(base64.b64decode(shown["data"]))

    def pdf(self, target: Path) -> None:
        printed = self.call("Page.printToPDF", landscape=True, printBackground=True)
        target.write_bytes(base64.b64decode(printed["data"]))

    def note(self, method: str, parameters: dict[str, Any]) -> None:
        """Process an event."""
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(parameters["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.problems.append(f"{parameters['type']}: {json.dumps(parameters['args'])}")
        elif method == "Log.entryAdded":
            self.problems.append(f"{parameters['entry']['level']}: {parameters['entry']['text']}")


class Browser:
    """A running Chromium."""

    def __init__(self, process: subprocess.Popen[bytes], reading: int, writing: int) -> None:
        self._process = process
        self._reading = os.fdopen(reading, "rb", buffering=0)
        self._writing = os.fdopen(writing, "wb", buffering=0)
        self._left = b""
        self._number = 0
        self._tabs: dict[str, Tab] = {}

    def open(self, page: Path, **shown: Any) -> Tab:
        """Open a page and wait until it is loaded. ``shown``: arguments of ``Tab.show``."""
        target = self.call("Target.createTarget", None, url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", None, targetId=target, flatten=True)["sessionId"]
        tab = self._tabs[session] = Tab(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.call(f"{domain}.enable")
        tab.show(**shown)
        tab.loaded = False
        tab.call("Page.navigate", url=page.resolve().as_uri())
        while not tab.loaded:
            self._take(self._read())
        return tab

    def call(self, method: str, session: str | None, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        asked: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            asked["sessionId"] = session
        self._writing.write(json.dumps(asked).encode() + b"\0")
        while True:
            message = self._read()
            if message.get("id") == self._number:
                if "error" in message:
                    raise PageError(f"{method}: {message['error']}")
                result: dict[str, Any] = message["result"]
                return result
            self._take(message)

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reading.close()
        self._writing.close()

    def _take(self, message: dict[str, Any]) -> None:
        tab = self._tabs.get(message.get("sessionId", ""))
        if tab is not None and "method" in message:
            tab.note(message["method"], message["params"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            more = self._reading.read(1 << 20)
            if not more:
                raise PageError("the browser has ended")
            self._left += more
        text, _unused, self._left = self._left.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message


@contextmanager
def browser(chromium: Chromium | None = None) -> Iterator[Browser]:
    """Run a Chromium with a temporary profile in the block."""
    chosen = chromium or ensure()
    child_in, own_out = os.pipe()
    own_in, child_out = os.pipe()

    def wire() -> None:  # the browser reads from 3 and writes to 4
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (child_in, child_out)]
        os.dup2(high[0], 3)
        os.dup2(high[1], 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:  # child processes may still write
        process = subprocess.Popen(
            [str(chosen.path), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            env={**os.environ, **chosen.environ, "HOME": profile},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(3, 4),
            preexec_fn=wire,
            start_new_session=True,
        )
        os.close(child_in)
        os.close(child_out)
        running = Browser(process, own_in, own_out)
        try:
            yield running
        finally:
            running.close()


def main() -> None:
    page, target, *options = sys.argv[1:]
    width = next((int(option) for option in options if option.isdigit()), 1280)
    with browser() as chromium:
        tab = chromium.open(
            Path(page), width=width, dark="dark" in options, media="print" if "print" in options else "screen"
        )
        tab.picture(Path(target))
        for problem in tab.problems:
            print(problem, file=sys.stderr)


if __name__ == "__main__":
    main()
