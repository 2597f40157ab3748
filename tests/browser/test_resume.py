"""An answer outlives its page, its connection and its tab; what cannot is called what it is."""

import threading

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.double import Double, Line
from tests.browser.reader import PATIENCE_MS, Reader


@pytest.fixture
def keeping(double: Double) -> Double:
    """A gateway whose streams can be followed again."""
    double.keeps_streams = True
    return double


def test_a_reload_takes_the_answer_up_where_it_was(reader: Reader, keeping: Double) -> None:
    """Nothing is lost and nothing is doubled; the answer ends as if nobody had left."""
    go_on = threading.Event()
    keeping.scenes = [lambda line: line.say("One ", "two ").hold(go_on).say("three.").finish()]
    reader.ask("Count.")
    expect(reader.answers.last.locator(".prose")).to_have_text("One two")
    reader.page.reload()
    expect(reader.stop).to_be_visible()
    expect(reader.answers.last.locator(".prose")).to_have_text("One two")
    go_on.set()
    expect(reader.wait_for_answer()).to_have_text("One two three.")
    expect(reader.answers.last.locator(".facts")).to_contain_text("12 tokens")
    assert (len(keeping.asked), keeping.followed) == (1, ["/v1/streams/stream-1?after=2"])


def test_a_broken_connection_is_taken_up_again(reader: Reader, keeping: Double) -> None:
    """The network fails in the middle of an answer, twice; the answer is whole."""
    first, second = threading.Event(), threading.Event()
    keeping.scenes = [
        lambda line: line.say("One ").hold(first).say("two ").hold(second).say("three.").finish()
    ]
    reader.ask("Count.")
    expect(reader.answers.last.locator(".prose")).to_have_text("One")
    keeping.cut_lines()
    first.set()
    expect(reader.answers.last.locator(".prose")).to_have_text("One two")
    keeping.cut_lines()
    second.set()
    expect(reader.wait_for_answer()).to_have_text("One two three.")
    assert len(keeping.asked) == 1


def test_while_the_line_is_down_the_page_says_so(reader: Reader, keeping: Double) -> None:
    """Offline is neither an end nor an error; back online the answer goes on by itself."""
    go_on = threading.Event()
    keeping.scenes = [lambda line: line.say("One ").hold(go_on).say("two.").finish()]
    reader.ask("Count.")
    expect(reader.answers.last.locator(".prose")).to_have_text("One")
    reader.page.context.set_offline(True)
    keeping.cut_lines()
    expect(reader.answers.last.locator(".note")).to_contain_text("Connection lost.")
    go_on.set()
    reader.page.context.set_offline(False)
    expect(reader.wait_for_answer()).to_have_text("One two.")
    expect(reader.answers.last.locator(".note")).to_be_hidden()


def test_after_a_restart_of_the_gateway_the_answer_is_interrupted_and_can_go_on(
    reader: Reader, keeping: Double
) -> None:
    """The stream is gone: the text stays, is never called complete, and Continue adds to it."""
    keeping.scenes = [
        lambda line: line.say("Half an ").hold(keeping.closing),
        lambda line: line.say("answer.").finish(),
    ]
    reader.ask("Well?")
    expect(reader.answers.last.locator(".prose")).to_have_text("Half an")
    keeping.forget_streams()
    expect(reader.answers.last.locator(".note")).to_have_text("Interrupted: this answer is not complete.")
    reader.page.reload()
    expect(reader.answers.last.locator(".note")).to_have_text("Interrupted: this answer is not complete.")
    reader.button("Continue").click()
    expect(reader.wait_for_answer()).to_have_text("Half an answer.")
    assert keeping.asked[1]["messages"][-1] == {"role": "assistant", "content": "Half an "}
    expect(reader.answers).to_have_count(1)


def test_stop_frees_the_slot_and_says_so(reader: Reader, keeping: Double) -> None:
    """The gateway is told to stop the stream, and only its word makes the page say that the slot is free."""
    keeping.scenes = [lambda line: line.say("Half").hold(threading.Event())]
    reader.ask("Well?")
    expect(reader.answers.last.locator(".prose")).to_have_text("Half")
    reader.stop.click()
    expect(reader.answers.last.locator(".note")).to_have_text("Stopped. The slot is free.")
    keeping.wait_for_departures(1)
    assert keeping.logs["stream-1"].is_stopped


def test_another_tab_shows_the_answer_and_takes_it_over(
    reader: Reader, keeping: Double
) -> None:
    """Two tabs, one writer: the second follows what is written, and goes on when the first is closed."""
    go_on = threading.Event()
    keeping.scenes = [lambda line: line.say("One ", "two ").hold(go_on).say("three.").finish()]
    reader.ask("Count.")
    expect(reader.answers.last.locator(".prose")).to_have_text("One two")
    other = Reader(reader.page.context.new_page(), keeping.url).open()
    expect(other.answers.last.locator(".prose")).to_have_text("One two", timeout=PATIENCE_MS)
    expect(other.stop).to_be_visible()
    assert keeping.followed == []
    reader.page.close()
    go_on.set()
    expect(other.wait_for_answer()).to_have_text("One two three.")
    assert (len(keeping.asked), other.complaints) == (1, [])


