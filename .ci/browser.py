"""A headless Chromium without a network, over the protocol of its driver; for scripts that have no selenium.

Needs Debian's packages chromium and chromium-driver.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

FLAGS = [
    "headless=new", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars", "no-first-run", "disable-sync", "disable-extensions",
    "disable-background-networking", "disable-component-update", "no-proxy-server", "host-resolver-rules=MAP * ~NOTFOUND",
]


class Browser:
    """Opens files; ends with its `with`."""

    def __init__(self) -> None:
        programs = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
        if None in programs.values():
            raise SystemExit("chromium or its driver is missing: apt-get install chromium chromium-driver")
        self.driver = subprocess.Popen([programs["chromedriver"], "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        port = next(match[1] for line in self.driver.stdout if (match := re.search(r"started successfully on port (\d+)", line)))
        self.address = f"http://127.0.0.1:{port}/session"
        arguments = [f"--{flag}" for flag in FLAGS] + (["--no-sandbox"] if os.geteuid() == 0 else [])
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": programs["chromium"], "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        try:
            session = self.ask("POST", "", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        except BaseException:
            self.driver.terminate()
            raise
        self.address += f"/{session}"
        self.tell("Network.enable")
        self.tell("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.ask("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(10)

    def ask(self, method: str, path: str, body: dict | None = None) -> object:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise SystemExit(f"the browser refuses {path}: {json.load(error)['value']['message'].splitlines()[0]}") from None

    def tell(self, command: str, **parameters: object) -> dict:
        """A command of the DevTools protocol."""
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, file: Path) -> None:
        self.ask("POST", "/url", {"url": file.resolve().as_uri()})

    def run(self, script: str) -> object:
        return self.ask("POST", "/execute/sync", {"script": script, "args": []})

    def errors(self) -> list[str]:
        """What the console said since the last call."""
        return [entry["message"] for entry in self.ask("POST", "/se/log", {"type": "browser"})]

    def scheme(self, name: str) -> None:
        """light or dark."""
        self.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def width(self, pixels: int) -> None:
        self.tell("Emulation.setDeviceMetricsOverride", width=pixels, height=900, deviceScaleFactor=1, mobile=pixels < 600)
        time.sleep(0.3)  # Until what observes sizes has seen it.

    def picture(self, file: Path, clip: dict | None = None) -> None:
        """Of the whole page, or of a part of it."""
        part = {"clip": clip} if clip else {}
        shot = self.tell("Page.captureScreenshot", format="png", captureBeyondViewport=True, **part)
        file.write_bytes(base64.b64decode(shot["data"]))

    def paper(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self.tell("Page.printToPDF", printBackground=True)["data"]))
