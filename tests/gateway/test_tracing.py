"""Traces as a collector gets them: OTLP over HTTP from a gateway that was told where to send."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import serving
from tests.gateway.talk import CHAT, chat

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector(ThreadingHTTPServer):
    """Takes what is exported."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Post)
        self.spans: list[Span] = []
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        """Give the address."""
        return f"http://127.0.0.1:{self.server_port}"


class Post(BaseHTTPRequestHandler):
    """One export."""

    server: Collector

    def do_POST(self) -> None:
        """Take it."""
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        told = ExportTraceServiceRequest.FromString(body)
        for resource in told.resource_spans:
            for scope in resource.scope_spans:
                self.server.spans.extend(scope.spans)
        self.server.paths.append(self.path)
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the library's name
        """Log nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that listens."""
    one = Collector()
    thread = threading.Thread(target=one.serve_forever, args=(0.01,))
    thread.start()
    yield one
    one.shutdown()
    thread.join()
    one.server_close()


async def test_a_chat_s_spans_reach_the_collector_and_its_engine_the_trace(
    tgi_double: ThreadDouble, collector: Collector
) -> None:
    """Below the caller's span; the engine's will be below the chat's. No text is in them."""
    async with serving(tgi_double.url, otel_exporter_otlp_endpoint=collector.url) as served:
        await served.until_ready()
        traced = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        await served.client.post(CHAT, json=chat("a private question"), headers=traced)
        await served.until_idle()
        asked = tgi_double.seen("/generate_stream")[-1]
        (record,) = served.records()
    spans = {span.name: span for span in collector.spans}

    assert {"/v1/traces"} == set(collector.paths)
    assert {"chat", "wait", "first_token", "generation"} == spans.keys()
    assert {TRACE} == {span.trace_id.hex() for span in spans.values()}
    assert PARENT == spans["chat"].parent_span_id.hex()
    assert f"00-{TRACE}-{spans['chat'].span_id.hex()}-01" == asked.headers["traceparent"]
    assert (TRACE, spans["chat"].span_id.hex()) == (record["trace"]["trace_id"], record["trace"]["span_id"])
    assert "private" not in str(collector.spans)


async def test_without_a_collector_the_callers_trace_is_handed_on_as_it_is(tgi_double: ThreadDouble) -> None:
    """And the log has none."""
    async with serving(tgi_double.url) as served:
        await served.until_ready()
        traceparent = f"00-{TRACE}-{PARENT}-01"
        await served.client.post(CHAT, json=chat(), headers={"traceparent": traceparent})
        await served.until_idle()
        asked = tgi_double.seen("/generate_stream")[-1]
        (record,) = served.records()

    assert traceparent == asked.headers["traceparent"]
    assert record["trace"] is None
