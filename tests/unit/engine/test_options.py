"""What llama.cpp is asked for."""

from typing import Any

import pytest

from engine.options import completion_options, inner_seed
from engine.request import Budget, Limits, Request, Sampling

GREEDY = Sampling(1.0, 0, 1.0, 1.0, 1.0, 0.0, None)


def options(sampling: Sampling, top_n: int = 0) -> dict[str, Any]:
    """Write the options of a request with this sampling."""
    request = Request("x", sampling, 20, (), None, top_n, None)
    return completion_options(request, Budget([1, 2, 3], 20, 20), Limits(512))


def test_a_greedy_request_takes_the_likeliest_token() -> None:
    """And the model's own log-probability."""
    given = options(GREEDY)

    assert (["top_k"], 1, 0.0, False) == (
        given["samplers"],
        given["top_k"],
        given["temperature"],
        given["post_sampling_probs"],
    )
    assert ([1, 2, 3], 23, 1, 512) == (
        given["prompt"],
        given["n_predict"],
        given["n_probs"],
        given["repeat_last_n"],
    )


def test_greedy_penalties_come_first() -> None:
    """They change which token is the likeliest."""
    assert ["penalties", "top_k"] == options(Sampling(1.0, 0, 1.0, 1.0, 1.3, 0.0, None))["samplers"]


def test_sampling_follows_tgis_order() -> None:
    """Penalties, temperature, top_k, top_p, typical_p."""
    given = options(Sampling(0.7, 40, 0.9, 0.95, 1.2, 0.5, 9), top_n=4)

    assert ["penalties", "temperature", "min_p", "top_k", "top_p", "typ_p"] == given["samplers"]
    assert (0.7, 40, 0.9, 0.95, 1.2, 0.5, 9, 4, True) == tuple(
        given[name]
        for name in (
            "temperature",
            "top_k",
            "top_p",
            "typical_p",
            "repeat_penalty",
            "frequency_penalty",
            "seed",
            "n_probs",
            "post_sampling_probs",
        )
    )


def test_unused_steps_are_left_out() -> None:
    """They would cost a sort of the vocabulary."""
    assert ["temperature", "min_p"] == options(Sampling(1.0, 0, 1.0, 1.0, 1.0, 0.0, 9))["samplers"]


@pytest.mark.parametrize(
    ("seed", "folded"),
    [(None, 0), (7, 7), (2**32, 1), (2**64 - 1, 0), (2**32 - 1, 0xFFFFFFFE), (2**32 + 1, 0)],
)
def test_seeds_are_folded(seed: int | None, folded: int) -> None:
    """Never to the value that means a random one."""
    assert folded == inner_seed(seed)
