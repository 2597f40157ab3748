"""A Chromium of one's own, on a profile that outlives it: one that can be killed as a crash would.

Knows how Chromium is started and reached. Knows nothing of the page.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright

# A machine at its limits takes seconds to start a browser.
START_SECONDS = 120.0
LOOK_SECONDS = 0.02


class Chromium:
    """One running browser. Leave it through kill()."""

    def __init__(self, playwright: Playwright, program: str, arguments: list[str], profile: Path) -> None:
        port_file = profile / "DevToolsActivePort"
        port_file.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [
                program,
                "--headless=new",
                "--remote-debugging-port=0",
                f"--user-data-dir={profile}",
                "--no-first-run",
                *arguments,
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # A group of its own, so that its renderers die with it.
            start_new_session=True,
        )
        deadline = time.monotonic() + START_SECONDS
        while not (port_file.exists() and port_file.read_text().count("\n") == 1):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{program} did not start")
            time.sleep(LOOK_SECONDS)
        port = port_file.read_text().split("\n", 1)[0]
        self.browser: Browser = playwright.chromium.connect_over_cdp(
            f"http://127.0.0.1:{port}", timeout=1000 * START_SECONDS
        )

    def page(self) -> Page:
        """Give the tab that is open."""
        return self.browser.contexts[0].pages[0]

    def kill(self) -> None:
        """End it at once, as a crash or a power button does: nothing of it runs any more."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
