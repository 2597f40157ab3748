"""The page on the real gateway and the embedded engine: a network's own tokens, read in a browser."""

import contextlib
import json
import re
import urllib.request
from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import CDPSession, Locator, expect

from tests.browser.chromium import Chromium
from tests.browser.conftest import OpenPage
from tests.browser.reader import PATIENCE_MS, Reader
from tests.browser.stack import Stack
from tests.browser.test_access import PHONE, violations

FOX = "What is the story about the fox and the grapes?"
# From a token at the gateway to its text on the page, on a busy machine.
DRAW_MS = 1_000


def fetch(url: str) -> Any:
    """Return a JSON document of the gateway."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def limit_line(reader: Reader, bytes_per_second: int, line: CDPSession | None = None) -> CDPSession:
    """Make the tab's line slow (0: as fast as it is): the demo model outruns any screen otherwise."""
    # Only the session that set a limit can lift it.
    line = line or reader.page.context.new_cdp_session(reader.page)
    speed = bytes_per_second or -1
    limits = {"offline": False, "latency": 0, "downloadThroughput": speed, "uploadThroughput": -1}
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", limits)
    return line


def test_a_question_is_answered_as_it_is_written(open_page: OpenPage, stack_url: str) -> None:
    """The demo model tells the fable, growing on the page; the figures are the gateway's own."""
    reader = open_page(stack_url)
    reader.page.evaluate(
        """() => {
          window.lengths = [];
          new MutationObserver(() => {
            const length = document.querySelector(".prose")?.textContent.length ?? 0;
            if (length !== window.lengths.at(-1)) window.lengths.push(length);
          }).observe(document.body, { subtree: true, childList: true, characterData: true });
        }"""
    )
    limit_line(reader, 10_000)
    reader.ask(FOX)
    answer = reader.wait_for_answer()
    expect(answer).to_contain_text(re.compile("fox", re.IGNORECASE))
    expect(answer).to_contain_text(re.compile("grapes", re.IGNORECASE))
    facts = reader.answers.last.locator(".facts").inner_text()
    assert re.match(r"[\d,]+ tokens · [\d.,]+ tokens/s · first token [\d.]+ s", facts) is not None, facts
    lengths: list[int] = reader.page.evaluate("window.lengths")
    assert len([length for length in lengths if length > 0]) > 3, lengths


def test_the_bar_tells_the_truth(open_page: OpenPage, stack_url: str) -> None:
    """Model, phase and load are what the gateway says."""
    model = fetch(f"{stack_url}v1/models")["data"][0]
    reader = open_page(stack_url)
    expect(reader.page.locator(".model")).to_contain_text(model["id"])
    expect(reader.page.locator(".phase")).to_have_text("Ready")
    expect(reader.page.locator(".load")).to_contain_text("1 engine online · 0 of 8 slots busy · 0 waiting")
    expect(reader.page.locator(".badge")).to_be_visible(visible=model["demo"])


def test_a_second_turn_knows_the_first(open_page: OpenPage, stack_url: str) -> None:
    """Both turns are in the context the engine counts."""
    reader = open_page(stack_url)
    reader.ask(FOX)
    reader.wait_for_answer()
    first = context_tokens(reader.answers.last.locator(".facts").inner_text())
    reader.ask("What is the capital of France?")
    expect(reader.answers).to_have_count(2)
    reader.wait_for_answer()
    assert context_tokens(reader.answers.last.locator(".facts").inner_text()) > first


def test_stop_frees_the_slot(open_page: OpenPage, stack_url: str) -> None:
    """After Stop nothing runs on the engine any more, and the text that came stays."""
    reader = open_page(stack_url)
    limit_line(reader, 2_000)
    reader.ask(FOX)
    expect(reader.answers.last.locator(".prose")).not_to_be_empty(timeout=PATIENCE_MS)
    reader.page.keyboard.press("Escape")
    expect(reader.answers.last.locator(".note")).to_have_text("Stopped. The slot is free.")
    limit_line(reader, 0)
    expect(reader.page.locator(".load")).to_contain_text("0 of 8 slots busy", timeout=PATIENCE_MS)
    assert fetch(f"{stack_url}stats")["running"] == 0
    assert reader.answers.last.locator(".prose").inner_text() != ""


