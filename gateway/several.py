"""Frames of several choices in one stream.

Knows which words of a form belong to one choice and which to the whole. Knows nothing of what they say.
"""

from collections.abc import Sequence

from gateway.chat import Batch, Finish, Timings, Usage
from gateway.errors import PaddockError
from gateway.order import Waiting
from gateway.sse import OpenAiForm


class ChoiceForm:
    """One choice: its chunks, and the news of the queue where it is the first, which has its slot first."""

    def __init__(self, form: OpenAiForm, *, is_first: bool) -> None:
        self._form = form
        self._is_first = is_first

    def waiting(self, news: Waiting) -> list[bytes]:
        return self._form.waiting(news) if self._is_first else []

    def running(self) -> list[bytes]:
        return self._form.running() if self._is_first else []

    def deltas(self, batch: Batch) -> list[bytes]:
        return self._form.deltas(batch)

    def finished(self, finish: Finish, usage: Usage, timings: Timings) -> list[bytes]:
        return self._form.ended(finish)

    def failed(self, error: PaddockError) -> list[bytes]:
        return []


class SharedForm:
    """What stands around all choices: their roles in the order of their indices, then, behind the last of
    them, the usage of all and [DONE], or the error that ended them.

    Deliberate divergence: a role could stand before its own choice's first text. OpenAI's Python SDK takes
    the first chunk for the first choice's and breaks at another. Delete when its stream helper looks at the
    index there.
    """

    def __init__(self, forms: Sequence[OpenAiForm]) -> None:
        self._forms = forms
        self._form = forms[0]

    def waiting(self, news: Waiting) -> list[bytes]:
        return []

    def running(self) -> list[bytes]:
        return []

    def deltas(self, batch: Batch) -> list[bytes]:
        return [frame for form in self._forms for frame in form.begun()]

    def finished(self, finish: Finish, usage: Usage, timings: Timings) -> list[bytes]:
        return self._form.closed(usage, timings)

    def failed(self, error: PaddockError) -> list[bytes]:
        return self._form.failed(error)
