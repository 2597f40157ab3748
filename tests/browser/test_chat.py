"""Asking and reading: what a person does most, against a scripted gateway."""

import re
import threading

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.double import Double, Line
from tests.browser.reader import Reader

CODE = "Like **this**:\n\n```python\nprint(1 < 2)\n```\n\nDone."


def test_an_answer_streams_in_and_ends_with_its_figures(reader: Reader, double: Double) -> None:
    """Text is on the page while the gateway is still talking; the figures are the gateway's."""
    go_on = threading.Event()

    def scene(line: Line) -> None:
        line.say("One ", "two")
        line.hold(go_on)
        line.say(" three.")
        line.finish(tokens=143)

    double.scenes = [scene]
    reader.ask("Count.")
    expect(reader.answers.last.locator(".prose")).to_have_text("One two")
    expect(reader.stop).to_be_visible()
    go_on.set()
    expect(reader.wait_for_answer()).to_have_text("One two three.")
    expect(reader.answers.last.locator(".facts")).to_have_text(
        "143 tokens · 24.0 tokens/s · first token 0.05 s · context 163 of 2,048"
    )
    expect(reader.button("Send")).to_be_visible()


def test_the_request_is_the_whole_chat(reader: Reader, double: Double) -> None:
    """The second question takes the first and its answer along."""
    reader.ask("Hello")
    reader.wait_for_answer()
    reader.ask("And now?")
    expect(reader.answers).to_have_count(2)
    reader.wait_for_answer()

    said = [(message["role"], message["content"]) for message in double.asked[1]["messages"]]
    assert said == [("user", "Hello"), ("assistant", "Good day."), ("user", "And now?")]
    asked = double.asked[1]
    assert (asked["model"], asked["stream"], asked["_progress"]) == ("paddock-demo", True, "1")
    assert asked["stream_options"] == {"include_usage": True}


def test_stop_closes_the_connection_and_keeps_the_text(reader: Reader, double: Double) -> None:
    """Stop ends the answer on both sides; what came stays."""
    double.scenes = [lambda line: line.say("Half an").hold(threading.Event())]
    reader.ask("Tell me.")
    expect(reader.answers.last.locator(".prose")).to_have_text("Half an")
    reader.stop.click()
    expect(reader.answers.last.locator(".note")).to_have_text("Stopped.")
    expect(reader.answers.last.locator(".prose")).to_have_text("Half an")
    expect(reader.draft).to_be_focused()
    double.wait_for_departures(1)


def test_escape_stops_the_answer(reader: Reader, double: Double) -> None:
    """Escape is as good as the button."""
    double.scenes = [lambda line: line.say("Half an").hold(threading.Event())]
    reader.ask("Tell me.")
    expect(reader.answers.last.locator(".prose")).to_have_text("Half an")
    reader.page.keyboard.press("Escape")
    expect(reader.answers.last.locator(".note")).to_have_text("Stopped.")
    double.wait_for_departures(1)


def test_an_answer_given_again_stands_beside_the_first(reader: Reader, double: Double) -> None:
    """Arrows lead between the versions; the second goes on show."""
    double.scenes = [
        lambda line: line.say("First.").finish(),
        lambda line: line.say("Second.").finish(),
    ]
    reader.ask("Which?")
    reader.wait_for_answer()
    reader.button("Answer again").click()
    expect(reader.answers.last.locator(".prose")).to_have_text("Second.")
    reader.wait_for_answer()
    expect(reader.answers).to_have_count(1)
    expect(reader.answers.last.locator(".versions")).to_contain_text("2 of 2")
    reader.button("Previous version").click()
    expect(reader.answers.last.locator(".prose")).to_have_text("First.")


def test_a_question_can_be_changed(reader: Reader, double: Double) -> None:
    """The changed question is asked; the old one stays behind the arrows."""
    reader.ask("Hello")
    reader.wait_for_answer()
    reader.questions.last.hover()
    reader.button("Change the question").click()
    box = reader.page.get_by_label("Change the question").and_(reader.page.locator("textarea"))
    expect(box).to_be_focused()
    box.fill("Hello again")
    box.press("Enter")
    expect(reader.questions).to_have_text(["Hello again"])
    reader.wait_for_answer()
    assert double.asked[1]["messages"][-1]["content"] == "Hello again"
    expect(reader.page.locator(".message.user .versions")).to_contain_text("2 of 2")


def test_markdown_becomes_elements_and_code_can_be_copied(
    open_page: OpenPage, double: Double
) -> None:
    """The copy buttons give the message's source and the block's code."""
    double.scenes = [lambda line: line.say(*CODE).finish()]
    reader = open_page(double.url, permissions=["clipboard-read", "clipboard-write"])
    reader.ask("Show me.")
    prose = reader.wait_for_answer()
    expect(prose.locator("strong")).to_have_text("this")
    expect(prose.locator("pre code")).to_have_text("print(1 < 2)")
    expect(prose.locator(".code-head span")).to_have_text("python")

    prose.get_by_role("button", name="Copy").click()
    expect(prose.locator(".copy-code")).to_have_text("Copied")
    assert reader.page.evaluate("navigator.clipboard.readText()") == "print(1 < 2)"
    reader.answers.last.locator(".tools").get_by_role("button", name="Copy").click()
    expect(reader.answers.last.locator(".copied")).to_be_visible()
    assert reader.page.evaluate("navigator.clipboard.readText()") == CODE


