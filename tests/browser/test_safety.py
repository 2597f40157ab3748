"""Model text is text: nothing in it runs, loads or leads away."""

import json
import re
from pathlib import Path

from playwright.sync_api import expect

from gateway.routes.page import CONTENT_SECURITY_POLICY as GATEWAY_POLICY
from tests.browser.conftest import OpenPage
from tests.browser.double import CONTENT_SECURITY_POLICY, Double
from tests.browser.reader import Reader

ROOT = Path(__file__).resolve().parent.parent.parent
PAYLOADS: list[str] = json.loads((ROOT / "tests/frontend/payloads.json").read_text(encoding="utf-8"))


def inspect(reader: Reader) -> dict[str, list[str]]:
    """Return every element and address within answers that should not be there."""
    found: dict[str, list[str]] = reader.page.evaluate(
        """() => {
          const all = [...document.querySelectorAll(".prose *")];
          const links = all.filter((one) => one.tagName === "A");
          const allowed = ("P BR HR STRONG EM DEL CODE PRE BLOCKQUOTE UL OL LI A DIV SPAN H3 H4 H5 H6 "
            + "TABLE THEAD TBODY TR TH TD BUTTON").split(" ");
          const names = all.flatMap((one) => one.getAttributeNames());
          return {
            elements: all.map((one) => one.tagName).filter((name) => !allowed.includes(name)),
            attributes: names.filter((name) => /^(on|x-|@|:|style$|src)/.test(name)),
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

    for payload in PAYLOADS:
        double.scenes = [
            lambda line, text=payload: line.say(*re.findall(r"(?s).{1,7}", text)).finish()  # type: ignore[misc]
        ]
        reader.button("Answer again").click()
        expect(reader.answers.last).to_have_class("message assistant is-finished")
        assert (payload, clean) == (payload, inspect(reader))
    assert reader.hits() == 0


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
