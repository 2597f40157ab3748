"""Waiting, refusals, breaks: what a person reads and can do when it does not go well."""

import threading

from playwright.sync_api import Browser, Frame, expect

from tests.browser.conftest import OpenPage
from tests.browser.double import Double, Line
from tests.browser.reader import Reader


def test_who_waits_sees_the_place_move_and_can_leave(reader: Reader, double: Double) -> None:
    """The place, the backlog and the estimate are shown; Leave hangs up."""
    closer = threading.Event()

    def scene(line: Line) -> None:
        estimate = {"low": 8.0, "likely": 11.0, "high": 14.0}
        line.progress(state="waiting", place=2, backlog=5, phase="ready", estimate=estimate)
        line.hold(closer)
        line.progress(state="waiting", place=1, backlog=4, phase="ready", estimate=None)
        line.hold(threading.Event())

    double.scenes = [scene]
    reader.ask("Soon?")
    waiting = reader.answers.last.locator(".wait")
    expect(waiting).to_contain_text("Place 2 of 5 in the queue")
    expect(waiting).to_contain_text("8 s to 14 s to go")
    closer.set()
    expect(waiting).to_contain_text("Place 1 of 4 in the queue")
    waiting.get_by_role("button", name="Leave").click()
    expect(reader.answers.last.locator(".note")).to_have_text("Stopped before the answer began.")
    double.wait_for_departures(1)


def test_a_full_queue_says_when_to_come_back_and_a_retry_works(reader: Reader, double: Double) -> None:
    """The gateway's words, a countdown, then a button that asks again."""
    double.scenes = [
        lambda line: line.refuse(429, "backlog_full", "64 chats are waiting already.", 2),
        lambda line: line.say("Here.").finish(),
    ]
    reader.ask("Now?")
    problem = reader.answers.last.get_by_role("alert")
    expect(problem).to_contain_text("64 chats are waiting already.")
    expect(problem).to_contain_text("Request req-0123")
    retry = reader.answers.last.locator(".retry")
    expect(retry).to_be_disabled()
    expect(retry).to_contain_text("Try again in")
    expect(retry).to_be_enabled()
    retry.click()
    expect(reader.wait_for_answer()).to_have_text("Here.")
    expect(reader.answers).to_have_count(1)


def test_a_broken_answer_is_kept_and_called_broken(reader: Reader, double: Double) -> None:
    """An error frame ends the answer as interrupted, with what arrived and a way on."""
    double.scenes = [
        lambda line: line.say("Half an answer").fail("engine_cut_off", "The engine broke off."),
        lambda line: line.say("A whole one.").finish(),
    ]
    reader.ask("Well?")
    answer = reader.answers.last
    expect(answer.locator(".prose")).to_have_text("Half an answer")
    expect(answer.locator(".note")).to_have_text("Interrupted: this answer is not complete.")
    expect(answer.get_by_role("alert")).to_contain_text("The engine broke off.")
    answer.locator(".retry").click()
    expect(reader.wait_for_answer()).to_have_text("A whole one.")
    expect(reader.answers.last.locator(".versions")).to_contain_text("2 of 2")


def test_a_stream_that_just_ends_is_no_complete_answer(reader: Reader, double: Double) -> None:
    """Without the final frame the answer is interrupted, even after its last word."""
    double.scenes = [lambda line: line.say("Looks whole.")]
    reader.ask("Well?")
    expect(reader.answers.last.locator(".note")).to_have_text("Interrupted: this answer is not complete.")
    expect(reader.answers.last.locator(".prose")).to_have_text("Looks whole.")


def test_a_gateway_that_goes_away_is_said(open_page: OpenPage, double: Double) -> None:
    """Neither the bar nor the answer pretends."""
    reader = open_page(double.url)
    expect(reader.page.locator(".phase")).to_have_text("Ready")
    reader.page.route("**/v1/chat/completions", lambda route: route.abort())
    reader.page.route("**/stats*", lambda route: route.abort())
    reader.ask("Anyone?")
    expect(reader.answers.last.get_by_role("alert")).to_contain_text("The gateway cannot be reached.")
    expect(reader.answers.last.locator(".retry")).to_be_enabled()


def test_phases_are_shown_as_they_come(reader: Reader, double: Double) -> None:
    """The bar and the banner follow the engine."""
    phase, banner, load = (reader.page.locator(name) for name in (".phase", ".banner", ".load"))
    expect(phase).to_have_text("Ready")
    expect(banner).to_be_hidden()
    double.tell(phase="loading", phase_seconds=12.0, num_total_runners=0)
    expect(phase).to_have_text("Loading the model")
    expect(banner).to_contain_text("The model is loading.")
    double.tell(phase="failed", reason="The model does not fit into memory.")
    expect(banner).to_contain_text("The model does not fit into memory.")
    double.tell(phase="ready", reason=None, num_total_runners=2, running=8, backlog=3)
    expect(banner).to_be_hidden()
    expect(load).to_have_text("2 engines online · 8 of 8 slots busy · 3 waiting")


def test_a_question_asked_too_early_is_sent_when_the_engine_is_ready(
    open_page: OpenPage, double: Double
) -> None:
    """Nobody has to press a button only because the model was still loading."""
    double.tell(phase="loading", num_total_runners=0)
    double.model = None
    double.scenes = [
        lambda line: line.refuse(503, "engine_down", "No engine is ready: loading.", 30),
        lambda line: line.say("Now I can.").finish(),
    ]
    reader = open_page(double.url)
    expect(reader.page.locator(".phase")).to_have_text("Loading the model")
    reader.ask("Ready?")
    expect(reader.answers.last.get_by_role("alert")).to_contain_text("sent as soon as the engine is ready")
    double.tell(phase="ready", num_total_runners=1)
    expect(reader.wait_for_answer()).to_have_text("Now I can.")


