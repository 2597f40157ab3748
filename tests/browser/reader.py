"""A person at the page: types, reads, presses. Every test's browser tab is one.

Knows the page's labels and texts. Knows nothing of what answers behind it.
"""

from playwright.sync_api import ConsoleMessage, FilePayload, Locator, Page, Request, expect

# Longer than any expected wait on a busy machine; reached only by a failure.
PATIENCE_MS = 30_000

# What Chromium itself remarks: each answer with an error status, which the page handles, and that it
# keeps windows apart only at addresses it can trust, of which a plain-http name is none.
REMARKS = ("Failed to load resource", "Cross-Origin-Opener-Policy header has been ignored")

# Runs before the page's own scripts: what a payload would call, and what the policy refuses.
WATCH = """
window.hits = 0;
window.hit = () => { window.hits += 1; };
window.alert = window.hit;
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.refused.push(`${event.effectiveDirective} ${event.blockedURI}`);
});
"""


class Reader:
    """One tab. `complaints` gathers what should never be: console errors, page errors, foreign requests."""

    def __init__(self, page: Page, url: str, label: str | None = "Message") -> None:
        self.page = page
        self.url = url
        # The box's name; none where the page speaks another language than English.
        self._label = label
        self.complaints: list[str] = []
        # Requests that came to nothing: no complaint, because stopping an answer is one of them.
        self.misses: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(WATCH)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.on("request", self._see)
        page.on("requestfailed", self._miss)

    def open(self) -> "Reader":
        """Open the page and wait until it is alive."""
        self.page.goto(self.url)
        try:
            expect(self.draft).to_be_visible(timeout=PATIENCE_MS)
        except AssertionError as failure:
            seen = f"{self.complaints} {self.misses} {self.state()} {self.loaded()}"
            raise AssertionError(f"the page did not start: {seen}") from failure
        return self

    def ask(self, question: str) -> None:
        """Type a question and press Enter, or the button where there is only a touch keyboard."""
        self.draft.fill(question)
        if self.page.evaluate("matchMedia('(hover: none)').matches"):
            self.button("Send").click()
        else:
            self.draft.press("Enter")

    def give(self, picker: str, *files: tuple[str, bytes]) -> None:
        """Choose files, each a name and its content, in the picker of this class."""
        chosen: list[FilePayload] = [
            {"name": name, "mimeType": "text/plain", "buffer": content} for name, content in files
        ]
        self.page.locator(f".{picker}").set_input_files(chosen)

    def button(self, name: str) -> Locator:
        """Return the button with this label."""
        return self.page.get_by_role("button", name=name, exact=True)

    def wait_for_answer(self) -> Locator:
        """Wait until the last answer is complete and return its text."""
        expect(self.answers.last).to_have_class("message assistant is-finished", timeout=2 * PATIENCE_MS)
        return self.answers.last.locator(".prose")

    @property
    def draft(self) -> Locator:
        """The box one writes in."""
        return self.page.get_by_label(self._label, exact=True) if self._label else self.page.locator("#draft")

    @property
    def questions(self) -> Locator:
        """All questions on show."""
        return self.page.locator(".message.user .said")

    @property
    def answers(self) -> Locator:
        """All answers on show."""
        return self.page.locator(".message.assistant")

    @property
    def stop(self) -> Locator:
        """The button that stops the answer."""
        return self.button("Stop the answer")

    def refused(self) -> list[str]:
        """Return what the content security policy refused."""
        refused: list[str] = self.page.evaluate("window.refused")
        return refused

    def hits(self) -> int:
        """Return how often foreign code ran."""
        hits: int = self.page.evaluate("window.hits")
        return hits

    def loaded(self) -> list[str]:
        """Return what the tab has fetched, with status and size, to see what is missing."""
        loaded: list[str] = self.page.evaluate(
            "performance.getEntriesByType('resource')"
            ".map((one) => `${one.name} ${one.responseStatus} ${one.encodedBodySize}`)"
        )
        return loaded

    def state(self) -> str:
        """Return how far the document is, to see what it waits for."""
        state: str = self.page.evaluate(
            "`${document.readyState} ${document.visibilityState}"
            " cloaked: ${document.querySelector('.page').hasAttribute('x-cloak')}`"
        )
        return state

    def _miss(self, request: Request) -> None:
        self.misses.append(f"{request.url}: {request.failure}")

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(one in message.text for one in REMARKS):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _see(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.complaints.append(f"request to {request.url}")
