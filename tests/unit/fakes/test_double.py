"""The double of TGI can be scripted, watched, killed and brought back."""

import http.client
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.double import ProcessDouble, TgiDouble, ThreadDouble

WORDS = {"inputs": "one two three"}


def post(double: TgiDouble, document: dict[str, Any], path: str = "/generate_stream") -> str:
    """The whole body of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", double.port, timeout=20)
    try:
        connection.request("POST", path, json.dumps(document), {"content-type": "application/json"})
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def texts(body: str) -> list[str]:
    """The token texts of a stream."""
    events = [json.loads(line.removeprefix("data:")) for line in body.splitlines() if line]
    return [event["token"]["text"] for event in events if "token" in event]


def open_stream(double: ThreadDouble, document: dict[str, Any]) -> socket.socket:
    """A connection that has sent a stream's request and read nothing."""
    body = json.dumps(document).encode()
    client = socket.create_connection(("127.0.0.1", double.port), timeout=20)
    head = f"POST /generate_stream HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n"
    client.sendall(head.encode() + b"content-type: application/json\r\n\r\n" + body)
    return client


def test_the_echo_repeats_the_last_user_message(tgi_double: ThreadDouble) -> None:
    """Without a script the double answers a Llama 3 prompt with its last user turn."""
    prompt = "<|start_header_id|>user<|end_header_id|>\n\nHello there<|eot_id|>"

    assert ["Hello", " there", "<|eot_id|>"] == texts(post(tgi_double, {"inputs": prompt}))


def test_a_cue_is_taken_once_and_in_order(tgi_double: ThreadDouble) -> None:
    """Cues answer the next requests, one each, and then the echo is back."""
    tgi_double.script(reply="first").script(tokens=["a", "bc", "<|eot_id|>"])

    assert ["first", "<|eot_id|>"] == texts(post(tgi_double, WORDS))
    assert ["a", "bc", "<|eot_id|>"] == texts(post(tgi_double, WORDS))
    assert ["one", " two", " three", "<|eot_id|>"] == texts(post(tgi_double, WORDS))


def test_a_cue_waits_for_the_request_it_matches(tgi_double: ThreadDouble) -> None:
    """A cue with `match` leaves other requests alone; with `times` None it stays."""
    tgi_double.script(reply="found", match="needle", times=None)

    assert ["hay", "<|eot_id|>"] == texts(post(tgi_double, {"inputs": "hay"}))
    for _ in range(2):
        assert ["found", "<|eot_id|>"] == texts(post(tgi_double, {"inputs": "a needle"}))


@pytest.mark.parametrize("cue", [{"fault": "nonsense"}, {"replies": "x"}])
def test_a_misspelt_cue_is_refused(tgi_double: ThreadDouble, cue: dict[str, Any]) -> None:
    """A cue that could not work fails in the test that wrote it."""
    with pytest.raises(ValueError, match="no such"):
        tgi_double.script(**cue)


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        ("generation", '"error_type":"generation"}\n\n'),
        ("incomplete", '"error_type":"incomplete_generation_stream"}\n\n'),
        ("garbage", '"token":\n\n'),
        ("close", '"details":null}\n\n'),
    ],
)
def test_a_fault_comes_after_its_tokens(tgi_double: ThreadDouble, fault: str, end: str) -> None:
    """A scripted fault ends the stream where the cue says, in its own way."""
    tgi_double.script(fault=fault, after=2)

    body = post(tgi_double, WORDS)

    assert body.endswith(end)
    assert 2 == body.count('"special":false')


def test_a_cut_stream_is_a_broken_connection(tgi_double: ThreadDouble) -> None:
    """The `cut` fault resets the connection in the middle of the body."""
    tgi_double.script(fault="cut", after=1)

    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        post(tgi_double, WORDS)


def test_a_stalled_stream_goes_on_when_released(tgi_double: ThreadDouble) -> None:
    """A stall holds the tokens back, keeps the connection alive, and ends on release."""
    tgi_double.settle(keep_alive_seconds=0.01).script(fault="stall", after=1)

    with open_stream(tgi_double, WORDS) as client:
        received = b""
        while b"\r\n:\n\n\r\n" not in received:
            received += client.recv(65536)
        tgi_double.release()
        while not received.endswith(b"0\r\n\r\n"):
            received += client.recv(65536)

    assert 4 == received.count(b'"token"')


def test_a_departure_is_seen_and_noticed(tgi_double: ThreadDouble) -> None:
    """A client that closes is recorded at once, and the token loop notices at its next token."""
    tgi_double.script(fault="stall", after=1)

    open_stream(tgi_double, WORDS).close()

    seen = tgi_double.wait_seen(lambda request: request.noticed_at is not None)
    assert seen.disconnected_at is not None
    assert seen.noticed_at is not None
    assert 1 == seen.generated


def test_several_tokens_come_in_one_read(tgi_double: ThreadDouble) -> None:
    """A burst of n tokens is written in one piece."""
    tgi_double.script(burst=3)

    with open_stream(tgi_double, WORDS) as client:
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            received += client.recv(65536)

    chunks = received.partition(b"\r\n\r\n")[2].split(b"\r\n")[1::2]
    assert [3, 1] == [chunk.count(b"data: ") for chunk in chunks[:2]]


def test_a_dead_double_refuses_and_comes_back_on_its_port(tgi_double: ThreadDouble) -> None:
    """After `die` nothing listens; after `listen` the same address answers."""
    tgi_double.die()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", tgi_double.port), timeout=20)

    tgi_double.listen()

    assert 4 == len(texts(post(tgi_double, WORDS)))


def test_nothing_listens_before_the_process_is_ready(start_tgi_process: Callable[..., ProcessDouble]) -> None:
    """A loading double refuses connections, then answers, and its exit fault ends it with status 1."""
    # Longer than a busy machine keeps a test from asking.
    double = start_tgi_process(load_seconds=2.0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", double.port), timeout=20)

    double.wait_ready()
    assert 4 == len(texts(post(double, WORDS)))

    double.script(fault="exit")
    with pytest.raises((ConnectionResetError, http.client.HTTPException)):
        post(double, WORDS)
    assert 1 == double.process.wait(20)


def test_seen_requests_carry_their_body(tgi_double: ThreadDouble) -> None:
    """What the software under test sent can be read back, with status and events."""
    post(tgi_double, {"inputs": "x y", "parameters": {"max_new_tokens": 1}})

    seen = tgi_double.wait_seen(lambda request: request.ended_at is not None)

    assert ("POST", "/generate_stream", "x y") == (seen.method, seen.path, seen.inputs)
    assert {"max_new_tokens": 1} == seen.parameters
    assert (200, 1, None) == (seen.status, seen.events, seen.disconnected_at)


def test_settings_can_change_while_it_runs(tgi_double: ThreadDouble) -> None:
    """Health and the form of events switch; reset takes everything back."""
    tgi_double.settle(has_space=False)
    assert post(tgi_double, WORDS).startswith("data:{")

    tgi_double.reset()

    assert post(tgi_double, WORDS).startswith("data: {")
    assert 1 == len(tgi_double.seen())
