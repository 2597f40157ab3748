"""The parts of the double that the contract cannot reach from outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.meters import Meters
from tests.fakes.request import CHUNK_TOKENS, Limits, deserialise, validate
from tests.fakes.script import Cue, Script
from tests.fakes.shard import last_user_message, whole_text
from tests.fakes.tokens import SPECIAL, encode, spell


@given(st.text())
def test_tokens_lose_no_byte(text: str) -> None:
    """The bytes of a text's tokens are the text."""
    raw = text.encode()

    assert raw == b"".join(token.raw for token in spell(text))
    assert all(raw[p.start : p.stop].decode() == p.text for p in encode(text, add_special_tokens=False))


def test_special_tokens_have_llama_3s_ids() -> None:
    """The 256 control tokens follow the ordinary ones without a gap."""
    assert {*range(128_000, 128_256)} == set(SPECIAL.values())
    named = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
    assert [128_000, 128_006, 128_007, 128_009] == [SPECIAL[name] for name in named]


@pytest.mark.parametrize(
    ("asked", "context", "limit"),
    [
        (10, 8192, 10),
        (1024, 8192, 1024),
        (1500, 8192, 2048),  # a second part is asked for whole: overshoot
        (3000, 8192, 3072),
        (1500, 1500, 1024),  # the second part no longer fits: undershoot
    ],
)
def test_long_answers_come_in_whole_parts(asked: int, context: int, limit: int) -> None:
    """Above 1024 tokens the router schedules again in parts of 1024 (tgi.md 1.3)."""
    body = b'{"inputs":"hi","parameters":{"max_new_tokens":%d}}' % asked
    limits = Limits(max_total_tokens=context, max_input_tokens=context - 1)

    validated = validate(deserialise(body), limits)

    assert (min(asked, CHUNK_TOKENS), limit) == (validated.max_new_tokens, validated.token_limit)


@pytest.mark.parametrize(
    ("raw", "text"), [(b"ab", "ab"), ("aé".encode()[:-1], ""), ("🦊".encode(), "🦊"), (b"", "")]
)
def test_a_broken_last_character_takes_the_whole_text(raw: bytes, text: str) -> None:
    """As the shard's own decoding does."""
    assert text == whole_text(raw)


def test_the_last_user_turn_is_echoed() -> None:
    """Of several turns the last; of a text without turns all of it."""
    user = "<|start_header_id|>user<|end_header_id|>\n\n"

    assert "two" == last_user_message(f"{user}one<|eot_id|>{user}two<|eot_id|>rest")
    assert "plain" == last_user_message("plain")


def test_cues_are_used_up_in_order() -> None:
    """A cue for two requests serves two, and the next one follows."""
    script = Script()
    script.add(Cue(reply="a", times=2))
    script.add(Cue(reply="b"))

    assert ["a", "a", "b", None] == [script.take("x").reply for _ in range(4)]


def test_an_untouched_page_is_empty() -> None:
    """No metric is declared before it was touched."""
    meters = Meters(max_input_tokens=100, max_total_tokens=200)
    assert "" == meters.page()

    meters.gauge("tgi_queue_size", 0)

    assert "# TYPE tgi_queue_size gauge\ntgi_queue_size 0\n\n" == meters.page()


def test_buckets_count_what_lies_at_or_below_them() -> None:
    """Cumulative, with the count of all under infinity."""
    meters = Meters(max_input_tokens=100, max_total_tokens=200)
    for value in (1, 1, 2, 500):
        meters.record("tgi_request_input_length", value)

    page = meters.page()

    assert 'tgi_request_input_length_bucket{le="1"} 2\n' in page
    assert 'tgi_request_input_length_bucket{le="2"} 3\n' in page
    assert 'tgi_request_input_length_bucket{le="+Inf"} 4\n' in page
    assert "tgi_request_input_length_sum 504\n" in page