def test_without_the_push_the_stats_are_polled(open_page: OpenPage, double: Double) -> None:
    """A proxy that breaks event streams does not take the bar away."""
    double.is_stats_broken = True
    reader = open_page(double.url)
    expect(reader.page.locator(".phase")).to_have_text("Ready")
    expect(reader.page.locator(".load")).to_contain_text("1 engine online")
    double.tell(phase="loading")
    expect(reader.page.locator(".phase")).to_have_text("Loading the model")


def test_a_page_whose_scripts_never_came_says_so(browser: Browser, double: Double) -> None:
    """The page tries again by itself; a blank one would then leave a person guessing, a sentence does not."""
    context = browser.new_context()
    page = context.new_page()
    page.route("**/vendor/*", lambda route: route.abort())
    starts: list[Frame] = []
    page.on("framenavigated", lambda one: starts.append(one))
    page.goto(double.url, wait_until="commit")
    notice = page.get_by_text("The page did not start.")
    # Three tries by itself, each after a longer pause; the one that follows stays.
    while len(starts) < 4:
        page.wait_for_event("framenavigated")
    page.wait_for_load_state("load")
    expect(notice).to_be_hidden()
    page.evaluate("document.getAnimations().forEach((animation) => animation.finish())")
    expect(notice).to_be_visible()
    context.close()


def test_a_page_that_lost_a_module_starts_by_itself(open_page: OpenPage, double: Double) -> None:
    """A browser drops its requests when the machine's network changes; the page loads itself again."""
    reader = open_page(double.url)
    lost = iter([True])
    reader.page.route(
        "**/js/thread.js", lambda route: route.abort() if next(lost, False) else route.continue_()
    )
    reader.page.reload()
    expect(reader.draft).to_be_visible()
    assert reader.page.evaluate("sessionStorage.getItem('paddock.starts')") is None


def test_a_download_is_shown_with_what_is_left_of_it(reader: Reader, double: Double) -> None:
    """Looking, fetching with rate and time left, checking, then loading; a failure in the job's words."""
    banner = reader.page.locator(".banner")
    bar = reader.page.get_by_role("progressbar", name="Download")
    facts = {"bytes_done": 0, "bytes_total": 0, "bytes_per_second": 0.0, "seconds_left": None, "error": None}
    double.tell(phase="starting", num_total_runners=0, download={**facts, "phase": "checking"})
    expect(banner).to_contain_text("Looking what there is to download.")
    expect(bar).to_be_hidden()
    half = {"bytes_done": 8_000_000_000, "bytes_total": 16_000_000_000, "bytes_per_second": 9e7}
    double.tell(download={**facts, **half, "phase": "downloading", "seconds_left": 89.0})
    expect(banner).to_contain_text("8.0 GB of 16.0 GB downloaded · 90 MB/s · about 1 min 29 s to go")
    expect(bar).to_be_visible()
    assert bar.evaluate("(one) => one.value / one.max") == 0.5
    double.tell(download={**facts, **half, "phase": "verifying"})
    expect(banner).to_contain_text("The download is being checked.")
    double.tell(download={**facts, **half, "phase": "stopped"})
    expect(banner).to_contain_text("The download has stopped.")
    problem = {"code": "licence_not_accepted", "message": "Accept the licence of the model first."}
    double.tell(download={**facts, **half, "phase": "failed", "error": problem})
    expect(banner).to_contain_text("could not be downloaded. Accept the licence of the model first.")
    done = {**facts, **half, "phase": "complete"}
    double.tell(phase="loading", phase_seconds=4.0, ready_seconds=41.0, download=done)
    expect(banner).to_contain_text("The model is loading. You can write meanwhile. ready in about 41 s")
    expect(bar).to_be_hidden()
    double.tell(phase="ready", ready_seconds=None, num_total_runners=1)
    expect(banner).to_be_hidden()


def test_a_sleeping_engine_is_woken_by_a_question(reader: Reader, double: Double) -> None:
    """Asleep, starting, loading, answering: the question's own line says what it waits for."""
    woken, loaded = threading.Event(), threading.Event()

    def scene(line: Line) -> None:
        line.progress(state="waiting", place=1, backlog=1, phase="starting", ready_seconds=50.0)
        line.hold(woken)
        line.progress(state="waiting", place=1, backlog=1, phase="loading", ready_seconds=20.0)
        line.hold(loaded)
        line.say("Awake.").finish()

    double.scenes = [scene]
    double.tell(phase="stopped", num_total_runners=0)
    expect(reader.page.locator(".phase")).to_have_text("Asleep")
    expect(reader.page.locator(".banner")).to_contain_text("Your question wakes it.")
    reader.ask("Are you there?")
    waiting = reader.answers.last.locator(".wait")
    double.tell(phase="starting")
    expect(waiting).to_contain_text("The engine is starting.")
    expect(waiting).to_contain_text("ready in about 50 s")
    woken.set()
    expect(waiting).to_contain_text("ready in about 20 s")
    double.tell(phase="ready", num_total_runners=1)
    loaded.set()
    expect(reader.wait_for_answer()).to_have_text("Awake.")
