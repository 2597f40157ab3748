"""Every way a chat can fail, as one tree.

    PaddockError
    ├── CallerError            the request itself
    │   ├── RequestInvalid         400  not HTTP
    │   ├── RequestTimeout         408  its head or body did not arrive in time
    │   ├── HeadTooLarge           431  more bytes of headers than are read
    │   ├── BodyInvalid            400  not JSON, or not an object
    │   ├── ChatInvalid            422  a field is missing, unknown, of the wrong type or out of range
    │   ├── ChatUnsupported        400  what OpenAI's API has and this engine or prompt format has not
    │   ├── PromptTooLong          400  prompt and answer do not fit the context
    │   ├── StreamUnknown          404  no such stream, or not this caller's
    │   ├── ModelUnknown           404  another model was asked for
    │   ├── RouteUnknown           404  no such path
    │   ├── MethodUnknown          405  the path exists, not for this method
    │   ├── KeyInvalid             401  no API key, or not one of ours
    │   ├── OriginForeign          403  a page of another site calls
    │   ├── HostUnknown            421  a name that is not this server's
    │   ├── BodyTooLarge           413  more bytes than the engine takes
    │   └── MediaUnknown           415  not application/json, or compressed
    ├── Refusal                "not now", before a ticket
    │   ├── BacklogFull            429
    │   ├── QuotaSpent             429
    │   ├── DeadlineUnmet          503
    │   ├── Draining               503
    │   └── EngineDown             503
    ├── WaitExpired            504  the ticket was never granted
    ├── NobodyFollowed         410  its readers left, and none came back within the grace
    ├── EngineError            the engine, after a grant
    │   ├── EngineUnreachable      502  no connection
    │   ├── EngineOverloaded       503  its own permits are spent
    │   ├── EngineTimeout          504  no answer to a question, or silent in all its chats
    │   ├── FirstTokenTimeout      504  no first token within its limit
    │   ├── GapTimeout             504  no next token within its limit
    │   ├── TotalTimeout           504  an answer longer than its limit
    │   ├── EngineRejected         422  its validation refused the prompt or a parameter
    │   ├── EngineFailed           502  it said that the generation failed
    │   └── EngineCutOff           502  it closed the stream before its final event
    └── GatewayFault           500  a defect of ours; the log has the details

The code is the word used on the wire, as metric label and in the log. Knows nothing of HTTP libraries.
"""

from typing import ClassVar


