"""Log-probabilities in OpenAI's two forms, and beside a text that is held back."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.chat import Token
from gateway.logprob import Pairing, chat_logprobs, completion_logprobs

TOP = (Token("a", -0.1), Token("b", -3.0))


def test_a_chat_s_tokens() -> None:
    """Each with its bytes and its alternatives."""
    assert {
        "content": [
            {
                "token": "é", "logprob": -0.5, "bytes": [195, 169],
                "top_logprobs": [
                    {"token": "a", "logprob": -0.1, "bytes": [97]},
                    {"token": "b", "logprob": -3.0, "bytes": [98]},
                ],
            },
            {"token": "", "logprob": -9999.0, "bytes": [], "top_logprobs": []},
        ],
        "refusal": None,
    } == chat_logprobs([Token("é", -0.5, TOP), Token("", None)])  # fmt: skip


def test_a_completion_s_tokens() -> None:
    """Four lists; the chosen token is among its alternatives in any case."""
    tokens = [Token("é", -0.5, TOP), Token("x", -1.0)]

    assert {
        "tokens": ["é", "x"], "token_logprobs": [-0.5, -1.0], "text_offset": [7, 8],
        "top_logprobs": [{"a": -0.1, "b": -3.0, "é": -0.5}, {"x": -1.0}],
    } == completion_logprobs(tokens, 7, has_top=True)  # fmt: skip
    assert completion_logprobs(tokens, 7, has_top=False)["top_logprobs"] is None


@given(st.lists(st.text(max_size=3), max_size=8), st.lists(st.integers(0, 6), max_size=12))
def test_tokens_come_with_their_text(texts: list[str], steps: list[int]) -> None:
    """Each once, in order, as soon as its first character is shown and not before."""
    pairing, given_, shown = Pairing(), [], 0
    length = sum(map(len, texts))
    given_ += pairing.feed([Token(text, None) for text in texts], 0)
    for step in [*steps, length]:
        now = min(step, length - shown)
        shown += now
        given_ += pairing.feed((), now)
        begun = [sum(map(len, texts[:at])) < shown for at, text in enumerate(texts) if text]

        assert sum(begun) == sum(1 for token in given_ if token.text)
    assert texts == [token.text for token in given_]