def test_a_reload_finds_the_chat_and_goes_on(open_page: OpenPage, stack_url: str) -> None:
    """History is in the browser; the chat continues where it was."""
    reader = open_page(stack_url)
    reader.ask(FOX)
    said = reader.wait_for_answer().inner_text()
    reader.page.reload()
    expect(reader.answers.last.locator(".prose")).to_have_text(said, use_inner_text=True)
    reader.button("Answer again").click()
    reader.wait_for_answer()
    expect(reader.answers.last.locator(".versions")).to_contain_text("2 of 2")


def test_an_answer_survives_a_reload_in_its_middle(open_page: OpenPage, stack_url: str) -> None:
    """What the page missed is replayed by the gateway, to the letter: the demo model is greedy."""
    reader = open_page(stack_url)
    reader.ask(FOX)
    whole = reader.wait_for_answer().inner_text()
    reader.button("New chat").click()
    line = limit_line(reader, 3_000)
    reader.ask(FOX)
    expect(reader.answers.last.locator(".prose")).to_contain_text("fox")
    limit_line(reader, 0, line)
    # Order: the reload must come before the rest does, so nothing is waited for in between.
    reader.page.reload()
    expect(reader.wait_for_answer()).to_have_text(whole, use_inner_text=True)
    expect(reader.answers.last.locator(".facts")).to_contain_text("tokens/s")


def test_a_file_is_counted_by_the_engine(open_page: OpenPage, stack_url: str) -> None:
    """The number beside a file is the engine's; a file over the context is refused with the numbers."""
    reader = open_page(stack_url)
    expect(reader.page.locator(".model")).to_be_visible()
    reader.give("picker", ("fox.txt", b"The fox and the grapes."))
    expect(reader.page.locator(".chip")).to_contain_text(re.compile(r"fox\.txt\d+ tokens"))
    reader.give("picker", ("long.txt", b"grapes and foxes " * 3000))
    expect(reader.page.locator(".refusal")).to_have_text(
        re.compile(r"long\.txt has [\d,]+ tokens.*; the context holds [\d,]+\.")
    )


def test_a_chat_too_long_for_the_model_is_refused_in_words(open_page: OpenPage, stack_url: str) -> None:
    """The gateway's own sentence, with its counts, and advice."""
    reader = open_page(stack_url)
    reader.ask("grapes and foxes " * 3000)
    problem = reader.answers.last.get_by_role("alert")
    expect(problem).to_contain_text(re.compile(r"\d"))
    expect(problem).to_contain_text("Start a new chat")


def test_a_killed_browser_finds_its_answer_again(
    start_chromium: Callable[[], Chromium], open_page: OpenPage, stack_url: str
) -> None:
    """SIGKILL while the answer grows: a new start follows the gateway's stream to the same last word."""
    calm = open_page(stack_url)
    calm.ask(FOX)
    whole = calm.wait_for_answer().inner_text()
    chromium = start_chromium()
    reader = Reader(chromium.page(), stack_url).open()
    limit_line(reader, 1_500)
    reader.ask(FOX)
    expect(reader.answers.last.locator(".prose")).to_contain_text("fox", timeout=PATIENCE_MS)
    chromium.kill()
    again = Reader(start_chromium().page(), stack_url).open()
    expect(again.wait_for_answer()).to_have_text(whole, use_inner_text=True)
    assert again.complaints == []


def test_a_restart_of_the_gateway_interrupts_and_continue_goes_on(open_page: OpenPage, stack: Stack) -> None:
    """Its streams are gone with it: the text stays, is not called complete, and Continue ends it."""
    reader = open_page(stack.url)
    prose = reader.answers.last.locator(".prose")
    with stack.engine_held() as step:
        reader.ask(FOX)
        for _ in range(200):
            step()
            # The page is given time to draw what came, so that the engine is not through before it does.
            with contextlib.suppress(AssertionError):
                expect(prose).to_have_text(re.compile(r"\w"), timeout=DRAW_MS)
                break
        expect(reader.stop).to_be_visible()
        stack.restart_gateway()
        note = reader.answers.last.locator(".note")
        expect(note).to_have_text("Interrupted: this answer is not complete.", timeout=2 * PATIENCE_MS)
    stack.wait_until_ready()
    before = letters(prose)
    reader.button("Continue").click()
    after = letters(reader.wait_for_answer())
    assert (before != "", after.startswith(before), len(after) > len(before)) == (True, True, True)
    expect(reader.answers).to_have_count(1)