class PaddockError(Exception):
    """Something a caller must be told, in words that say what to do.

    Units: retry_after_seconds is whole seconds from now, None when a retry cannot help.
    """

    code: ClassVar[str]
    status: ClassVar[int]
    type: ClassVar[str] = "server_error"

    def __init__(
        self, message: str, *, param: str | None = None, retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_seconds = retry_after_seconds


class CallerError(PaddockError):
    """The request is wrong and will stay wrong."""

    type = "invalid_request_error"


class RequestInvalid(CallerError):
    """What was sent is not HTTP."""

    code, status = "request_invalid", 400


class RequestTimeout(CallerError):
    """The request's head or body did not arrive in time."""

    code, status = "request_timeout", 408


class HeadTooLarge(CallerError):
    """The request's line and headers have more bytes than are read."""

    code, status = "head_too_large", 431


class BodyInvalid(CallerError):
    """The body is not a JSON object."""

    code, status = "body_invalid", 400


class ChatInvalid(CallerError):
    """A field is missing, unknown, of the wrong type or out of range; param names it."""

    code, status = "chat_invalid", 422


class ChatUnsupported(CallerError):
    """A field is right by OpenAI's API, but cannot be kept here; param names it.

    The rule between the two: what some service of this API could answer is unsupported, what none
    could is invalid.
    """

    code, status = "chat_unsupported", 400


class PromptTooLong(CallerError):
    """The prompt's tokens and the tokens asked for do not fit the model's context."""

    code, status = "prompt_too_long", 400

    def named(self, prompt: str, limit: str) -> "PromptTooLong":
        """Name the field as the caller's body does: the prompt's, or the limit's where that is too large."""
        self.param = limit if self.param == "max_tokens" else prompt
        return self


class ModelUnknown(CallerError):
    """The caller named a model that is not served here."""

    code, status = "model_unknown", 404


class StreamUnknown(CallerError):
    """There is no such stream for this caller."""

    code, status = "stream_unknown", 404


class RouteUnknown(CallerError):
    """No such path."""

    code, status = "route_unknown", 404


class MethodUnknown(CallerError):
    """The path exists, but not for this method."""

    code, status = "method_unknown", 405


class KeyInvalid(CallerError):
    """No API key was sent, or one that is not known here."""

    code, status = "key_invalid", 401
    type = "authentication_error"


class OriginForeign(CallerError):
    """A page of another site called."""

    code, status = "origin_foreign", 403
    type = "permission_error"


class HostUnknown(CallerError):
    """The request was sent to a name that is not this server's."""

    code, status = "host_unknown", 421
    type = "permission_error"


class BodyTooLarge(CallerError):
    """The body holds more bytes than the gateway or the engine takes."""

    code, status = "body_too_large", 413


class MediaUnknown(CallerError):
    """The body's media type is not application/json, or the body is compressed."""

    code, status = "media_unknown", 415


class Refusal(PaddockError):
    """Not now: nothing was started and nothing waits."""


class BacklogFull(Refusal):
    """As many chats wait as may wait."""

    code, status = "backlog_full", 429
    type = "rate_limit_error"


class QuotaSpent(Refusal):
    """This key has used what it may use."""

    code, status = "quota_spent", 429
    type = "rate_limit_error"


class DeadlineUnmet(Refusal):
    """The wait is longer than the caller said it can be."""

    code, status = "deadline_unmet", 503


class Draining(Refusal):
    """The gateway is stopping and admits nothing new."""

    code, status = "draining", 503


class EngineDown(Refusal):
    """No engine is ready to serve."""

    code, status = "engine_down", 503


class WaitExpired(PaddockError):
    """The chat waited in the backlog for as long as a chat may wait."""

    code, status = "wait_expired", 504


class NobodyFollowed(PaddockError):
    """A stream that could be followed again was not, for as long as it waits for that."""

    code, status = "nobody_followed", 410
    type = "invalid_request_error"


class EngineError(PaddockError):
    """The engine failed a chat that had been granted."""


class EngineUnreachable(EngineError):
    """No connection to the engine, or it broke before the first byte."""

    code, status = "engine_unreachable", 502


class EngineOverloaded(EngineError):
    """The engine's own permits are spent."""

    code, status = "engine_overloaded", 503
    type = "rate_limit_error"


class EngineTimeout(EngineError):
    """The engine did not answer a question in time, or was silent in all its chats."""

    code, status = "engine_timeout", 504


class FirstTokenTimeout(EngineError):
    """No first token came within its limit."""

    code, status = "first_token_timeout", 504


class GapTimeout(EngineError):
    """No next token came within its limit."""

    code, status = "gap_timeout", 504


class TotalTimeout(EngineError):
    """The answer took longer than an answer may take."""

    code, status = "total_timeout", 504


class EngineRejected(EngineError):
    """The engine's validation refused the prompt or a parameter."""

    code, status = "engine_rejected", 422
    type = "invalid_request_error"


class EngineFailed(EngineError):
    """The engine said that the generation failed."""

    code, status = "engine_failed", 502


class EngineCutOff(EngineError):
    """The engine closed the stream before its final event."""

    code, status = "engine_cut_off", 502


class GatewayFault(PaddockError):
    """A defect of the gateway; its log has the details under the request id."""

    code, status = "gateway_fault", 500


def leaves(root: type[PaddockError] = PaddockError) -> list[type[PaddockError]]:
    """List the errors that are really raised: the classes with a code of their own."""
    found = [] if "code" not in vars(root) else [root]
    for child in root.__subclasses__():
        found.extend(leaves(child))
    return found
