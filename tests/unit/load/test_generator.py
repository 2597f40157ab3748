"""What the load makes of the bytes it read."""

import json

import pytest

from tests.load import wire
from tests.load.generator import is_ended, request_bytes, token_times, with_tokens


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 5000])
def test_a_token_came_with_the_read_that_holds_its_text(size: int) -> None:
    """However the bytes are cut, each token is counted once, at its own read."""
    body = b"".join(wire.answer(5).chunks)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    times = [float(number) for number in range(len(pieces))]

    found = token_times(pieces, times)

    starts = [
        body.index(b'"text":', body.index(b'"index":%d,' % index)) + len(b'"text":"') for index in range(1, 6)
    ]
    assert [float(start // size) for start in starts] == found


def test_roles_and_ends_of_chunks_are_no_tokens() -> None:
    """Empty contents do not count."""
    chunks = [
        b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"\\""}}]}\n\n',
        b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
    ]

    assert [1.0, 2.0] == token_times(chunks, [0.0, 1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("pieces", "ended"),
    [
        ([b"data\r\n0\r\n\r\n"], True),
        ([b"data\r\n", b"0\r\n\r\n"], True),
        ([b"data\r", b"\n", b"0\r\n\r\n"], True),
        ([b"HTTP/1.1 200 OK\r\nkeep-alive: max=100\r\n\r\n"], False),
        ([b"data\r\n"], False),
    ],
)
def test_an_answer_ends_with_an_empty_chunk(pieces: list[bytes], ended: bool) -> None:
    """And not with a head whose last digit is a nought."""
    assert ended is is_ended(pieces)


def test_tokens_are_asked_for_in_each_routes_words() -> None:
    """TGI, OpenAI and llama.cpp name the same number differently."""
    assert {"inputs": "a", "parameters": {"details": True, "max_new_tokens": 3}} == with_tokens(
        {"inputs": "a", "parameters": {"details": True}}, 3
    )
    assert {"messages": [], "max_tokens": 3} == with_tokens({"messages": []}, 3)
    assert {"prompt": "a", "n_predict": 3} == with_tokens({"prompt": "a", "n_predict": 9}, 3)


def test_a_request_is_whole_http() -> None:
    """Head, length and body fit together."""
    head, _, body = request_bytes("/x", {"a": "é"}).partition(b"\r\n\r\n")

    assert head.startswith(b"POST /x HTTP/1.1\r\n")
    assert b"content-length: %d" % len(body) in head
    assert {"a": "é"} == json.loads(body)
