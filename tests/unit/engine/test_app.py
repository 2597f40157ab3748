"""The engine's HTTP face over a scripted inner server: who gets what, and what is given back."""

import asyncio
from collections.abc import Callable

import pytest

from engine.body import Body, Parameters
from engine.errors import StartRefused
from tests.unit.engine.client import Call
from tests.unit.engine.conftest import Engine
from tests.unit.engine.inner import Completion


async def until(is_true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(5):
        while not is_true():
            await asyncio.sleep(0.001)


async def begun(engine: Engine) -> Completion:
    """Wait until the inner server is asked, and begin its stream."""
    async with asyncio.timeout(5):
        completion = await engine.inner.asked.get()
    completion.head()
    return completion


async def test_a_stream(engine: Engine) -> None:
    """Headers at once, events as they come, the end with details."""
    call = engine.post("/generate_stream", details=True)
    completion = await begun(engine)
    completion.say("hi")
    await call.until(b'"text":"i"')

    assert (200, "text/event-stream", "no-cache", "no", "cpu", "5") == (
        call.status,
        call.headers["content-type"],
        call.headers["cache-control"],
        call.headers["x-accel-buffering"],
        call.headers["x-compute-type"],
        call.headers["x-compute-characters"],
    )
    assert not call.is_done
    completion.end()
    await call.done()

    assert ["h", "i", "<|eot_id|>"] == [event["token"]["text"] for event in call.events]
    assert {"finish_reason": "eos_token", "generated_tokens": 3, "seed": None, "input_length": 6} == (
        call.events[-1]["details"]
    )
    assert "hi" == call.events[-1]["generated_text"]
    assert ("1", "1", None) == tuple(
        engine.metric(name) for name in ("tgi_request_count", "tgi_request_success", "tgi_request_failure")
    )


async def test_a_whole_answer(engine: Engine) -> None:
    """With timing headers and details."""
    call = engine.post("/generate", details=True, return_full_text=True)
    completion = await begun(engine)
    completion.say("hi")
    completion.end()
    await call.done()

    assert (200, "hellohi", 3) == (
        call.status,
        call.json["generated_text"],
        call.json["details"]["generated_tokens"],
    )
    assert ("6", "3") == (call.headers["x-prompt-tokens"], call.headers["x-generated-tokens"])


async def test_the_compatible_route(engine: Engine) -> None:
    """A list of one, with the prompt by default; or a stream."""
    call = engine.post("/")
    completion = await begun(engine)
    completion.say("a")
    completion.end()

    assert [{"generated_text": "helloa"}] == (await call.done()).json
    call = engine.post("/", stream=True, return_full_text=False)
    completion = await begun(engine)
    completion.end()

    assert "" == (await call.done()).events[-1]["generated_text"]


async def test_a_reader_that_leaves_frees_everything(engine: Engine) -> None:
    """The inner connection is closed, and the next in line runs."""
    call = engine.post("/generate_stream")
    completion = await begun(engine)
    completion.say("a")
    await call.until(b'"text":"a"')
    waiting = engine.post("/generate")
    await until(lambda: engine.inference.slots.waiting == 1)
    call.leave()
    async with asyncio.timeout(5):
        await completion.closed.wait()
    await call.done()
    (await begun(engine)).end()
    await waiting.done()

    assert "1" == engine.metric('tgi_request_failure{err="dropped"}')
    assert (0, "<Slots 0/1 running, 0 waiting>") == (engine.inference.permits, repr(engine.inference.slots))


async def test_a_waiting_reader_that_leaves_gives_its_place_up(engine: Engine) -> None:
    """Its permit too."""
    running, waiting = engine.post("/generate"), engine.post("/generate_stream")
    completion = await begun(engine)
    await until(lambda: engine.inference.slots.waiting == 1)

    assert "1" == engine.metric("tgi_queue_size")
    assert "1" == engine.metric("tgi_batch_current_size")
    waiting.leave()
    await waiting.done()

    assert (0, 1) == (engine.inference.slots.waiting, engine.inference.permits)
    completion.end()
    await running.done()

    assert "0" == engine.metric("tgi_batch_current_size")


async def test_permits_are_refused_at_once(engine: Engine) -> None:
    """429 on whole answers, an event in a stream; no waiting."""
    calls = [engine.post("/generate"), engine.post("/generate")]
    completion = await begun(engine)
    await until(lambda: engine.inference.slots.waiting == 1)
    refused, refused_stream = engine.post("/generate", inputs=""), engine.post("/generate_stream")

    assert (429, {"error": "Model is overloaded", "error_type": "overloaded"}) == (
        (await refused.done()).status,
        refused.json,
    )
    assert (200, [refused.json]) == ((await refused_stream.done()).status, refused_stream.events)
    assert "2" == engine.metric('tgi_request_failure{err="overloaded"}')
    completion.end()
    (await begun(engine)).end()
    for call in calls:
        assert 200 == (await call.done()).status


async def test_a_slow_reader_holds_no_slot(engine: Engine) -> None:
    """What llama.cpp has finished is free, even while the answer is still being read."""
    run = await engine.inference.begin(engine_body())
    reading = asyncio.create_task(run.read())
    completion = await begun(engine)
    completion.say("a")
    await reading
    completion.say("b")
    completion.end()
    await until(lambda: engine.inference.slots.running == 0)

    assert 1 == engine.inference.permits
    run.close()
    run.close()

    assert (0, 0) == (engine.inference.permits, engine.inference.slots.running)


def engine_body() -> Body:
    """A request as parsed."""
    return Body("hello", Parameters())


async def test_an_inner_failure_before_the_first_token(engine: Engine) -> None:
    """424 with its reason; the permit is back."""
    call = engine.post("/generate")
    async with asyncio.timeout(5):
        (await engine.inner.asked.get()).refuse(500, "out of memory")
    await call.done()

    assert (
        424,
        {
            "error": "Request failed during generation: Server error: out of memory",
            "error_type": "generation",
        },
    ) == (call.status, call.json)
    assert "1" == engine.metric('tgi_batch_inference_failure{method="prefill"}')
    assert ("1", 0) == (engine.metric('tgi_request_failure{err="generation"}'), engine.inference.permits)


async def test_an_inner_failure_inside_a_stream(engine: Engine) -> None:
    """What came stays, then an error event; never a quiet end."""
    call = engine.post("/generate_stream")
    completion = await begun(engine)
    completion.say("ab")
    await call.until(b'"text":"b"')
    completion.break_off()
    await call.done()

    assert ["a", "b"] == [event["token"]["text"] for event in call.events[:-1]]
    assert {
        "error": "Request failed during generation: Server error: the inference server closed the stream",
        "error_type": "generation",
    } == call.events[-1]


async def test_an_inner_event_that_cannot_be_read(engine: Engine) -> None:
    """A failure like others, and no trace of it elsewhere."""
    call = engine.post("/generate_stream")
    completion = await begun(engine)
    completion.event({"tokens": [1]})
    await call.done()

    assert call.events[-1]["error"].endswith(
        "Server error: the inference server sent an event that cannot be read"
    )
    assert (0, 0) == (engine.inference.permits, engine.inference.slots.running)


async def test_a_connection_lost_before_the_first_byte_is_tried_again(engine: Engine) -> None:
    """Once: the request was not begun."""
    engine.inner.drop_next = 1
    call = engine.post("/generate")
    (await begun(engine)).end()

    assert 200 == (await call.done()).status
    engine.inner.drop_next = 2

    assert 424 == (await engine.post("/generate").done()).status
    assert 0 == engine.inference.slots.running


async def test_a_comment_is_sent_while_nothing_comes(engine: Engine) -> None:
    """Also while the request waits for its slot."""
    call = engine.post("/generate_stream")
    completion = await begun(engine)
    await call.until(b":\n\n")
    waiting = engine.post("/generate_stream")
    await waiting.until(b":\n\n")
    completion.end()
    await call.done()
    (await begun(engine)).end()
    await waiting.done()

    assert call.body.replace(b":\n\n", b"").startswith(b'data: {"index":1,')


async def test_ending_tells_every_reader(engine: Engine) -> None:
    """An error of TGI's, in the stream and outside."""
    stream = engine.post("/generate_stream")
    completion = await begun(engine)
    completion.say("a")
    await stream.until(b'"text":"a"')
    whole = engine.post("/generate")
    await until(lambda: engine.inference.slots.waiting == 1)
    engine.app.end()
    await stream.done()
    await whole.done()

    assert {
        "error": "Incomplete generation stream",
        "error_type": "incomplete_generation_stream",
    } == stream.events[-1]
    assert (500, {"error": "Incomplete generation", "error_type": "incomplete_generation"}) == (
        whole.status,
        whole.json,
    )
    assert 0 == engine.inference.permits


async def test_the_best_of_two(engine: Engine) -> None:
    """Both run, in two permits; the likelier one is the answer."""
    call = engine.post("/generate", best_of=2, do_sample=True, details=True)
    first = await begun(engine)
    first.say("ab")
    first.end()
    second = await begun(engine)
    second.predicted = 1
    second.event(
        {
            "content": "z",
            "tokens": [25],
            "stop": False,
            "tokens_predicted": 1,
            "completion_probabilities": [{"id": 25, "bytes": [122], "logprob": -0.1}],
        }
    )
    second.end()
    await call.done()

    assert "z" == call.json["generated_text"]
    assert ["ab"] == [other["generated_text"] for other in call.json["details"]["best_of_sequences"]]
    assert 0 == engine.inference.permits


async def test_the_best_of_two_where_one_fails(engine: Engine) -> None:
    """The other is given up, and everything comes back."""
    call = engine.post("/generate", best_of=2, do_sample=True)
    async with asyncio.timeout(5):
        (await engine.inner.asked.get()).refuse(500, "broken")

    assert 424 == (await call.done()).status
    assert (0, "<Slots 0/1 running, 0 waiting>") == (engine.inference.permits, repr(engine.inference.slots))


async def test_a_grammar_is_tried_once(engine: Engine) -> None:
    """Then it goes with the request."""
    grammar = {"type": "regex", "value": "[a-z]"}
    for _ in range(2):
        call = engine.post("/generate", grammar=grammar)
        completion = await begun(engine)
        completion.say("a")
        completion.end()
        await call.done()

    assert ['%llguidance {}\nstart: "~" /[a-z]/\n'] == [probe["grammar"] for probe in engine.inner.probes]
    assert "%llguidance {}\nstart: /[a-z]/\n" == completion.options["grammar"]


async def test_a_grammar_that_is_ignored_is_refused(engine: Engine) -> None:
    """llama.cpp would generate freely."""
    engine.inner.obeys_grammar = False
    call = await engine.post("/generate", grammar={"type": "regex", "value": "("}).done()

    assert (
        422,
        "Input validation error: grammar is not valid: the regular expression cannot be compiled",
    ) == (call.status, call.json["error"])
    assert 0 == engine.inference.slots.running


async def test_health(engine: Engine) -> None:
    """200 without a body, or 503 in JSON."""
    assert (200, b"") == ((call := await Call(engine.app, "GET", "/health").done()).status, call.body)
    engine.inner.is_healthy = False
    for path in ("/", "/health", "/ping"):
        call = await Call(engine.app, "GET", path).done()

        assert (503, {"error": "unhealthy", "error_type": "healthcheck"}) == (call.status, call.json)


async def test_health_after_a_failure_generates(engine: Engine) -> None:
    """A server that answers but cannot generate is not well."""
    engine.inner.drop_next = 2
    await engine.post("/generate").done()
    engine.inner.is_healthy = False

    assert 200 == (await Call(engine.app, "GET", "/health").done()).status
    assert 1 == len(engine.inner.probes)


async def test_tokenize(engine: Engine) -> None:
    """The automatic token first; no permit is needed."""
    call = await engine.post("/tokenize", inputs="ab").done()

    assert [
        {"id": 26, "text": "", "start": 0, "stop": 0},
        {"id": 0, "text": "a", "start": 0, "stop": 1},
        {"id": 1, "text": "b", "start": 1, "stop": 2},
    ] == call.json
    assert engine.metric("tgi_request_count") is None


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/nothing", 404, None),
        ("POST", "/health", 405, "GET,HEAD"),
        ("GET", "/generate", 405, "POST"),
        ("PUT", "/", 405, "GET,HEAD,POST"),
    ],
)
async def test_unknown_paths_and_methods(
    engine: Engine, method: str, path: str, status: int, allow: str | None
) -> None:
    """Empty answers."""
    call = await Call(engine.app, method, path).done()

    assert (status, b"", allow) == (call.status, call.body, call.headers.get("allow"))


