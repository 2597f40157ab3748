"""llama.cpp's options for one completion, every one that matters given.

Its own defaults differ from TGI's (it cuts unlikely tokens, for one), so none is left to it.

Knows: llama.cpp's names, TGI's order of sampling steps.
Knows nothing of: where the request came from.
"""

from typing import Any

from engine.generation import LOOKAHEAD_TOKENS
from engine.request import Budget, Limits, Request, Sampling

# Tokens less likely than this share of the likeliest one are left out before the rest is sorted. With
# Llama 3's 128,256 tokens that is less than 0.013 % of the probability in the worst case; without it every
# token costs a sort of the whole vocabulary, more than the generation itself.
_NEGLIGIBLE = 1e-9


def completion_options(request: Request, budget: Budget, limits: Limits) -> dict[str, Any]:
    """Write the body of a completion request.

    Source: tgi.md for the order: penalties, (grammar), temperature, top_k, top_p, typical_p.
    """
    sampling = request.sampling
    is_random = sampling.seed is not None
    return {
        "prompt": budget.prompt,
        "n_predict": budget.new_tokens + LOOKAHEAD_TOKENS,
        "stream": True,
        "return_tokens": True,
        "n_probs": max(1, request.top_n_tokens),
        # TGI's log-probabilities are those after temperature and cuts; greedy ones are the model's own.
        "post_sampling_probs": is_random,
        "cache_prompt": True,
        "samplers": _random_samplers(sampling) if is_random else _greedy_samplers(sampling),
        "temperature": sampling.temperature if is_random else 0.0,
        "top_k": sampling.top_k if is_random else 1,
        "top_p": sampling.top_p,
        "typical_p": sampling.typical_p,
        "min_p": _NEGLIGIBLE if is_random else 0.0,
        "repeat_penalty": sampling.repetition_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": 0.0,
        # TGI's penalties look at the whole text; -1 would mean that, but this server refuses it.
        "repeat_last_n": limits.max_total_tokens,
        "dry_multiplier": 0.0,
        "xtc_probability": 0.0,
        "mirostat": 0,
        "seed": inner_seed(sampling.seed),
    }


def inner_seed(seed: int | None) -> int:
    """Fold TGI's 64-bit seed into llama.cpp's 32 bits, whose highest value would mean a random seed."""
    if seed is None:
        return 0
    return min((seed ^ (seed >> 32)) & 0xFFFFFFFF, 0xFFFFFFFE)


def _random_samplers(sampling: Sampling) -> list[str]:
    steps = [
        ("penalties", _has_penalties(sampling)),
        ("temperature", True),
        ("min_p", True),
        ("top_k", sampling.top_k > 0),
        ("top_p", sampling.top_p < 1.0),
        ("typ_p", sampling.typical_p < 1.0),
    ]
    return [name for name, is_used in steps if is_used]


def _greedy_samplers(sampling: Sampling) -> list[str]:
    return ["penalties", "top_k"] if _has_penalties(sampling) else ["top_k"]


def _has_penalties(sampling: Sampling) -> bool:
    return sampling.repetition_penalty != 1.0 or sampling.frequency_penalty != 0.0