def test_a_sleeping_engine_wakes_for_a_question(open_page: OpenPage, stack: Stack) -> None:
    """The supervisor has stopped it: the page says so, and the question is answered all the same."""
    reader = open_page(stack.url)
    expect(reader.page.locator(".phase")).to_have_text("Ready")
    stack.put_engine_to_sleep()
    expect(reader.page.locator(".phase")).to_have_text("Asleep", timeout=PATIENCE_MS)
    expect(reader.page.locator(".banner")).to_contain_text("Your question wakes it.")
    reader.ask("What is the capital of France?")
    expect(reader.answers.last.locator(".wait")).to_contain_text(re.compile("engine|model"))
    expect(reader.wait_for_answer()).to_contain_text("Paris")
    expect(reader.page.locator(".phase")).to_have_text("Ready", timeout=PATIENCE_MS)


def test_what_is_counted_before_is_what_the_engine_reads(open_page: OpenPage, stack_url: str) -> None:
    """System prompt, headers, question and file: the number beside the box is the answer's usage."""
    reader = open_page(stack_url)
    expect(reader.page.locator(".model")).to_be_visible()
    reader.button("Settings of this chat").click()
    reader.page.get_by_label("System prompt").fill("You are a helpful assistant.")
    reader.page.get_by_label("Max tokens").fill("6")
    reader.button("Save").click()
    reader.draft.fill("What does it say?")
    reader.give("picker", ("fox.txt", "The fox said: „sour“ grapes.".encode()))
    total = reader.page.locator(".total")
    expect(total).to_have_text(re.compile(r"In all, as it would be sent: \d+ tokens of [\d,]+\."))
    counted = int(re.findall(r"\d+", total.inner_text())[0])
    reader.draft.press("Enter")
    reader.wait_for_answer()
    facts = reader.answers.last.locator(".facts").inner_text()
    answered = int(facts.split()[0])
    assert (answered <= 6, context_tokens(facts) - answered) == (True, counted)


def test_an_answer_cut_at_its_limit_is_continued(open_page: OpenPage, stack_url: str) -> None:
    """The chat's own limit cuts it; Continue lets the engine go on behind the last word."""
    reader = open_page(stack_url)
    reader.button("Settings of this chat").click()
    reader.page.get_by_label("Max tokens").fill("12")
    reader.button("Save").click()
    reader.ask(FOX)
    first = reader.wait_for_answer().inner_text()
    expect(reader.answers.last.locator(".facts")).to_contain_text("12 tokens")
    expect(reader.answers.last.locator(".note")).to_have_text("Cut at the length limit.")
    reader.button("Continue").click()
    expect(reader.answers.last.locator(".prose")).not_to_have_text(first, use_inner_text=True)
    assert reader.wait_for_answer().inner_text().startswith(first)


def test_code_of_the_model_is_coloured_and_a_question_branches(open_page: OpenPage, stack_url: str) -> None:
    """Markdown of a network's own making; a changed question stands beside the first."""
    reader = open_page(stack_url, **PHONE)
    reader.ask("Implement a Python function to compute the Fibonacci numbers.")
    expect(reader.wait_for_answer().locator("pre .hl-keyword").first).to_have_text("def")
    width = "document.querySelector('.scroller').scrollWidth"
    assert reader.page.evaluate(width) == PHONE["viewport"]["width"]
    reader.button("Change the question").click()
    box = reader.page.get_by_label("Change the question").and_(reader.page.locator("textarea"))
    box.fill("What is the capital of France?")
    reader.button("Ask again").click()
    expect(reader.wait_for_answer()).to_contain_text("Paris")
    reader.button("Previous version").click()
    expect(reader.answers.last.locator("pre")).to_be_visible()


@pytest.mark.parametrize("look", ["light", "dark"])
def test_a_real_answer_is_accessible(
    open_page: OpenPage, stack_url: str, look: Literal["light", "dark"]
) -> None:
    """Axe on what the network wrote, in both looks."""
    reader = open_page(stack_url, color_scheme=look, reduced_motion="reduce")
    reader.ask("Implement a Python function to compute the Fibonacci numbers.")
    expect(reader.wait_for_answer().locator("pre .hl-keyword").first).to_be_visible()
    assert violations(reader) == []


def letters(prose: Locator) -> str:
    """Read a text without its marks: what was open when it was cut may have become bold since."""
    return re.sub(r"\W", "", prose.inner_text())


def context_tokens(facts: str) -> int:
    """Read the tokens used from the line under an answer."""
    found = re.search(r"context ([\d,]+) of", facts)
    assert found is not None, facts
    return int(found[1].replace(",", ""))
