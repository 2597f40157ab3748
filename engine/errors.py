"""Everything the engine can answer instead of a generation.

    EngineError                a JSON answer, or an event inside a stream
    ├── Invalid                422 validation
    ├── Overloaded             429 overloaded
    ├── GenerationFailed       424 generation
    ├── Incomplete             500 incomplete_generation
    └── IncompleteStream       500 incomplete_generation_stream
    BodyRefused                a plain-text answer: the body never became a request
    StartRefused               the process ends before it serves, with one sentence and an exit code

Knows: TGI's status, error word and metric label of each.
Knows nothing of: HTTP, llama.cpp.
"""

from typing import ClassVar

# Exit codes of the process, besides 0 (stopped) and 1 (failed while running).
EXIT_SETTINGS = 2
EXIT_MACHINE = 3
EXIT_MODEL_UNAVAILABLE = 4
EXIT_MODEL_UNUSABLE = 5
EXIT_PORT = 6


class EngineError(Exception):
    """A failure that TGI reports as JSON with `error` and `error_type`."""

    status: ClassVar[int]
    kind: ClassVar[str]
    label: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(EngineError):
    """The request breaks one of TGI's rules."""

    status, kind, label = 422, "validation", "validation"

    def __init__(self, rule: str) -> None:
        super().__init__(f"Input validation error: {rule}")


class Overloaded(EngineError):
    """Every permit is taken; TGI never waits for one."""

    status, kind, label = 429, "overloaded", "overloaded"

    def __init__(self) -> None:
        super().__init__("Model is overloaded")


class GenerationFailed(EngineError):
    """The inner server failed while it generated."""

    status, kind, label = 424, "generation", "generation"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Request failed during generation: Server error: {reason}")


class Incomplete(EngineError):
    """A generation ended without its last token, outside a stream."""

    status, kind, label = 500, "incomplete_generation", "incomplete"

    def __init__(self) -> None:
        super().__init__("Incomplete generation")


class IncompleteStream(EngineError):
    """A generation ended without its last token, inside a stream."""

    status, kind, label = 500, "incomplete_generation_stream", "incomplete"

    def __init__(self) -> None:
        super().__init__("Incomplete generation stream")


class BodyRefused(Exception):
    """The body is no request: answered as plain text, as TGI's web framework does."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class StartRefused(Exception):
    """The engine cannot start here; the sentence says why and what to do."""

    def __init__(self, exit_code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
        self.sentence = sentence