def test_a_key_is_asked_for_once_and_never_in_an_address(open_page: OpenPage, double: Double) -> None:
    """A wrong key is said to be wrong, the right one sends the held question, and a reload keeps it."""
    double.key = "pk-right"
    addresses: list[str] = []
    reader = open_page(double.url)
    reader.page.on("request", lambda request: addresses.append(request.url))
    dialog = reader.page.get_by_role("dialog")
    expect(dialog).to_contain_text("wants an API key")
    dialog.get_by_role("button", name="Not now").click()
    reader.ask("Hello")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Key", exact=True).fill("pk-wrong")
    dialog.get_by_role("button", name="Use this key").click()
    expect(dialog).to_contain_text("not known here")
    dialog.get_by_label("Key", exact=True).fill("pk-right")
    dialog.get_by_role("button", name="Use this key").click()
    expect(reader.wait_for_answer()).to_have_text("Good day.")
    reader.page.reload()
    reader.ask("Again")
    expect(reader.answers).to_have_count(2)
    reader.wait_for_answer()
    expect(dialog).to_be_hidden()
    places = "[localStorage['paddock.key'], sessionStorage['paddock.key']]"
    assert reader.page.evaluate(places) == [None, "pk-right"]
    assert [address for address in addresses if "pk-" in address] == []


def test_a_key_can_stay_on_the_device(open_page: OpenPage, double: Double) -> None:
    """Chosen so, the key is there in a new tab; it can be forgotten."""
    double.key = "pk-right"
    reader = open_page(double.url)
    dialog = reader.page.get_by_role("dialog")
    dialog.get_by_label("Key", exact=True).fill("pk-right")
    dialog.get_by_label("Keep it on this device").check()
    dialog.get_by_role("button", name="Use this key").click()
    other = Reader(reader.page.context.new_page(), double.url).open()
    other.ask("Hello")
    expect(other.wait_for_answer()).to_have_text("Good day.")
    other.button("Files, language and keys").click()
    other.button("Forget it").click()
    assert other.page.evaluate("localStorage['paddock.key'] ?? null") is None


def test_every_request_names_this_browser(reader: Reader, double: Double) -> None:
    """The queue is fair between browsers: each has one random name, over reloads too."""

    def names() -> set[str]:
        return {headers["Paddock-Session"] for headers in double.seen}

    reader.ask("Hello")
    reader.wait_for_answer()
    reader.page.reload()
    reader.button("Answer again").click()
    expect(reader.answers.last.locator(".versions")).to_contain_text("2 of 2")
    reader.wait_for_answer()
    assert (len(double.seen), len(names())) == (2, 1)
    assert 8 <= len(names().pop()) <= 64


def test_an_answer_cut_by_its_limit_can_go_on(reader: Reader, double: Double) -> None:
    """Continue takes it up behind its last word."""

    def short(line: Line) -> None:
        line.say("One two")
        line.finish("length")

    double.scenes = [short, lambda line: line.say(" three.").finish()]
    reader.ask("Count.")
    reader.wait_for_answer()
    reader.button("Continue").click()
    expect(reader.answers.last.locator(".prose")).to_have_text("One two three.")


def test_a_page_that_was_frozen_goes_on(reader: Reader, keeping: Double) -> None:
    """Nothing of the page runs, the line dies meanwhile, words are said: none is missing afterwards."""
    first, second = threading.Event(), threading.Event()
    keeping.scenes = [
        lambda line: line.say("One ").hold(first).say("two ").hold(second).say("three.").finish()
    ]
    reader.ask("Count.")
    expect(reader.answers.last.locator(".prose")).to_have_text("One")
    line = reader.page.context.new_cdp_session(reader.page)
    line.send("Page.setWebLifecycleState", {"state": "frozen"})
    keeping.cut_lines()
    first.set()
    second.set()
    line.send("Page.setWebLifecycleState", {"state": "active"})
    expect(reader.wait_for_answer()).to_have_text("One two three.")
    assert len(keeping.asked) == 1


def test_a_machine_that_slept_does_not_wait_for_a_dead_line(open_page: OpenPage, keeping: Double) -> None:
    """The clock has jumped an hour and the line is silent: the page asks again instead of waiting on."""
    go_on = threading.Event()
    keeping.scenes = [lambda line: line.say("One ").hold(go_on).say("two.").finish()]
    reader = open_page(keeping.url)
    reader.ask("Count.")
    expect(reader.answers.last.locator(".prose")).to_have_text("One")
    assert keeping.followed == []
    # The machine's clock moves on in a sleep; timers do not.
    with reader.page.expect_request("**/v1/streams/stream-1?after=1"):
        reader.page.evaluate("() => { const real = Date.now; Date.now = () => real() + 3_600_000; }")
    go_on.set()
    expect(reader.wait_for_answer()).to_have_text("One two.")
    assert len(keeping.followed) == 1
