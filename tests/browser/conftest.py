"""A browser for the tier, a scripted gateway per test, the real stack once."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright

from tests.browser.chromium import START_SECONDS, Chromium
from tests.browser.double import Double
from tests.browser.reader import PATIENCE_MS, Reader
from tests.browser.stack import ROOT, Stack

SITE = Path(__file__).resolve().parent.parent.parent / "frontend/site"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# No sandbox: tests may run as root. No /dev/shm: containers have little of it.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
# A name as machines of a network have: to the browser no loopback, so no secure context.
LAN_NAME = "workstation.test"

OpenPage = Callable[..., Reader]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What drives browsers."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium for all tests."""
    named = f"--host-resolver-rules=MAP {LAN_NAME} 127.0.0.1"
    launched = playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*ARGUMENTS, named], timeout=1000 * START_SECONDS
    )
    yield launched
    launched.close()


@pytest.fixture
def start_chromium(playwright: Playwright, tmp_path: Path) -> Iterator[Callable[[], Chromium]]:
    """Start Chromium on this test's profile, again and again; a test may kill it."""
    started: list[Chromium] = []

    def start() -> Chromium:
        started.append(Chromium(playwright, CHROMIUM, ARGUMENTS, tmp_path / "profile"))
        return started[-1]

    (tmp_path / "profile").mkdir()
    yield start
    for one in started:
        one.kill()


@pytest.fixture
def double() -> Iterator[Double]:
    """A scripted gateway; a test sets its scenes."""
    server = Double(SITE, [lambda line: line.say("Good ", "day.").finish()])
    yield server
    server.close()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The real gateway, with the embedded engine behind it."""
    started = Stack()
    try:
        started.wait_until_ready()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def stack_url(stack: Stack) -> str:
    """The address of the real gateway."""
    return stack.url


@pytest.fixture(scope="session")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the closed gateway's keys are."""
    return tmp_path_factory.mktemp("keys") / "keys.json"


@pytest.fixture(scope="session")
def api_key(keys_file: Path) -> str:
    """The closed gateway's key, made before it starts: a change would be seen within a second only."""
    return new_key(keys_file, "tests")


@pytest.fixture(scope="session")
def closed(stack: Stack, keys_file: Path, api_key: str) -> Iterator[Stack]:
    """A gateway before the same engine as a network sees it: a name, plain http, API keys, one slot."""
    started = Stack(
        beside=stack,
        GATEWAY_KEYS_FILE=str(keys_file),
        GATEWAY_ALLOWED_HOSTS=LAN_NAME,
        GATEWAY_SLOTS="1",
    )
    try:
        started.wait_until_ready()
        yield started
    finally:
        started.stop()


def new_key(file: Path, name: str) -> str:
    """Make a key as people do, with scripts/keys, and give what it prints once."""
    command = [sys.executable, str(ROOT / "scripts/keys"), "--file", str(file), "add", name]
    made = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found = re.search(r"pk-[\w-]+", made.stdout)
    assert found is not None, made.stdout
    return found[0]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open pages in contexts of their own; whatever any of them should not do fails the test."""
    contexts: list[BrowserContext] = []
    readers: list[Reader] = []

    def open_at(url: str, *, label: str | None = "Message", **options: Any) -> Reader:
        context = browser.new_context(**{"viewport": {"width": 1100, "height": 760}, **options})
        contexts.append(context)
        readers.append(Reader(context.new_page(), url, label))
        return readers[-1].open()

    yield open_at
    complaints = [line for reader in readers for line in reader.complaints]
    refused = [line for reader in readers if not reader.page.is_closed() for line in reader.refused()]
    for context in contexts:
        context.close()
    assert complaints == []
    assert refused == []


@pytest.fixture
def reader(open_page: OpenPage, double: Double) -> Reader:
    """A page on the scripted gateway."""
    return open_page(double.url)