def test_copying_works_without_the_clipboard_interface(reader: Reader) -> None:
    """On plain-http addresses there is no navigator.clipboard; a selection does it."""
    reader.page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    reader.page.evaluate(
        "document.addEventListener('copy', () => { window.selected = String(getSelection()); })"
    )
    reader.ask("Hello")
    reader.wait_for_answer()
    reader.answers.last.locator(".tools").get_by_role("button", name="Copy").click()
    expect(reader.answers.last.locator(".copied")).to_be_visible()
    assert reader.page.evaluate("window.selected") == "Good day."


def test_shift_enter_starts_a_new_line(reader: Reader, double: Double) -> None:
    """Only Enter alone sends."""
    reader.draft.focus()
    reader.page.keyboard.type("one")
    reader.page.keyboard.press("Shift+Enter")
    reader.page.keyboard.type("two")
    expect(reader.draft).to_have_value("one\ntwo")
    reader.page.keyboard.press("Enter")
    reader.wait_for_answer()
    assert double.asked[0]["messages"][0]["content"] == "one\ntwo"


def test_the_arrow_up_changes_the_last_question(reader: Reader, double: Double) -> None:
    """From an empty box, with the cursor behind the last word; Escape leads back to the box."""
    reader.ask("Hello")
    reader.wait_for_answer()
    reader.draft.press("ArrowUp")
    box = reader.page.locator(".edit textarea")
    expect(box).to_be_focused()
    box.press("Escape")
    expect(box).to_have_count(0)
    expect(reader.draft).to_be_focused()
    reader.draft.press("ArrowUp")
    box.press("!")
    box.press("Enter")
    expect(reader.questions).to_have_text(["Hello!"])
    reader.wait_for_answer()
    assert [one["messages"] for one in double.asked][1] == [{"role": "user", "content": "Hello!"}]
    expect(reader.draft).to_be_focused()


def test_an_input_method_s_enter_is_its_own(reader: Reader, double: Double) -> None:
    """Enter that ends a composition sends nothing; the next one does."""
    line = reader.page.context.new_cdp_session(reader.page)
    reader.draft.focus()
    line.send("Input.imeSetComposition", {"text": "にほん", "selectionStart": 3, "selectionEnd": 3})
    # As browsers tell of the key that an input method took.
    composing = {"key": "Enter", "isComposing": True, "keyCode": 229, "bubbles": True, "cancelable": True}
    reader.draft.dispatch_event("keydown", composing)
    expect(reader.draft).to_have_value("にほん")
    assert double.asked == []
    line.send("Input.insertText", {"text": "日本"})
    reader.page.keyboard.press("Enter")
    reader.wait_for_answer()
    assert double.asked[0]["messages"][0]["content"] == "日本"


def test_a_starter_is_a_question(reader: Reader, double: Double) -> None:
    """A first question is one press away, and the demo model is called what it is."""
    expect(reader.page.locator(".badge")).to_have_text("tiny demo model, not Llama")
    expect(reader.page.locator(".welcome")).to_contain_text("paddock-demo is a tiny demo model, not Llama.")
    reader.button("What is the story about the fox and the grapes?").click()
    reader.wait_for_answer()
    assert double.asked[0]["messages"][0]["content"] == "What is the story about the fox and the grapes?"


def test_a_real_model_is_named_and_has_no_badge(open_page: OpenPage, double: Double) -> None:
    """The page says which model runs, whatever it is."""
    double.model = {**(double.model or {}), "id": "meta-llama/Llama-3.2-1B-Instruct", "demo": False}
    reader = open_page(double.url)
    expect(reader.page.locator(".model")).to_contain_text("meta-llama/Llama-3.2-1B-Instruct")
    expect(reader.page.locator(".badge")).to_be_hidden()


