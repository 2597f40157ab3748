"""Model text is text: nothing in it runs, loads or leads away."""

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from gateway.routes.page import CONTENT_SECURITY_POLICY as GATEWAY_POLICY
from tests.browser.conftest import OpenPage
from tests.browser.double import CONTENT_SECURITY_POLICY, Double
from tests.browser.reader import PATIENCE_MS, Reader

ROOT = Path(__file__).resolve().parent.parent.parent
PAYLOADS: list[str] = json.loads((ROOT / "tests/frontend/payloads.json").read_text(encoding="utf-8"))


def inspect(reader: Reader) -> dict[str, list[str]]:
    """Return every element and address within answers that should not be there."""
    found: dict[str, list[str]] = reader.page.evaluate(
        """() => {
          const all = [...document.querySelectorAll(".prose *")].filter((one) => !one.closest("math"));
          const formulas = [...document.querySelectorAll(".prose math, .prose math *")];
          const links = all.filter((one) => one.tagName === "A");
          const allowed = ("P BR HR STRONG EM DEL CODE PRE BLOCKQUOTE UL OL LI A DIV SPAN H3 H4 H5 H6 "
            + "TABLE THEAD TBODY TR TH TD BUTTON").split(" ");
          const names = [...all, ...formulas].flatMap((one) => one.getAttributeNames());
          const known = ("math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle mpadded mphantom msub "
            + "msup msubsup munder mover munderover mtable mtr mtd menclose").split(" ");
          return {
            elements: all.map((one) => one.tagName).filter((name) => !allowed.includes(name))
              .concat(formulas.map((one) => one.localName).filter((name) => !known.includes(name))),
            attributes: names.filter((name) => /^(on|x-|@|:|style$|src|xlink)/.test(name)),
            links: links.map((one) => one.href).filter((href) => !/^https?:/.test(href)),
            strangers: links.map((one) => one.rel).filter((rel) => !/noopener/.test(rel)),
          };
        }"""
    )
    return found


def test_no_payload_does_anything(reader: Reader, double: Double) -> None:
    """Each payload as an answer, streamed in pieces: no code runs, nothing is fetched or built."""
    double.scenes = [lambda line: line.say("\n\n".join(PAYLOADS)).finish()]
    reader.ask("Attack!")
    reader.wait_for_answer()
    clean: dict[str, list[str]] = {"elements": [], "attributes": [], "links": [], "strangers": []}
    assert clean == inspect(reader)

    # Streamed in pieces, several a chat turn: a turn costs more than a payload.
    for first in range(0, len(PAYLOADS), 8):
        some = PAYLOADS[first : first + 8]
        pieces = [piece for payload in some for piece in [*re.findall(r"(?s).{1,7}", payload), "\n\n"]]
        double.scenes = [lambda line, texts=pieces: line.say(*texts).finish()]  # type: ignore[misc]
        reader.button("Answer again").click()
        expect(reader.answers.last).to_have_class("message assistant is-finished")
        assert (some, clean) == (some, inspect(reader))
    assert reader.hits() == 0
    assert len(set(PAYLOADS)) >= 100


def test_no_payload_gets_out_of_code_or_a_formula(reader: Reader, double: Double) -> None:
    """Each payload as a span of code, in a fence, as its language, in every kind of formula, in a table."""
    code = ["`{0}`", "```html\n{0}\n```", "```{1}\nx\n```"]
    forms = [*code, "${1}$", "\\({1}\\)", "$$\n{0}\n$$", "| {1} |\n|---|\n| {1} |"]
    texts = [form.format(one, " ".join(one.split())) for one in PAYLOADS for form in forms]
    # A fence may stay open in one of them: each chat turn has some, so that all are read as what they are.
    double.scenes = [lambda line: line.say("Ready.").finish()]
    reader.ask("Attack!")
    reader.wait_for_answer()
    clean: dict[str, list[str]] = {"elements": [], "attributes": [], "links": [], "strangers": []}
    for first in range(0, len(texts), 70):
        some = texts[first : first + 70]
        double.scenes = [lambda line, said=some: line.say("\n\n".join(said)).finish()]  # type: ignore[misc]
        reader.button("Answer again").click()
        expect(reader.answers.last).to_have_class("message assistant is-finished")
        assert (some, clean) == (some, inspect(reader))
    assert (reader.hits(), len(texts) >= 700) == (0, True)


