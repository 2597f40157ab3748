"""The page as another machine sees it: a plain-http name, API keys, one slot; the real gateway and engine."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LAN_NAME, OpenPage
from tests.browser.reader import PATIENCE_MS, Reader
from tests.browser.stack import Stack

FOX = "What is the story about the fox and the grapes?"


@pytest.fixture
def lan_url(closed: Stack) -> str:
    """The closed gateway under its name."""
    return f"http://{LAN_NAME}:{closed.port}/"


@pytest.fixture
def addresses() -> Iterator[list[str]]:
    """Every address a test's pages ask for; no key is in any."""
    asked: list[str] = []
    yield asked
    assert [address for address in asked if "pk-" in address] == []


def give_key(reader: Reader, key: str, *, is_kept: bool = False) -> None:
    """Fill in the dialog that asks for the key."""
    dialog = reader.page.get_by_role("dialog")
    dialog.get_by_label("Key", exact=True).fill(key)
    dialog.get_by_label("Keep it on this device").set_checked(is_kept)
    dialog.get_by_role("button", name="Use this key").click()


def test_all_works_without_a_secure_context(
    open_page: OpenPage, lan_url: str, api_key: str, addresses: list[str]
) -> None:
    """Key, answer, copies, file, reload, export: with neither randomUUID nor a clipboard interface."""
    reader = open_page(lan_url)
    reader.page.on("request", lambda request: addresses.append(request.url))
    missing = "[isSecureContext, typeof crypto.randomUUID, typeof navigator.clipboard]"
    assert reader.page.evaluate(missing) == [False, "undefined", "undefined"]
    dialog = reader.page.get_by_role("dialog")
    expect(dialog).to_contain_text("This Paddock wants an API key.")
    give_key(reader, "pk-nobody-has-this-one")
    expect(dialog).to_contain_text("That key is not known here, or was withdrawn.")
    give_key(reader, api_key)
    expect(dialog).to_be_hidden()
    expect(reader.page.locator(".model")).to_contain_text("paddock-demo")

    reader.page.evaluate(
        "document.addEventListener('copy', () => { window.selected = String(getSelection()); })"
    )
    reader.ask("Implement a Python function to compute the Fibonacci numbers.")
    prose = reader.wait_for_answer()
    prose.locator(".copy-code").first.click()
    expect(prose.locator(".copy-code").first).to_have_text("Copied")
    assert reader.page.evaluate("window.selected") == prose.locator("pre code").first.text_content()
    reader.answers.last.locator(".tools").get_by_role("button", name="Copy").click()
    expect(reader.answers.last.locator(".copied")).to_be_visible()
    reader.give("picker", ("fox.txt", b"The fox and the grapes."))
    expect(reader.page.locator(".chips .chip")).to_have_text(re.compile(r"fox\.txt\d+ tokens"))

    # The session's key and what is typed are there after a reload; nobody is asked again.
    reader.draft.fill("Read it.")
    reader.page.reload()
    expect(reader.page.locator(".chips .chip")).to_have_text(re.compile(r"fox\.txt\d+ tokens"))
    reader.draft.press("Enter")
    expect(reader.answers).to_have_count(2)
    reader.wait_for_answer()
    expect(dialog).to_be_hidden()
    places = "[localStorage['paddock.key'] ?? null, sessionStorage['paddock.key'] ?? null]"
    assert reader.page.evaluate(places) == [None, api_key]
    reader.button("Files, language and keys").click()
    with reader.page.expect_download() as download:
        reader.button("This chat as Markdown").click()
    assert "def " in Path(download.value.path()).read_text(encoding="utf-8")
    assert {urlsplit(address).hostname for address in addresses if address.startswith("http")} == {LAN_NAME}


def test_a_key_that_is_kept_is_the_device_s(
    open_page: OpenPage, lan_url: str, api_key: str, addresses: list[str]
) -> None:
    """A new tab is not asked; once forgotten, the next question asks for it and is sent with it."""
    reader = open_page(lan_url)
    reader.page.context.on("request", lambda request: addresses.append(request.url))
    give_key(reader, api_key, is_kept=True)
    other = Reader(reader.page.context.new_page(), lan_url).open()
    expect(other.page.locator(".model")).to_contain_text("paddock-demo")
    expect(other.page.get_by_role("dialog")).to_be_hidden()
    other.button("Files, language and keys").click()
    other.button("Forget it").click()
    other.page.keyboard.press("Escape")
    other.ask("What is the capital of France?")
    expect(other.page.get_by_role("dialog")).to_contain_text("wants an API key")
    give_key(other, api_key)
    expect(other.wait_for_answer()).to_contain_text("Paris")
    assert other.complaints == []


def test_who_waits_behind_the_only_slot_sees_the_place_and_can_leave(
    open_page: OpenPage, closed: Stack, stack: Stack, lan_url: str, api_key: str
) -> None:
    """One answers, one waits: place, backlog in the bar, Leave; the other ends as if nobody had waited."""
    first, second = open_page(lan_url), open_page(lan_url)
    for reader in (first, second):
        give_key(reader, api_key)
        expect(reader.page.locator(".model")).to_contain_text("paddock-demo")
    with stack.engine_held():
        first.ask(FOX)
        expect(first.page.locator(".load")).to_contain_text("1 of 1 slot busy", timeout=PATIENCE_MS)
        second.ask("What is the capital of France?")
        waiting = second.answers.last.locator(".wait")
        expect(waiting).to_contain_text("Place 1 of 1 in the queue")
        expect(first.page.locator(".load")).to_contain_text("1 waiting")
        waiting.get_by_role("button", name="Leave").click()
        expect(second.answers.last.locator(".note")).to_contain_text("Stopped before the answer began.")
        expect(first.page.locator(".load")).to_contain_text("0 waiting")
    expect(first.wait_for_answer()).to_contain_text(re.compile("grapes", re.IGNORECASE))
    expect(first.answers.last.locator(".facts")).to_contain_text("tokens/s")