def test_settings_reach_the_request(reader: Reader, double: Double) -> None:
    """System prompt and sampling are this chat's, within the model's limits."""
    reader.button("Settings of this chat").click()
    dialog = reader.page.get_by_role("dialog")
    dialog.get_by_label("System prompt").fill("Be brief.")
    dialog.get_by_label("Temperature").fill("9")
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    dialog.get_by_label("Temperature").fill("0")
    dialog.get_by_label("Max tokens").fill("7")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    reader.ask("Hello")
    reader.wait_for_answer()

    asked = double.asked[0]
    assert asked["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (asked["temperature"], asked["max_tokens"], "top_p" in asked) == (0, 7, False)


def test_the_page_follows_the_text_until_one_scrolls_up(reader: Reader, double: Double) -> None:
    """Reading above is not disturbed; a button leads back to the end."""
    more, last = threading.Event(), threading.Event()

    def scene(line: Line) -> None:
        line.say(*[f"Line {number}.\n\n" for number in range(60)])
        line.hold(more)
        line.say(*[f"More {number}.\n\n" for number in range(20)])
        line.hold(last)
        line.say("The end.")
        line.finish()

    double.scenes = [scene]
    reader.ask("Much.")
    expect(reader.page.locator(".prose").get_by_text("Line 59.")).to_be_in_viewport()
    jump = reader.button("Jump to latest")
    expect(jump).to_be_hidden()
    reader.page.locator(".scroller").hover()
    reader.page.mouse.wheel(0, -400)
    expect(jump).to_be_visible()
    more.set()
    expect(reader.page.locator(".prose").get_by_text("More 19.")).to_be_attached()
    expect(reader.page.locator(".prose").get_by_text("More 19.")).not_to_be_in_viewport()
    jump.click()
    expect(reader.page.locator(".prose").get_by_text("More 19.")).to_be_in_viewport()
    expect(jump).to_be_hidden()
    last.set()
    reader.wait_for_answer()
    expect(reader.page.locator(".prose").get_by_text("The end.")).to_be_in_viewport()


def test_an_answer_goes_on_while_another_chat_is_open(reader: Reader, double: Double) -> None:
    """Leaving a chat does not stop its answer; the list shows that it runs."""
    go_on = threading.Event()
    double.scenes = [
        lambda line: line.say("Slow ").hold(go_on).say("answer.").finish(),
        lambda line: line.say("Quick.").finish(),
    ]
    reader.ask("First chat")
    expect(reader.answers.last.locator(".prose")).to_have_text("Slow")
    reader.button("New chat").click()
    expect(reader.page.locator(".welcome")).to_be_visible()
    expect(reader.page.locator(".busy:visible")).to_have_count(1)
    reader.ask("Second chat")
    expect(reader.wait_for_answer()).to_have_text("Quick.")
    go_on.set()
    expect(reader.page.locator(".busy:visible")).to_have_count(0)
    reader.page.locator(".chat-title", has_text="First chat").click()
    expect(reader.wait_for_answer()).to_have_text("Slow answer.")


def test_a_listener_hears_sentences(reader: Reader, double: Double) -> None:
    """The live region holds whole sentences, never a token."""
    go_on = threading.Event()
    double.scenes = [
        lambda line: line.say("It is ", "so. And", " the").hold(go_on).say("n.").finish()
    ]
    voice = reader.page.locator(".offscreen[aria-live=polite]")
    reader.ask("Is it?")
    expect(voice).to_have_text("It is so.")
    go_on.set()
    expect(voice).to_have_text(re.compile(r"^And then\.$"))


# Counts, for each frame, how often the answer was drawn, and which of its blocks were touched.
WATCH_BLOCKS = """() => {
  const prose = document.querySelector(".message.assistant:last-of-type .prose");
  window.drawings = [];
  let frame = 0;
  const tick = () => { frame += 1; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  new MutationObserver((changes) => {
    const open = window.last;
    const touched = new Set();
    for (const change of changes) {
      const isBlock = change.target === prose;
      for (const node of isBlock ? [...change.addedNodes, ...change.removedNodes] : [change.target]) {
        let block = node;
        while (block.parentNode !== null && block.parentNode !== prose) block = block.parentNode;
        const at = [...prose.children].indexOf(block);
        if (at !== -1) touched.add(at);
      }
    }
    window.drawings.push({ frame, open, touched: [...touched] });
    window.last = prose.children.length - 1;
  }).observe(prose, { subtree: true, childList: true, characterData: true });
  window.last = prose.children.length - 1;
}"""
GROWING = """First *paragraph* with `code`, long enough to come in many pieces.

- one item
- another item, **bold**

| a | b |
|---|---|
| 1 | 2 |

```
plain code
more of it
```

> A quotation.

## A heading

The last paragraph, which ends here."""


def test_only_the_last_block_is_drawn_again_and_once_a_frame(reader: Reader, double: Double) -> None:
    """Blocks above the one that grows are never touched, however fast the tokens come."""
    begin = threading.Event()

    def scene(line: Line) -> None:
        line.say("Here:\n\n")
        line.hold(begin)
        pieces = re.findall(r"(?s).{1,3}", GROWING)
        for at in range(0, len(pieces), 3):
            # Several at once, as from a fast engine, for as long as a busy machine needs to draw some of it.
            line.say(*pieces[at : at + 3])
            double.closing.wait(0.03)
        line.hold(double.closing)

    double.scenes = [scene]
    reader.ask("Show me.")
    expect(reader.answers.last.locator(".prose")).to_have_text("Here:")
    reader.page.evaluate(WATCH_BLOCKS)
    begin.set()
    expect(reader.answers.last.locator(".prose > p").last).to_have_text(re.compile("which ends here\\.$"))
    drawings = reader.page.evaluate("window.drawings")
    touched = [(one["open"], at) for one in drawings for at in one["touched"]]
    frames = [one["frame"] for one in drawings]
    assert [pair for pair in touched if pair[1] < pair[0]] == []
    assert len(frames) == len(set(frames))
    # Even a machine at its limits draws some of the growth.
    assert len(drawings) > 5
