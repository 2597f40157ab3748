"""llama.cpp's events become TGI's steps."""

import math
from typing import Any

import pytest

from engine.errors import GenerationFailed
from engine.generation import Decoder, Finish, Step, Token
from engine.vocabulary import Vocabulary

A, B, F0, X9F, X98, X80, EOT, HEADER = range(8)
VOCABULARY = Vocabulary(
    ["a", "Ġb", "ð", "Ł", "ĺ", "Ģ", "<|eot_id|>", "<|start_header_id|>"], [1] * 6 + [3, 3], is_bpe=True
)


class Inner:
    """Writes events as the inner server does."""

    def __init__(self) -> None:
        self.predicted = 0

    def token(self, token: int, data: bytes, hidden: int = 0, **chance: Any) -> dict[str, Any]:
        """Write one token event; data is what llama.cpp shows, hidden how many tokens it kept back."""
        self.predicted += 1 + hidden
        chances = {"id": token, "bytes": list(data), "logprob": -0.5, "top_logprobs": []} | chance
        return {
            "content": data.decode("utf-8", "replace"),
            "tokens": [token],
            "stop": False,
            "tokens_predicted": self.predicted,
            "completion_probabilities": [chances],
        }

    def stop(self, kind: str) -> dict[str, Any]:
        """Write the last event."""
        return {
            "content": "",
            "tokens": [],
            "stop": True,
            "stop_type": kind,
            "tokens_predicted": self.predicted,
        }


def steps_of(decoder: Decoder, *events: dict[str, Any]) -> list[Step]:
    """Feed events in order."""
    return [step for event in events for step in decoder.feed(event)]


def test_tokens_become_steps() -> None:
    """Index from 1, text, logprob, and no end yet."""
    inner = Inner()

    assert [
        Step(1, Token(A, "a", -0.5, False), [], None),
        Step(2, Token(B, " b", -0.25, False), [], None),
    ] == steps_of(Decoder(VOCABULARY, 9), inner.token(A, b"a"), inner.token(B, b" b", logprob=-0.25))


def test_the_end_of_the_sequence_is_a_special_step() -> None:
    """It is held until llama.cpp says that it ends the sequence, and shows its name."""
    inner, decoder = Inner(), Decoder(VOCABULARY, 9)
    assert [1] == [step.index for step in steps_of(decoder, inner.token(A, b"a"))]
    assert [] == decoder.feed(inner.token(EOT, b""))

    assert [Step(2, Token(EOT, "<|eot_id|>", -0.5, True), [], Finish("eos_token", "a", 2))] == decoder.feed(
        inner.stop("eos")
    )


def test_length_comes_before_the_end_of_the_sequence() -> None:
    """An end on the last allowed token is `length`, at once."""
    inner, decoder = Inner(), Decoder(VOCABULARY, 2)
    steps = steps_of(decoder, inner.token(A, b"a"), inner.token(EOT, b""))

    assert Finish("length", "a", 2) == steps[-1].finish == decoder.finish
    assert steps[-1].token.special


def test_length_comes_before_a_stop_text() -> None:
    """TGI's order."""
    steps = steps_of(Decoder(VOCABULARY, 1, ("a",)), Inner().token(A, b"a"))

    assert Finish("length", "a", 1) == steps[-1].finish


def test_the_end_of_the_sequence_comes_before_a_stop_text() -> None:
    """A stop text that names the end token changes nothing."""
    inner = Inner()
    steps = steps_of(Decoder(VOCABULARY, 9, ("<|eot_id|>",)), inner.token(EOT, b""), inner.stop("eos"))

    assert Finish("eos_token", "", 1) == steps[-1].finish


def test_a_stop_text_stays_in_the_text() -> None:
    """It may begin inside an earlier token, and must end with this one."""
    inner, decoder = Inner(), Decoder(VOCABULARY, 9, ("z", "a b"))
    steps = steps_of(
        decoder, inner.token(A, b"a"), inner.token(A, b"a"), inner.token(B, b" b"), inner.token(A, b"a")
    )

    assert [None, None, Finish("stop_sequence", "aa b", 3)] == [step.finish for step in steps]


def test_a_token_that_runs_past_a_stop_text_defeats_it() -> None:
    """As in TGI, a stop text is looked for at the ends of tokens only."""
    inner = Inner()

    assert [None, None] == [
        step.finish
        for step in steps_of(Decoder(VOCABULARY, 9, (" ",)), inner.token(B, b" b"), inner.token(A, b"a"))
    ]


def test_a_stop_text_before_a_last_line_end_counts() -> None:
    """TGI's pattern ends in a dollar sign, which also stands before a last line end."""
    newline = Vocabulary(["a", "aĊ"], [1, 1], is_bpe=True)
    steps = steps_of(Decoder(newline, 9, ("a",)), Inner().token(1, b"a\n"))

    assert Finish("stop_sequence", "a\n", 1) == steps[-1].finish


def test_a_control_token_inside_the_text_is_special() -> None:
    """It goes on, and its name is no part of the whole text."""
    inner = Inner()
    decoder = Decoder(VOCABULARY, 3)
    steps = steps_of(decoder, inner.token(HEADER, b""), inner.token(A, b"a"), inner.token(A, b"a"))

    assert [("<|start_header_id|>", True), ("a", False), ("a", False)] == [
        (step.token.text, step.token.special) for step in steps
    ]
    assert Finish("length", "aa", 3) == decoder.finish


