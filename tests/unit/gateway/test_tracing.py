"""A chat's spans: where they hang, what they say, and that nothing is imported where nobody collects them."""

import subprocess
import sys
import threading
from dataclasses import dataclass

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from gateway.settings import SettingsInvalid, read_settings
from gateway.trace import Tracing, mark

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECOND = 1_000_000_000


@dataclass
class Chat:
    """What a record says."""

    request_id: str = "req-1"
    route: str = "/v1/chat/completions"
    outcome: str = "finished"
    code: str | None = None
    finish: str | None = "stop"
    model: str | None = "llama"
    replica: str | None = "engine:80"
    wait_seconds: float = 1.0
    first_token_seconds: float | None = 0.5
    generation_seconds: float | None = 3.0
    prompt_tokens: int | None = 11
    completion_tokens: int = 7


def told(traceparent: str | None, chat: Chat) -> dict[str, ReadableSpan]:
    """Give the spans of a chat, by name."""
    exporter = InMemorySpanExporter()
    at = mark(traceparent)
    Tracing(SimpleSpanProcessor(exporter)).tell(at, chat)
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_chat_hangs_below_its_caller_and_its_parts_below_it() -> None:
    """Times from its record: waiting, then from the grant the first token and all of it."""
    spans = told(f"00-{TRACE}-{PARENT}-01", Chat())
    chat = spans["chat"]
    assert chat.start_time is not None
    lasted = {name: (one.start_time - chat.start_time, one.end_time - chat.start_time)
              for name, one in spans.items() if one.start_time and one.end_time}  # fmt: skip

    assert {int(TRACE, 16)} == {one.context.trace_id for one in spans.values()}
    assert chat.parent is not None
    assert int(PARENT, 16) == chat.parent.span_id
    assert {chat.context.span_id} == {
        one.parent.span_id for name, one in spans.items() if name != "chat" and one.parent
    }
    assert {
        "chat": (0, 4 * SECOND), "wait": (0, SECOND), "first_token": (SECOND, SECOND * 3 // 2),
        "generation": (SECOND, 4 * SECOND),
    } == lasted  # fmt: skip
    assert chat.attributes is not None
    assert (11, 7, "finished") == tuple(
        chat.attributes[name]
        for name in ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "paddock.outcome")
    )


def test_a_chat_that_failed_while_it_waited_has_no_other_part() -> None:
    """Its code is the status."""
    spans = told(None, Chat(outcome="expired", code="wait_expired", first_token_seconds=None,
                            generation_seconds=None))  # fmt: skip

    assert {"chat", "wait"} == spans.keys()
    assert (StatusCode.ERROR, "wait_expired") == (
        spans["chat"].status.status_code, spans["chat"].status.description,
    )  # fmt: skip
    assert spans["chat"].parent is None


@pytest.mark.parametrize(
    "traceparent", [None, "", "00-1", f"00-{'0' * 32}-{PARENT}-01", f"01-{TRACE}-{PARENT}-01", "é"]
)
def test_what_is_no_traceparent_begins_a_trace(traceparent: str | None) -> None:
    """A new one, and the engine is told of it."""
    at, other = mark(traceparent), mark(traceparent)

    assert (None, True) == (at.parent_id, at.is_sampled)
    assert at.trace_id != other.trace_id
    assert f"00-{at.trace_id}-{at.span_id}-01" == at.traceparent


def test_a_caller_that_is_not_traced_leaves_no_span() -> None:
    """Its flag is handed on."""
    assert {} == told(f"00-{TRACE}-{PARENT}-00", Chat())
    assert mark(f"00-{TRACE}-{PARENT}-00").traceparent.endswith("-00")


def test_nothing_is_imported_while_nobody_collects() -> None:
    """Neither the SDK nor its exporter, by the gateway's whole tree."""
    code = (
        "import sys, gateway.app, gateway.settings\n"
        "gateway.app.Gateway(gateway.settings.Settings())\n"
        "sys.exit(any(name.startswith('opentelemetry.sdk') or '.exporter' in name and 'opentelemetry' in name"
        " for name in sys.modules))"
    )

    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_an_address_that_is_none_and_packages_that_are_missing_are_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a sentence, with what to install."""
    with pytest.raises(SettingsInvalid, match="must be http://HOST:PORT"):
        read_settings({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"})
    monkeypatch.setattr("gateway.settings.find_spec", lambda _: None)
    with pytest.raises(SettingsInvalid, match=r"needs the packages of requirements/trace.txt"):
        read_settings({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"})
    assert read_settings({}).exporter_otlp_endpoint is None


def test_a_collector_that_does_not_answer_holds_nobody_up() -> None:
    """The end of the process does not wait for it."""
    asked, answer = threading.Event(), threading.Event()

    class Deaf(SpanProcessor):
        def shutdown(self) -> None:
            asked.set()
            answer.wait()

    Tracing(Deaf()).close()
    assert asked.is_set()
    answer.set()
