"""Chats stay in the browser: over reloads, in lists, between tabs."""

import threading

from playwright.sync_api import expect

from tests.browser.double import Double
from tests.browser.reader import PATIENCE_MS, Reader


def test_a_reload_keeps_chats_and_the_draft(reader: Reader) -> None:
    """What was said and what was half typed are there again."""
    reader.ask("Hello")
    reader.wait_for_answer()
    reader.draft.fill("half a thought")
    reader.page.reload()
    expect(reader.questions).to_have_text(["Hello"])
    expect(reader.answers.last.locator(".prose")).to_have_text("Good day.")
    expect(reader.draft).to_have_value("half a thought")


def test_a_reload_during_an_answer_keeps_what_came(reader: Reader, double: Double) -> None:
    """The text is kept and marked, and the gateway is told by the closed connection."""
    double.scenes = [lambda line: line.say("Half an").hold(threading.Event())]
    reader.ask("Well?")
    expect(reader.answers.last.locator(".prose")).to_have_text("Half an")
    reader.page.reload()
    expect(reader.answers.last.locator(".prose")).to_have_text("Half an")
    expect(reader.answers.last.locator(".note")).to_have_text("Interrupted: this answer is not complete.")
    expect(reader.answers.last.locator(".retry")).to_be_enabled()
    double.wait_for_departures(1)


def test_chats_are_listed_renamed_deleted_and_taken_back(reader: Reader) -> None:
    """Every chat can be found, named and thrown away, and a deletion undone."""
    titles = reader.page.locator(".chat-title")
    reader.ask("First question")
    reader.wait_for_answer()
    reader.button("New chat").click()
    reader.ask("Second question")
    reader.wait_for_answer()
    expect(titles).to_have_text(["Second question", "First question"])

    row = reader.page.locator(".chat", has_text="First question")
    row.hover()
    row.get_by_role("button", name="Rename chat").click()
    name = reader.page.get_by_label("New name of the chat").and_(reader.page.locator(":visible"))
    expect(name).to_be_focused()
    name.fill("Mine")
    name.press("Enter")
    expect(titles).to_have_text(["Second question", "Mine"])

    row = reader.page.locator(".chat", has_text="Second question")
    row.hover()
    row.get_by_role("button", name="Delete chat").click()
    expect(titles).to_have_text(["Mine"])
    expect(reader.page.locator(".welcome")).to_be_visible()
    reader.button("Undo").click()
    expect(titles).to_have_text(["Second question", "Mine"])
    expect(reader.questions).to_have_text(["Second question"])
    reader.page.reload()
    expect(titles).to_have_text(["Second question", "Mine"])


def test_a_second_tab_sees_what_the_first_one_asks(reader: Reader, double: Double) -> None:
    """Tabs of one browser show the same chats."""
    reader.ask("Hello")
    reader.wait_for_answer()
    other = Reader(reader.page.context.new_page(), double.url).open()
    expect(other.questions).to_have_text(["Hello"])
    reader.ask("From the first tab")
    reader.wait_for_answer()
    expect(other.questions).to_have_text(["Hello", "From the first tab"], timeout=PATIENCE_MS)
    assert other.complaints == []


def test_a_deletion_can_be_taken_back_after_a_reload(reader: Reader) -> None:
    """The chance is not lost with the page; taken, the chat is there for good."""
    reader.ask("Hello")
    reader.wait_for_answer()
    reader.page.locator(".chat").hover()
    reader.button("Delete chat").click()
    expect(reader.button("Undo")).to_be_visible()
    reader.page.reload()
    reader.button("Undo").click()
    expect(reader.questions).to_have_text(["Hello"])
    reader.page.reload()
    expect(reader.questions).to_have_text(["Hello"])
    expect(reader.button("Undo")).to_be_hidden()


def test_two_tabs_may_answer_in_one_chat_at_once(reader: Reader, double: Double) -> None:
    """Neither undoes what the other wrote: both questions and both whole answers are kept."""
    double.keeps_streams = True
    go_on = threading.Event()
    double.scenes = [
        lambda line: line.say("Good day.").finish(),
        lambda line: line.say("One ").hold(go_on).say("one.").finish(),
        lambda line: line.say("Two ").hold(go_on).say("two.").finish(),
    ]
    reader.ask("Hello")
    reader.wait_for_answer()
    other = Reader(reader.page.context.new_page(), double.url).open()
    expect(other.answers).to_have_count(1)
    # Order: before either tab can hear of the other's question.
    offline = "() => { BroadcastChannel.prototype.postMessage = () => {}; }"
    for tab in (reader, other):
        tab.page.evaluate(offline)
    reader.ask("First?")
    expect(reader.answers.last.locator(".prose")).to_have_text("One")
    other.ask("Second?")
    expect(other.answers.last.locator(".prose")).to_have_text("Two")
    go_on.set()
    expect(reader.wait_for_answer()).to_have_text("One one.")
    expect(other.wait_for_answer()).to_have_text("Two two.")
    reader.page.close()
    other.page.reload()
    other.page.locator(".message.user").last.hover()
    expect(other.page.locator(".versions:visible")).to_contain_text("of 2")
    shown = other.answers.last.locator(".prose")
    before, after = other.questions.last.inner_text(), {"First?": "Second?", "Second?": "First?"}
    answers = {"First?": "One one.", "Second?": "Two two."}
    expect(shown).to_have_text(answers[before])
    # Which of the two is the later one depends on which tab wrote first.
    is_last = "2 of 2" in other.page.locator(".versions:visible").inner_text()
    other.button("Previous version" if is_last else "Next version").click()
    expect(other.questions.last).to_have_text(after[before])
    expect(shown).to_have_text(answers[after[before]])
    assert other.complaints == []