def test_the_tokens_of_one_character_are_told_apart() -> None:
    """llama.cpp shows one event; the others have empty texts and unknown log-probabilities."""
    steps = steps_of(Decoder(VOCABULARY, 9), Inner().token(X80, "😀".encode(), hidden=3))

    assert [
        Token(F0, "", None, False),
        Token(X9F, "", None, False),
        Token(X98, "", None, False),
        Token(X80, "😀", -0.5, False),
    ] == [step.token for step in steps]
    assert [1, 2, 3, 4] == [step.index for step in steps]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_an_end_inside_a_character_empties_the_text(limit: int) -> None:
    """TGI's last event has no text then, though earlier steps had."""
    inner, decoder = Inner(), Decoder(VOCABULARY, limit + 1)
    steps = steps_of(decoder, inner.token(A, b"a"), inner.token(X80, "😀".encode(), hidden=3))

    assert limit + 1 == len(steps)
    assert Finish("length", "", limit + 1) == steps[-1].finish
    assert "a" == "".join(step.token.text for step in steps)


def test_bytes_that_are_no_character_wait_for_the_next_token() -> None:
    """TGI shows a replacement once something readable follows."""
    inner = Inner()
    steps = steps_of(Decoder(VOCABULARY, 9), inner.token(X9F, b"\x9f"), inner.token(A, b"a"))

    assert ["", "\ufffda"] == [step.token.text for step in steps]


def test_probabilities_after_sampling_become_logarithms() -> None:
    """A probability of nothing has none."""
    inner, decoder = Inner(), Decoder(VOCABULARY, 9, top_n=2)
    event = inner.token(A, b"a")
    top = [{"id": A, "prob": 0.75}, {"id": EOT, "prob": 0.0}, {"id": B, "prob": 0.25}]
    event["completion_probabilities"] = [{"id": A, "bytes": [97], "prob": 0.75, "top_probs": top}]
    step = decoder.feed(event)[0]

    assert math.log(0.75) == step.token.logprob
    assert [Token(A, "a", math.log(0.75), False), Token(EOT, "<|eot_id|>", None, True)] == step.top


def test_nothing_follows_the_end() -> None:
    """The three extra tokens asked for are not shown."""
    inner, decoder = Inner(), Decoder(VOCABULARY, 1)
    steps_of(decoder, inner.token(A, b"a"))

    assert [] == steps_of(decoder, inner.token(A, b"a"), inner.stop("limit"))


def unfinished(kind: str) -> tuple[Decoder, dict[str, Any]]:
    """Decode up to an end of the text that hides the last tokens, and give what a replay answers."""
    inner, decoder = Inner(), Decoder(VOCABULARY, 3)
    steps_of(decoder, inner.token(A, b"a"))
    inner.predicted += 2
    assert [] == decoder.feed(inner.stop(kind))
    assert decoder.needs_replay
    chances = [{"id": token, "logprob": -token} for token in (A, F0, X9F)]
    return decoder, {"tokens": [A, F0, X9F], "completion_probabilities": chances, "stop_type": kind}


def test_tokens_hidden_at_the_end_come_from_a_replay() -> None:
    """With their log-probabilities; the text is empty, as always inside a character."""
    decoder, answer = unfinished("limit")
    steps = decoder.replay(answer)

    assert [Token(F0, "", -2.0, False), Token(X9F, "", -3.0, False)] == [step.token for step in steps]
    assert Finish("length", "", 3) == steps[-1].finish
    assert not decoder.needs_replay


def test_an_end_token_hidden_behind_half_a_character() -> None:
    """llama.cpp does not show it; the replay does."""
    inner, decoder = Inner(), Decoder(VOCABULARY, 9)
    inner.predicted = 2
    decoder.feed(inner.stop("eos"))
    chances = [{"id": token, "logprob": -1.0} for token in (F0, EOT)]
    steps = decoder.replay({"tokens": [F0, EOT], "completion_probabilities": chances, "stop_type": "eos"})

    assert Token(EOT, "<|eot_id|>", -1.0, True) == steps[-1].token
    assert Finish("eos_token", "", 2) == steps[-1].finish


def test_a_replay_that_differs_is_a_failure() -> None:
    """What was streamed cannot be taken back."""
    decoder, answer = unfinished("limit")
    answer["tokens"][0] = B
    with pytest.raises(GenerationFailed, match="could not be read"):
        decoder.replay(answer)


def test_an_end_without_a_last_token_is_a_failure() -> None:
    """Silence must not look like success."""
    inner, decoder = Inner(), Decoder(VOCABULARY, 9)
    steps_of(decoder, inner.token(A, b"a"))
    with pytest.raises(GenerationFailed) as caught:
        decoder.feed(inner.stop("limit"))

    reason = "the inference server ended the text without a last token"

    assert f"Request failed during generation: Server error: {reason}" == caught.value.message


def test_an_error_event_is_a_failure() -> None:
    """With the inner server's reason."""
    with pytest.raises(GenerationFailed, match=r"Server error: no memory$"):
        Decoder(VOCABULARY, 9).feed({"error": {"message": "no memory"}})