@pytest.mark.parametrize("path", ["/", "/generate", "/generate_stream", "/tokenize"])
async def test_bodies_that_are_no_requests(engine: Engine, path: str) -> None:
    """Plain text, and nothing is counted."""
    answers = [
        await Call(engine.app, "POST", path, b"{}", "text/plain").done(),
        await Call(engine.app, "POST", path, b"{").done(),
        await Call(engine.app, "POST", path, b"{}").done(),
        await Call(engine.app, "POST", path, b" " * 2_000_001).done(),
    ]

    assert [415, 400, 422, 413] == [answer.status for answer in answers]
    assert {"text/plain; charset=utf-8"} == {answer.headers["content-type"] for answer in answers}
    assert b"Failed to buffer the request body: length limit exceeded" == answers[3].body
    assert engine.metric("tgi_request_count") is None


async def test_validation_in_both_forms(engine: Engine) -> None:
    """422 outside a stream, an event inside."""
    whole = await engine.post("/generate", top_k=0).done()
    stream = await engine.post("/generate_stream", best_of=2).done()

    assert (422, "Input validation error: `top_k` must be strictly positive") == (
        whole.status,
        whole.json["error"],
    )
    assert (
        200,
        [
            {
                "error": "Input validation error: `best_of` != 1 is not supported when streaming tokens",
                "error_type": "validation",
            }
        ],
    ) == (stream.status, stream.events)
    assert "2" == engine.metric('tgi_request_failure{err="validation"}')


async def test_the_page_of_metrics_is_empty_at_first(engine: Engine) -> None:
    """As TGI's is."""
    call = await Call(engine.app, "GET", "/metrics").done()

    assert (200, b"", "text/plain; charset=utf-8") == (call.status, call.body, call.headers["content-type"])


async def test_warming_up_chooses_a_probe(engine: Engine) -> None:
    """A character that the model does not say by itself."""
    await engine.inference.warm_up()

    assert 1 == len(engine.inner.probes)


async def test_damaged_weights_end_the_warm_up(engine: Engine) -> None:
    """Weights that add up to no number give tokens without a probability, which nobody could serve."""
    engine.inner.logprob = None
    with pytest.raises(StartRefused, match="its file is damaged"):
        await engine.inference.warm_up()
