"""Around the chat: search, pins, files in and out, attachments, formulas, colours, languages, keys."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.double import Double
from tests.browser.reader import Reader

RICH = """Euler: $e^{i\\pi} + 1 = 0$, and

$$\\int_0^1 x^2 \\,dx = \\frac{1}{3}$$

```python
def f(x):
    return "a"  # why
```

It costs $5 and $6. \\(\\href{javascript:hit()}{x}\\) \\(\\frac{\\) open

```js
let unclosed = 1"""


def test_chats_are_found_and_pinned(reader: Reader, double: Double) -> None:
    """A search reads titles and messages; a pinned chat stays on top, over reloads too."""
    titles = reader.page.locator(".chat-title")
    double.scenes = [
        lambda line: line.say("Grapes are sour.").finish(),
        lambda line: line.say("Good day.").finish(),
    ]
    reader.ask("First question")
    reader.wait_for_answer()
    reader.button("New chat").click()
    reader.ask("Second question")
    reader.wait_for_answer()
    row = reader.page.locator(".chat", has_text="First question")
    row.hover()
    row.get_by_role("button", name="Pin chat").click()
    expect(titles).to_have_text(["First question", "Second question"])
    reader.page.reload()
    expect(titles).to_have_text(["First question", "Second question"])

    reader.page.keyboard.press("Control+k")
    box = reader.page.get_by_label("Search chats")
    expect(box).to_be_focused()
    box.fill("GRAPES")
    expect(titles).to_have_text(["First question"])
    expect(reader.page.locator(".chat-hit:visible")).to_have_text(["Grapes are sour."])
    expect(reader.page.locator(".chat-hit:visible mark")).to_have_text(["Grapes"])
    box.fill("nowhere")
    expect(reader.page.get_by_text("No chat has all these words.")).to_be_visible()
    box.press("Escape")
    expect(titles).to_have_count(2)


def test_chats_leave_as_files_and_come_back(reader: Reader, tmp_path: Path) -> None:
    """What one browser exports another imports, once; OpenAI's messages come in too."""
    reader.ask("Hello")
    reader.wait_for_answer()
    reader.button("Files, language and keys").click()
    with reader.page.expect_download() as markdown:
        reader.button("This chat as Markdown").click()
    assert "## paddock-demo\n\nGood day." in Path(markdown.value.path()).read_text(encoding="utf-8")
    with reader.page.expect_download() as download:
        reader.button("All chats as JSON").click()
    kept = tmp_path / download.value.suggested_filename
    download.value.save_as(kept)
    picker = reader.page.locator(".archive")
    picker.set_input_files(kept)
    expect(reader.page.get_by_text("0 chats imported. 1 already here.")).to_be_visible()

    foreign = [{"role": "user", "content": "From elsewhere?"}, {"role": "assistant", "content": "Yes."}]
    other = tmp_path / "messages.json"
    other.write_text(json.dumps(foreign), encoding="utf-8")
    picker.set_input_files(other)
    expect(reader.page.get_by_text("1 chat imported.")).to_be_visible()
    reader.page.keyboard.press("Escape")
    expect(reader.questions).to_have_text(["From elsewhere?"])
    reader.page.evaluate("indexedDB.deleteDatabase('paddock')")
    reader.page.reload()
    reader.button("Files, language and keys").click()
    picker.set_input_files(kept)
    expect(reader.page.get_by_text("1 chat imported.")).to_be_visible()
    expect(reader.questions).to_have_text(["Hello"])


def test_a_chat_of_an_earlier_page_moves_into_the_database(reader: Reader) -> None:
    """What was in local storage is listed, readable, and kept in one place only."""
    reader.page.evaluate(
        """() => {
          const answer = { id: "a", parent: null, role: "assistant", text: "Kept.", state: "finished" };
          const chat = { version: 1, id: "old", title: "From before", updated: 9e12,
            settings: { system: "", temperature: null, top_p: null, max_tokens: null },
            messages: [answer], leaf: "a" };
          localStorage.setItem("paddock.chat.old", JSON.stringify(chat));
          localStorage.setItem("paddock.open", "old");
        }"""
    )
    for _ in range(2):
        reader.page.reload()
        expect(reader.answers.last.locator(".prose")).to_have_text("Kept.")
        expect(reader.page.locator(".chat-title")).to_have_text(["From before"])
    assert reader.page.evaluate("localStorage.getItem('paddock.chat.old')") is None


def test_files_are_counted_before_they_are_sent(reader: Reader, double: Double) -> None:
    """Picked, pasted and dropped; the engine's own count; over the context they are refused with numbers."""
    chips = reader.page.locator(".chips .chip")
    reader.give("picker", ("fox.py", b"print('fox')\n"))
    # File, the name, two fences and the line: five words, by the double's rule a token each.
    expect(chips).to_contain_text(["fox.py5 tokens"])
    give = """(kind) => {
      const data = new DataTransfer();
      data.items.add(new File(["one two"], `${kind}.txt`, { type: "text/plain" }));
      const init = { bubbles: true, cancelable: true };
      const event = kind === "paste" ? new ClipboardEvent("paste", { ...init, clipboardData: data })
        : new DragEvent("drop", { ...init, dataTransfer: data });
      document.querySelector("#draft").dispatchEvent(event);
    }"""
    reader.page.evaluate(give, "paste")
    reader.page.evaluate(give, "drop")
    expect(chips).to_contain_text(["fox.py", "paste.txt6 tokens", "drop.txt6 tokens"])
    reader.button("Remove drop.txt").click()
    reader.give("picker", ("long.txt", b"word " * 3000))
    expect(reader.page.locator(".refusal")).to_have_text(
        "long.txt has 3,004 tokens, the chat already 13; the context holds 2,048."
    )
    reader.ask("What do they do?")
    reader.wait_for_answer()
    content = double.asked[0]["messages"][0]["content"]
    assert content.startswith("What do they do?\n\nFile fox.py:\n```\nprint('fox')\n```\n\nFile paste.txt:")
    sent = reader.page.locator(".said-files .chip")
    expect(sent).to_have_text(["fox.py · 5 tokens", "paste.txt · 6 tokens"])
    expect(chips).to_have_count(0)


def test_a_question_waits_for_its_files_to_be_counted(reader: Reader, double: Double) -> None:
    """Enter sends it as soon as the count is there, and says so; Escape takes it back."""
    double.counting.clear()
    note = reader.page.get_by_text("Sent as soon as the files are counted.")
    reader.give("picker", ("fox.txt", b"one two"))
    expect(reader.page.locator(".chip")).to_contain_text("counting…")
    reader.ask("What does it say?")
    expect(note).to_be_visible()
    expect(reader.draft).not_to_be_editable()
    reader.draft.press("Escape")
    expect(note).to_be_hidden()
    expect(reader.draft).to_have_value("What does it say?")
    reader.draft.press("Enter")
    expect(note).to_be_visible()
    assert double.asked == []
    double.counting.set()
    reader.wait_for_answer()
    assert double.asked[0]["messages"][0]["content"].startswith("What does it say?\n\nFile fox.txt:")
    expect(reader.questions).to_have_text(["What does it say?"])
    expect(note).to_be_hidden()


def test_a_question_whose_file_proves_too_large_stays(reader: Reader, double: Double) -> None:
    """The refusal comes in its place, with the numbers, and the words stay in the box."""
    double.counting.clear()
    reader.give("picker", ("long.txt", b"word " * 3000))
    expect(reader.page.locator(".chip")).to_contain_text("counting…")
    reader.ask("What does it say?")
    reader.button("Do not send yet").click()
    expect(reader.draft).to_be_editable()
    reader.draft.press("Enter")
    expect(reader.draft).not_to_be_editable()
    double.counting.set()
    expect(reader.page.locator(".refusal")).to_contain_text("long.txt has 3,004 tokens")
    expect(reader.draft).to_have_value("What does it say?")
    expect(reader.draft).to_be_editable()
    assert double.asked == []


def test_chats_stand_under_the_day_they_were_last_written(reader: Reader, tmp_path: Path) -> None:
    """Headings in the list where more than one day is in it, none while one searches."""
    said = [{"id": "q", "parent": None, "role": "user", "text": "From long ago"}]
    old = {"id": "old", "updated": 1_600_000_000_000, "messages": said, "leaf": "q"}
    kept = tmp_path / "old.json"
    kept.write_text(json.dumps({"paddock": 1, "chats": [old]}), encoding="utf-8")
    headings = reader.page.locator(".chat-day:visible")
    reader.ask("Hello")
    reader.wait_for_answer()
    expect(headings).to_have_count(0)
    reader.page.locator(".archive").set_input_files(kept)
    expect(headings).to_have_text(["Today", "September 2020"])
    reader.page.get_by_label("Search chats").fill("o")
    expect(headings).to_have_count(0)


def test_formulas_and_code_are_set_by_libraries_that_come_late(reader: Reader, double: Double) -> None:
    """Nothing of them is fetched before an answer needs it; what they cannot read stays as written."""

    def late() -> list[str]:
        return [line for line in reader.loaded() if "katex" in line or "highlight" in line]

    assert late() == []
    double.scenes = [lambda line: line.say(*RICH).finish()]
    reader.ask("Show me.")
    prose = reader.wait_for_answer()
    expect(prose.locator("math")).to_have_count(3)
    expect(prose.locator(".math.display math")).to_have_count(1)
    expect(prose.locator(".hl-keyword")).to_have_text(["def", "return", "let"])
    expect(prose.locator(".hl-comment")).to_have_text("# why")
    expect(prose).to_contain_text("It costs $5 and $6.")
    expect(prose).to_contain_text("\\(\\frac{\\) open")
    assert prose.locator("[style], a, annotation").count() == 0
    assert reader.hits() == 0
    assert len(late()) == 4


def test_the_page_speaks_the_browser_s_language_or_the_chosen_one(
    open_page: OpenPage, double: Double
) -> None:
    """German by the browser, French by choice, also after a reload; right-to-left text runs its own way."""
    page = open_page(double.url, label=None, locale="de-DE").page
    expect(page.locator("h1")).to_have_text("Neuer Chat")
    expect(page.get_by_role("button", name="Senden")).to_be_visible()
    expect(page.locator(".load")).to_contain_text("1 Modellserver erreichbar · 0 von 8 Plätzen belegt")
    assert page.evaluate("document.documentElement.lang") == "de"
    page.get_by_role("button", name="Dateien, Sprache und Tasten").click()
    page.get_by_role("combobox", name="Sprache").select_option("fr")
    expect(page.get_by_role("button", name="Envoyer")).to_be_visible()
    page.reload()
    page.get_by_label("Message", exact=True).fill("مرحبا بالعالم")
    assert page.evaluate("getComputedStyle(document.querySelector('#draft')).direction") == "rtl"
    page.get_by_label("Message", exact=True).press("Enter")
    expect(page.locator(".message.assistant.is-finished .facts")).to_contain_text("12 jetons · 24,0 jetons/s")
    assert page.evaluate("getComputedStyle(document.querySelector('.said')).direction") == "rtl"


def test_the_shortcuts_are_listed_by_a_key_and_work(reader: Reader) -> None:
    """The list, a new chat, the box; single characters can be turned off."""
    reader.ask("Hello")
    reader.wait_for_answer()
    reader.page.locator(".scroller").focus()
    reader.page.keyboard.press("?")
    dialog = reader.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Search chats")
    dialog.get_by_label("Keys of one character").uncheck()
    reader.page.keyboard.press("Escape")
    reader.page.locator(".scroller").focus()
    reader.page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    reader.page.keyboard.press("Control+Shift+O")
    expect(reader.page.locator(".welcome")).to_be_visible()
    expect(reader.draft).to_be_focused()


def test_presets_and_defaults(reader: Reader, double: Double) -> None:
    """One press sets the sampling; another gives the model's own back."""
    reader.button("Settings of this chat").click()
    reader.button("Inventive").click()
    expect(reader.page.get_by_label("Temperature")).to_have_value("1")
    reader.button("Reset to defaults").click()
    expect(reader.page.get_by_label("Temperature")).to_have_value("")
    reader.button("Precise").click()
    reader.button("Save").click()
    reader.ask("Hello")
    reader.wait_for_answer()
    assert (double.asked[0]["temperature"], "top_p" in double.asked[0]) == (0, False)


def test_own_presets_are_kept_named_used_and_deleted(reader: Reader, double: Double) -> None:
    """System prompt and sampling under a name: over reloads, in another chat, renamed, gone."""
    settings = reader.button("Settings of this chat")
    dialog = reader.page.get_by_role("dialog")
    own = dialog.locator(".presets .own")
    settings.click()
    dialog.get_by_label("System prompt").fill("Answer like a pirate.")
    dialog.get_by_label("Temperature").fill("0.3")
    dialog.get_by_label("Max tokens").fill("50")
    reader.button("Keep as a preset").click()
    name = dialog.get_by_label("Name of the preset")
    expect(name).to_be_focused()
    name.fill("Pirate")
    name.press("Enter")
    expect(own).to_have_text(["Pirate"])
    expect(own).to_have_attribute("aria-pressed", "true")
    reader.button("Rename preset").click()
    name.fill("Old pirate")
    name.press("Enter")
    expect(own).to_have_text(["Old pirate"])
    reader.button("Reset to defaults").click()
    expect(dialog.get_by_label("System prompt")).to_have_value("")
    reader.button("Cancel").click()

    reader.page.reload()
    settings.click()
    own.click()
    expect(dialog.get_by_label("Temperature")).to_have_value("0.3")
    reader.button("Save").click()
    reader.ask("Hello")
    reader.wait_for_answer()
    asked = double.asked[0]
    assert (asked["messages"][0]["content"], asked["temperature"], asked["max_tokens"]) == (
        "Answer like a pirate.", 0.3, 50,
    )  # fmt: skip
    settings.click()
    reader.button("Delete preset").click()
    expect(own).to_have_count(0)
    expect(dialog.get_by_label("System prompt")).to_have_value("Answer like a pirate.")


def test_keys_have_the_names_of_the_keyboard(reader: Reader) -> None:
    """Where the command key does what Ctrl does elsewhere, the list says so, and it does."""
    keys = reader.page.locator(".keys-list")
    expect(keys).to_contain_text("Ctrl K")
    reader.page.add_init_script("Object.defineProperty(navigator, 'platform', { value: 'MacIntel' })")
    reader.ask("Hello")
    reader.wait_for_answer()
    reader.page.reload()
    expect(keys).to_contain_text("⌘")
    expect(keys).not_to_contain_text("Ctrl")
    reader.page.keyboard.press("Meta+k")
    expect(reader.page.get_by_label("Search chats")).to_be_focused()


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_no_english_is_left_in_another_language(open_page: OpenPage, double: Double, language: str) -> None:
    """Every label that the language has a word for is in that language, in dialogs and templates, too."""
    page = open_page(double.url, label=None, locale=language).page
    expect(page.locator("html")).to_have_attribute("lang", language)
    page.locator("#draft").fill("Hello")
    page.locator("#draft").press("Enter")
    page.locator(".message.assistant.is-finished").wait_for()
    left = page.evaluate(
        """async (language) => {
          const { labels } = await import(`./js/words-${language}.js`);
          const foreign = new Set(Object.keys(labels).filter((english) => labels[english] !== english));
          const texts = [];
          const walk = (node) => {
            if (node.nodeType === Node.TEXT_NODE) texts.push(node.nodeValue.trim().replace(/\\s+/g, " "));
            for (const name of ["aria-label", "placeholder", "title"]) texts.push(node.getAttribute?.(name));
            for (const child of [...node.childNodes, ...(node.content?.childNodes ?? [])]) walk(child);
          };
          walk(document.body);
          // A language may use the English word for something else: then it is one of its own, too.
          const own = new Set(Object.values(labels));
          return texts.filter((text) => foreign.has(text) && !own.has(text));
        }""",
        language,
    )
    assert left == []
