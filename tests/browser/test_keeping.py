"""Nothing is lost: not by a reload, not by a browser that is killed, not by a storage that is full."""

import json
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.chromium import Chromium
from tests.browser.conftest import OpenPage
from tests.browser.double import Double
from tests.browser.reader import PATIENCE_MS, Reader

Start = Callable[[], Chromium]

# The database has the words that came, and the draft beside them.
WRITTEN = """async ([text, draft]) => {
  const db = await new Promise((resolve) => {
    indexedDB.open("paddock").onsuccess = ({ target }) => resolve(target.result);
  });
  const all = (store) => new Promise((resolve) => {
    db.transaction(store).objectStore(store).getAll().onsuccess = ({ target }) => resolve(target.result);
  });
  const [chats, notes] = [await all("chats"), await all("notes")];
  db.close();
  const isSaid = chats.some((chat) => chat.messages.at(-1).text === text);
  return isSaid && notes.some((note) => note.text === draft);
}"""


def begin(start: Start, double: Double) -> tuple[Chromium, Reader]:
    """Open the page in a browser of its own, which may be killed."""
    chromium = start()
    return chromium, Reader(chromium.page(), double.url).open()


def wait_until_written(reader: Reader, text: str, draft: str) -> None:
    """Wait until an answer's words and a draft are on the disk."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not reader.page.evaluate(WRITTEN, [text, draft]):
        assert time.monotonic() < deadline


def test_a_killed_browser_loses_nothing_and_the_answer_goes_on(
    start_chromium: Start, double: Double
) -> None:
    """SIGKILL in the middle of an answer: chat, draft and file are there, and the answer takes itself up."""
    go_on = threading.Event()
    double.keeps_streams = True
    double.scenes = [
        lambda line: line.say("Good day.").finish(),
        lambda line: line.say("One ", "two ").hold(go_on).say("three.").finish(),
    ]
    chromium, reader = begin(start_chromium, double)
    reader.ask("Hello")
    reader.wait_for_answer()
    reader.ask("Count.")
    expect(reader.answers.last.locator(".prose")).to_have_text("One two")
    reader.draft.fill("half a thought")
    reader.give("picker", ("notes.txt", b"one two"))
    expect(reader.page.locator(".chips .chip")).to_contain_text("notes.txt")
    wait_until_written(reader, "One two ", "half a thought")
    chromium.kill()

    _, again = begin(start_chromium, double)
    expect(again.questions).to_have_text(["Hello", "Count."])
    expect(again.stop).to_be_visible()
    expect(again.draft).to_have_value("half a thought")
    expect(again.page.locator(".chips .chip")).to_have_text(["notes.txt6 tokens"])
    go_on.set()
    expect(again.wait_for_answer()).to_have_text("One two three.")
    assert (len(double.asked), again.complaints) == (2, [])


def test_a_killed_browser_s_answer_whose_stream_is_gone_is_interrupted(
    start_chromium: Start, double: Double
) -> None:
    """The gateway was away, too: what came is kept, is not called complete, and Continue adds to it."""
    double.keeps_streams = True
    double.scenes = [
        lambda line: line.say("Half an ").hold(double.closing),
        lambda line: line.say("answer.").finish(),
    ]
    chromium, reader = begin(start_chromium, double)
    reader.ask("Well?")
    expect(reader.answers.last.locator(".prose")).to_have_text("Half an")
    reader.draft.fill("next")
    wait_until_written(reader, "Half an ", "next")
    chromium.kill()
    double.forget_streams()

    _, again = begin(start_chromium, double)
    expect(again.answers.last.locator(".prose")).to_have_text("Half an")
    expect(again.answers.last.locator(".note")).to_have_text("Interrupted: this answer is not complete.")
    again.button("Continue").click()
    expect(again.wait_for_answer()).to_have_text("Half an answer.")
    assert again.complaints == []


def test_files_that_were_not_sent_survive_a_reload(reader: Reader, double: Double) -> None:
    """They lie beside the draft again, counted; each chat has its own."""
    chips = reader.page.locator(".chips .chip")
    reader.ask("Hello")
    reader.wait_for_answer()
    reader.draft.fill("Read it.")
    reader.give("picker", ("fox.txt", b"the fox and the grapes"))
    # File, its name, two fences and five words; begin-of-text and a header for each of three messages.
    expect(chips).to_have_text(["fox.txt9 tokens"])
    expect(reader.page.locator(".total")).to_have_text(
        "In all, as it would be sent: 18 tokens of 2,048."
    )
    reader.page.reload()
    expect(chips).to_have_text(["fox.txt9 tokens"])
    expect(reader.draft).to_have_value("Read it.")
    expect(reader.page.locator(".total")).to_contain_text("18 tokens")
    reader.button("New chat").click()
    expect(chips).to_have_count(0)
    reader.page.locator(".chat-title", has_text="Hello").click()
    expect(chips).to_have_count(1)
    reader.draft.press("Enter")
    expect(reader.answers).to_have_count(2)
    reader.wait_for_answer()
    expect(reader.questions.last).to_have_text("Read it.")
    reader.page.reload()
    expect(reader.questions.last).to_have_text("Read it.")
    expect(chips).to_have_count(0)
    assert "the fox and the grapes" in double.asked[-1]["messages"][-1]["content"]


def test_a_reload_in_the_middle_of_typing_loses_no_letter(reader: Reader) -> None:
    """The page goes away before the database has answered; the next one knows the last letter."""
    reader.draft.fill("half a though")
    reader.page.evaluate(
        """() => {
          const box = document.querySelector("#draft");
          box.value = "half a thought";
          box.dispatchEvent(new Event("input", { bubbles: true }));
          location.reload();
        }"""
    )
    reader.page.wait_for_event("load")
    expect(reader.draft).to_have_value("half a thought")


def test_a_full_storage_is_said_and_the_text_stays(open_page: OpenPage, double: Double) -> None:
    """The browser's own limit: a plain sentence, every word still usable, all of it saved to a file."""
    # The database compresses what it can.
    draw = random.Random(7)
    long = "\n\n".join(" ".join(f"{draw.getrandbits(48):x}" for _ in range(100)) for _ in range(300))
    double.scenes = [
        lambda line: line.say("Small.").finish(),
        lambda line: line.say(long).finish(),
        lambda line: line.say("Still here.").finish(),
    ]
    reader = open_page(double.url)
    notice = reader.page.locator(".notice.bad")
    # Order: before the first write, because the browser remembers for a while how much room there is.
    line = reader.page.context.new_cdp_session(reader.page)
    origin = {"origin": double.url.rstrip("/")}
    line.send("Storage.overrideQuotaForOrigin", {**origin, "quotaSize": 300_000})
    reader.ask("First")
    reader.wait_for_answer()
    reader.button("New chat").click()
    reader.ask("Second")
    reader.wait_for_answer()
    expect(notice).to_contain_text("storage is full: what is new is lost when the page is closed.")
    expect(reader.draft).to_be_enabled()

    # Away and back: the page has what the storage has not.
    reader.page.locator(".chat-title", has_text="First").click()
    expect(reader.answers.last.locator(".prose")).to_have_text("Small.")
    reader.page.locator(".chat-title", has_text="Second").click()
    expect(reader.answers.last.locator(".prose")).to_contain_text(long[-60:])
    reader.ask("Third")
    expect(reader.answers).to_have_count(2)
    expect(reader.wait_for_answer()).to_have_text("Still here.")
    with reader.page.expect_download() as download:
        notice.get_by_role("button", name="Save all chats as a file").click()
    kept = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    texts = {chat["title"]: [one["text"] for one in chat["messages"]] for chat in kept["chats"]}
    assert texts == {"First": ["First", "Small."], "Second": ["Second", long, "Third", "Still here."]}

    # Room again: the next thing written takes the rest along.
    line.send("Storage.overrideQuotaForOrigin", origin)
    reader.page.locator(".chat", has_text="First").hover()
    reader.page.locator(".chat", has_text="First").get_by_role("button", name="Delete chat").click()
    expect(notice).to_be_hidden()
    reader.page.reload()
    expect(reader.questions).to_have_text(["Second", "Third"])