def test_payloads_in_questions_titles_and_names_are_text(reader: Reader) -> None:
    """What a person types or pastes runs as little as what the model says."""
    payload = '<img src=x onerror="hit()"><script>hit()</script>'
    reader.ask(payload)
    reader.wait_for_answer()
    expect(reader.questions).to_have_text([payload])
    expect(reader.page.locator(".chat-title")).to_contain_text("<img src=x")
    expect(reader.page.locator("h1")).to_contain_text("<img src=x")
    reader.page.locator(".chat").hover()
    reader.button("Delete chat").click()
    expect(reader.page.locator(".notice", has_text="Deleted")).to_contain_text("<img src=x")
    assert reader.hits() == 0


def test_payloads_in_file_names_imports_and_titles_are_text(reader: Reader) -> None:
    """Each payload as the name of a file, in an imported chat, and as a chat's title: text, all of it."""
    names = [payload.replace("/", "∕").replace("\0", "") for payload in PAYLOADS]
    reader.give("picker", *((name[:100], b"x") for name in names))
    expect(reader.page.locator(".chips .chip")).to_have_count(len(PAYLOADS), timeout=2 * PATIENCE_MS)
    reader.ask("Look.")
    reader.wait_for_answer()
    expect(reader.page.locator(".said-files .chip")).to_have_count(len(PAYLOADS))
    messages: list[dict[str, Any]] = [
        {
            "id": f"m{at}",
            "parent": f"m{at - 1}" if at else None,
            "role": "user",
            "text": text,
            "files": [{"name": text, "text": ""}],
        }
        for at, text in enumerate(PAYLOADS)
    ]
    chats: list[dict[str, Any]] = [
        {"id": f"c{at}", "title": text, "messages": messages[:1], "leaf": "m0"}
        for at, text in enumerate(PAYLOADS)
    ]
    chats.append({"id": "all", "title": "All", "messages": messages, "leaf": messages[-1]["id"]})
    reader.give("archive", ("evil.json", json.dumps({"paddock": 1, "chats": chats}).encode()))
    expect(reader.page.locator(".chat")).to_have_count(len(PAYLOADS) + 2)
    reader.page.locator(".chat-title", has_text=re.compile("^All$")).click()
    expect(reader.questions).to_have_count(len(PAYLOADS))
    built = reader.page.locator(".said *, .said-files .chip span *, .chat-title *, h1 *").count()
    # Each as the title of the open chat, in the bar, in the list and in the row that renames it.
    for at in range(0, len(PAYLOADS), 10):
        reader.page.locator(".chat-open").nth(at).click()
        built += reader.page.locator("h1 *, .chat-title *").count()
    assert (built, reader.hits()) == (0, 0)


def test_a_stored_chat_is_no_way_in(reader: Reader) -> None:
    """A record written by someone else is drawn like any answer, or not at all."""
    reader.page.evaluate(
        """() => {
          const text = "<img src=x onerror=hit()>";
          const answer = { id: "a", parent: null, role: "assistant", text, state: "finished" };
          const chat = { version: 1, id: "evil", title: "<script>hit()</script>", updated: 9e15,
            settings: { system: "" }, messages: [answer], leaf: "a" };
          localStorage.setItem("paddock.chat.evil", JSON.stringify(chat));
          localStorage.setItem("paddock.chat.odd", "[1, 2");
          localStorage.setItem("paddock.open", "evil");
        }"""
    )
    reader.page.reload()
    expect(reader.answers.last.locator(".prose")).to_have_text("<img src=x onerror=hit()>")
    assert reader.hits() == 0


def test_the_page_works_under_trusted_types(open_page: OpenPage, double: Double) -> None:
    """Not even the framework turns strings into markup: only the sanitizer's own policy exists."""
    double.policy = f"{CONTENT_SECURITY_POLICY}; require-trusted-types-for 'script'; trusted-types dompurify"
    double.scenes = [lambda line: line.say("**Bold** and `code`\n\n```\nx\n```").finish()]
    reader = open_page(double.url)
    reader.ask("Hello")
    expect(reader.wait_for_answer().locator("strong")).to_have_text("Bold")


def test_everyone_who_serves_the_page_sends_one_policy() -> None:
    """Gateway, web server and this tier's double agree to the letter."""
    nginx = (ROOT / "frontend/nginx/security-headers.conf").read_text(encoding="utf-8")
    served = re.search(r'Content-Security-Policy\s+"([^"]+)"', nginx)
    assert served is not None
    assert (served[1], CONTENT_SECURITY_POLICY) == (GATEWAY_POLICY, GATEWAY_POLICY)
