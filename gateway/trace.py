"""Traces of chats in OpenTelemetry's form, for who collects them; nothing is imported where nobody does.

A chat's spans are written when it has ended, from the figures of its record, so a running chat costs nothing
for it. Only their ids are made at its arrival, because the engine's own spans are to hang below them.

Knows W3C's traceparent and the SDK. Knows nothing of how chats are measured.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.util.types import Attributes

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
_SAMPLED = 1
_SECOND = 1_000_000_000
# A collector that is gone is tried again for ten seconds by the SDK: too long for a process that is to end.
_FAREWELL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a chat stands in a trace. Units: began is Unix nanoseconds."""

    trace_id: str
    span_id: str
    parent_id: str | None
    is_sampled: bool
    began: int

    @property
    def traceparent(self) -> str:
        """Write it for the engine, whose spans are below the chat's."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.is_sampled):02x}"


def mark(traceparent: str | None) -> Mark:
    """Give a chat its place: below its caller's span, or at the top of a trace of its own."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    trace_id, parent_id, flags = found.groups() if found else (secrets.token_hex(16), None, "01")
    return Mark(trace_id, secrets.token_hex(8), parent_id, bool(int(flags, 16) & _SAMPLED), time.time_ns())


class Told(Protocol):
    """What of a record goes into a trace. Units: seconds, tokens; None where a chat did not get that far."""

    @property
    def request_id(self) -> str: ...

    @property
    def route(self) -> str: ...

    @property
    def outcome(self) -> str: ...

    @property
    def code(self) -> str | None: ...

    @property
    def finish(self) -> str | None: ...

    @property
    def model(self) -> str | None: ...

    @property
    def replica(self) -> str | None: ...

    @property
    def wait_seconds(self) -> float: ...

    @property
    def first_token_seconds(self) -> float | None: ...

    @property
    def generation_seconds(self) -> float | None: ...

    @property
    def prompt_tokens(self) -> int | None: ...

    @property
    def completion_tokens(self) -> int: ...


class Tracing:
    """Where spans go."""

    def __init__(self, processor: SpanProcessor) -> None:
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource, get_aggregated_resources

        self._processor = processor
        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES are the SDK's own, and win.
        self._resource = get_aggregated_resources(
            [OTELResourceDetector()], Resource({"service.name": "paddock-gateway"})
        )

    def tell(self, at: Mark, told: Told) -> None:
        """Write a chat's spans: the chat, and below it wait, first_token and generation. Never its text."""
        if not at.is_sampled:
            return
        granted = at.began + int(told.wait_seconds * _SECOND)
        ended = granted + int((told.generation_seconds or 0.0) * _SECOND)
        attributes: Attributes = {
            "paddock.request_id": told.request_id,
            "paddock.outcome": told.outcome,
            "paddock.replica": told.replica or "",
            "http.route": told.route,
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": told.model or "",
            "gen_ai.response.finish_reasons": [told.finish] if told.finish else [],
            "gen_ai.usage.input_tokens": told.prompt_tokens or 0,
            "gen_ai.usage.output_tokens": told.completion_tokens,
        }
        self._write(at, at.span_id, at.parent_id, "chat", at.began, ended, attributes, told.code)
        parts = [("wait", at.began, granted)]
        if told.first_token_seconds is not None:
            parts.append(("first_token", granted, granted + int(told.first_token_seconds * _SECOND)))
        if told.generation_seconds is not None:
            parts.append(("generation", granted, ended))
        for name, began, end in parts:
            self._write(at, secrets.token_hex(8), at.span_id, name, began, end)

    def close(self) -> None:
        """Send what is left; blocks for as long as that may take, and no longer when nobody answers."""
        closing = threading.Thread(target=self._processor.shutdown, daemon=True, name="last spans")
        closing.start()
        closing.join(_FAREWELL_SECONDS)

    def _write(
        self,
        at: Mark,
        span_id: str,
        parent_id: str | None,
        name: str,
        began: int,
        ended: int,
        attributes: Attributes = None,
        code: str | None = None,
    ) -> None:
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

        def context(span: str, *, is_remote: bool = False) -> SpanContext:
            return SpanContext(int(at.trace_id, 16), int(span, 16), is_remote, TraceFlags(_SAMPLED))

        is_chat = span_id == at.span_id
        span = ReadableSpan(
            name,
            context=context(span_id),
            parent=None if parent_id is None else context(parent_id, is_remote=is_chat),
            resource=self._resource,
            attributes=attributes,
            kind=SpanKind.SERVER if is_chat else SpanKind.INTERNAL,
            status=Status(StatusCode.UNSET) if code is None else Status(StatusCode.ERROR, code),
            start_time=began,
            end_time=ended,
            instrumentation_scope=InstrumentationScope("paddock"),
        )
        self._processor.on_end(span)


def open_tracing(endpoint: str) -> Tracing:
    """Send spans to a collector by OTLP over HTTP, in batches from a thread of the SDK's."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return Tracing(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")))
