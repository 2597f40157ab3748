"""For everyone: axe, the keyboard, small screens, light and dark."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.double import Double, Line
from tests.browser.reader import Reader

AXE = Path(__file__).resolve().parent.parent.parent / "frontend/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE: dict[str, Any] = {"viewport": {"width": 320, "height": 568}, "has_touch": True, "is_mobile": True}
RICH = """# Title

A [link](https://ok.example/) and `code`.

| a | b |
|---|---|
| 1 | 2 |

```python
def fibonacci(n: int) -> list[int]: return [0, 1] if n < 2 else fibonacci(n - 1) + [sum(fibonacci(n)[-2:])]
```

averyveryveryveryveryveryveryveryveryveryveryveryverylongwordthatneedstobreaksomewhere
"""


def rich(line: Line) -> None:
    """Answer with every kind of block."""
    line.say(RICH)
    line.finish()


def violations(reader: Reader) -> list[str]:
    """Run axe and write each finding in a line."""
    # A colour that is still changing is nobody's to read: what moves has to rest, and the frame to be drawn.
    reader.page.evaluate(
        """async () => {
          const ending = (one) => one.effect.getComputedTiming().endTime !== Infinity;
          do {
            await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
            const moving = document.getAnimations().filter(ending);
            await Promise.allSettled(moving.map((one) => one.finished));
          } while (document.getAnimations().some(ending));
        }"""
    )
    # Past the page's policy, as a debugger's console is: the policy is about what the page loads.
    reader.page.evaluate(AXE.read_text(encoding="utf-8"))
    run = "tags => axe.run({ runOnly: tags }).then(result => result.violations)"
    found = reader.page.evaluate(run, RULES)
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


def empty(reader: Reader, double: Double) -> None:
    """An empty chat."""


def answered(reader: Reader, double: Double) -> None:
    """A chat with every kind of block."""
    double.scenes = [rich]
    reader.ask("Show me.")
    reader.wait_for_answer()


def waiting(reader: Reader, double: Double) -> None:
    """A place in the queue, an engine that loads."""

    def scene(line: Line) -> None:
        line.progress(state="waiting", place=2, backlog=5, phase="ready")
        line.hold(double.closing)

    double.scenes = [scene]
    double.tell(phase="loading")
    reader.ask("Soon?")
    expect(reader.answers.last.locator(".wait")).to_contain_text("Place 2 of 5")


def broken(reader: Reader, double: Double) -> None:
    """An answer that broke, an engine that failed."""
    double.scenes = [lambda line: line.say("Half").fail("engine_failed", "The engine broke.")]
    double.tell(phase="failed", reason="Out of memory.")
    reader.ask("Well?")
    expect(reader.answers.last.get_by_role("alert")).to_be_visible()


def with_settings(reader: Reader, double: Double) -> None:
    """The settings, one of them wrong."""
    reader.button("Settings of this chat").click()
    reader.page.get_by_label("Temperature").fill("9")


def with_more(reader: Reader, double: Double) -> None:
    """Files, language and the list of keys, by its own key."""
    reader.page.locator(".scroller").focus()
    reader.page.keyboard.press("?")
    expect(reader.page.get_by_role("dialog")).to_be_visible()


def asked_for_a_key(reader: Reader, double: Double) -> None:
    """The dialog that wants an API key."""
    double.key = "pk-right"
    reader.ask("Hello")
    expect(reader.page.get_by_role("dialog")).to_be_visible()


def with_files(reader: Reader, double: Double) -> None:
    """A file taken, another refused, and one in a question that was sent."""
    reader.give("picker", ("notes.txt", b"one two"))
    # Nothing is sent while a file is being counted.
    expect(reader.page.locator(".chips .chip")).to_contain_text("tokens")
    reader.ask("Read it.")
    reader.wait_for_answer()
    reader.give("picker", ("more.txt", b"three"), ("a.bin", b"\0\1"))
    expect(reader.page.locator(".refusal")).to_be_visible()


def with_undo(reader: Reader, double: Double) -> None:
    """A deleted chat that can be taken back."""
    reader.ask("Hello")
    reader.wait_for_answer()
    reader.page.locator(".chat").hover()
    reader.button("Delete chat").click()
    expect(reader.button("Undo")).to_be_visible()


@pytest.mark.parametrize(
    "arrange",
    [empty, answered, waiting, broken, with_settings, with_undo, with_more, asked_for_a_key, with_files],
)
def test_axe_finds_nothing(
    open_page: OpenPage, double: Double, arrange: Callable[[Reader, Double], None]
) -> None:
    """No rule of WCAG 2.2 AA that a program can check is broken, in either look."""
    reader = open_page(double.url, color_scheme="light", reduced_motion="reduce")
    expect(reader.page.locator(".badge")).to_be_visible()
    arrange(reader, double)

    assert violations(reader) == []
    reader.page.emulate_media(color_scheme="dark")
    assert violations(reader) == []


@pytest.mark.parametrize("arrange", [empty, answered, waiting, broken, with_settings, with_files])
def test_a_narrow_phone_needs_no_sideways_scrolling(
    open_page: OpenPage, double: Double, arrange: Callable[[Reader, Double], None]
) -> None:
    """At 320 pixels everything is reachable; only code and tables scroll within themselves."""
    reader = open_page(double.url, **PHONE)
    expect(reader.page.locator(".badge")).to_be_visible()
    arrange(reader, double)
    width = "Math.max(document.documentElement.scrollWidth, document.querySelector('.scroller').scrollWidth)"

    assert reader.page.evaluate(width) == 320


def test_a_phone_has_the_list_behind_a_button(open_page: OpenPage, double: Double) -> None:
    """The list slides over, takes a tap, and is not in the way of the keyboard when closed."""
    reader = open_page(double.url, **PHONE)
    shelf = reader.page.get_by_role("navigation", name="Chats")
    expect(shelf).to_be_hidden()
    reader.button("Open the list of chats").click()
    expect(shelf).to_be_visible()
    expect(reader.button("Close the list of chats")).to_be_focused()
    for _ in range(4):
        reader.page.keyboard.press("Tab")
        assert reader.page.evaluate("document.activeElement.closest('main')") is None
    reader.page.keyboard.press("Escape")
    expect(shelf).to_be_hidden()
    expect(reader.button("Open the list of chats")).to_be_focused()
    reader.button("Open the list of chats").click()
    reader.page.set_viewport_size({"width": 1100, "height": 700})
    expect(reader.page.locator("main")).not_to_have_attribute("inert", re.compile(""))


def test_nothing_moves_for_who_wants_no_motion(open_page: OpenPage, double: Double) -> None:
    """Waiting and loading pulse for others; with reduced motion nothing does."""
    endless = """() => document.getAnimations()
      .filter((one) => one.effect.getComputedTiming().endTime === Infinity).length"""
    lively = open_page(double.url)
    waiting(lively, double)
    assert lively.page.evaluate(endless) > 0
    calm = open_page(double.url, reduced_motion="reduce")
    waiting(calm, double)
    assert calm.page.evaluate(endless) == 0


def test_a_keyboard_on_the_screen_leaves_box_and_last_words_in_sight(
    open_page: OpenPage, double: Double
) -> None:
    """The window shrinks by the keyboard: what one writes in and the end of the answer are still there."""
    double.scenes = [lambda line: line.say(*[f"Line {number}.\n\n" for number in range(40)]).finish()]
    reader = open_page(double.url, **{**PHONE, "viewport": {"width": 390, "height": 844}})
    reader.ask("Much.")
    reader.wait_for_answer()
    reader.draft.focus()
    reader.page.set_viewport_size({"width": 390, "height": 430})
    expect(reader.button("Send")).to_be_in_viewport(ratio=1)
    expect(reader.draft).to_be_in_viewport(ratio=1)
    expect(reader.page.locator(".prose").get_by_text("Line 39.")).to_be_in_viewport(ratio=1)
    assert reader.page.evaluate("document.scrollingElement.scrollTop") == 0


def test_on_a_phone_enter_starts_a_new_line(open_page: OpenPage, double: Double) -> None:
    """There is no Shift on a touch keyboard; the button sends."""
    reader = open_page(double.url, **PHONE)
    reader.draft.fill("one")
    reader.draft.press("Enter")
    expect(reader.draft).to_have_value("one\n")
    assert double.asked == []


def test_the_keyboard_reaches_everything_in_order(reader: Reader) -> None:
    """From the top of the page: skip link, list, bar, messages, starters, box."""
    reader.page.locator(".skip").focus()
    seen = ["Skip to the message box"]
    for _ in range(11):
        reader.page.keyboard.press("Tab")
        seen.append(
            reader.page.evaluate(
                "() => { const at = document.activeElement;"
                " return at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent; }"
            )
        )
    expected = [
        "Skip to the message box",
        "New chat",
        "Settings of this chat",
        "Colours: as the system",
        "Files, language and keys",
        "Messages",
        "What is the story about the fox and the grapes?",
        "Implement a Python function to compute the Fibonacci numbers.",
        "What is the capital of France?",
        "Count from one to ten.",
        "Attach text files",
        "Message",
    ]
    assert expected == seen


def test_the_look_follows_the_system_and_then_the_choice(open_page: OpenPage, double: Double) -> None:
    """Dark by the system, light by the button, and light again after a reload."""
    reader = open_page(double.url, color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert reader.page.evaluate(paper) == "rgb(19, 22, 19)"
    reader.button("Colours: as the system").click()
    assert reader.page.evaluate(paper) == "rgb(250, 249, 245)"
    reader.page.reload()
    expect(reader.button("Colours: light")).to_be_visible()
    assert reader.page.evaluate(paper) == "rgb(250, 249, 245)"


def test_escape_closes_the_settings_and_not_the_answer(reader: Reader, double: Double) -> None:
    """A dialog is closed first; what was typed in it is not saved."""
    double.scenes = [lambda line: line.say("Half").hold(double.closing)]
    reader.ask("Well?")
    expect(reader.answers.last.locator(".prose")).to_have_text("Half")
    reader.button("Settings of this chat").click()
    reader.page.get_by_label("System prompt").fill("Not to be kept")
    reader.page.keyboard.press("Escape")
    expect(reader.page.get_by_role("dialog")).to_be_hidden()
    expect(reader.stop).to_be_visible()
    reader.button("Settings of this chat").click()
    expect(reader.page.get_by_label("System prompt")).to_have_value("")
