"""The arithmetic of weights, cache and layouts."""

import dataclasses

import pytest

from engine.catalogue import KNOWN, look_up
from engine.sizing import (
    FORMATS,
    GIB,
    PREFILL_TOKENS,
    ConfigInvalid,
    Shape,
    best,
    fit,
    formats,
    layouts,
    read_shape,
    weights_bytes,
)

BITS_16, FP8, NF4 = FORMATS
LLAMA_8B = KNOWN["3", "8B"]
LLAMA_1B = KNOWN["3.2", "1B"]
LLAMA_70B = KNOWN["3", "70B"]
CONFIG_8B = {
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256,
    "max_position_embeddings": 8192, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("meta-llama/Meta-Llama-3-8B-Instruct", 8_030_261_248),
        ("meta-llama/Llama-3.1-8B", 8_030_261_248),
        ("meta-llama/Meta-Llama-3-70B-Instruct", 70_553_706_496),
        ("meta-llama/Llama-3.3-70B-Instruct", 70_553_706_496),
        ("meta-llama/Llama-3.2-1B-Instruct", 1_235_814_400),
        ("meta-llama/Llama-3.2-3B-Instruct", 3_212_749_824),
        ("meta-llama/Llama-3.1-405B-Instruct", 405_853_388_800),
    ],
)
def test_published_parameter_counts_come_out_exactly(name: str, parameters: int) -> None:
    """The formula over the configuration gives the number that the hub shows."""
    shape = look_up(name)
    assert shape is not None
    assert shape.parameters == parameters


@pytest.mark.parametrize(
    "name",
    ["meta-llama/Llama-3.2-11B-Vision-Instruct", "x/Llama-3-8B-Instruct-AWQ", "x/Meta-Llama-3-8B-GPTQ",
     "meta-llama/Llama-2-7b", "x/Llama-3-13B", "x/fable", "x/Llama-3.1-405B-FP8"],
)
def test_the_table_does_not_guess(name: str) -> None:
    """A model of another family, size or format is unknown rather than wrong."""
    assert look_up(name) is None


@pytest.mark.parametrize(
    ("shape", "kibibytes"), [(LLAMA_8B, 128), (LLAMA_70B, 320), (LLAMA_1B, 32), (KNOWN["3.2", "3B"], 112)]
)
def test_the_cache_of_a_token(shape: Shape, kibibytes: int) -> None:
    """A key and a value of 16 bit for each layer and key-value head."""
    assert shape.kv_bytes == kibibytes * 1024


def test_a_shape_is_read_from_the_published_configuration() -> None:
    """The built-in table says what Meta's config.json says."""
    assert read_shape(CONFIG_8B) == LLAMA_8B


def test_a_configuration_may_leave_out_what_follows_from_the_rest() -> None:
    """Without key-value heads every head has its own; without head_dim it is hidden / heads."""
    config = {name: value for name, value in CONFIG_8B.items() if name != "num_key_value_heads"}
    shape = read_shape(config)
    assert (shape.kv_heads, shape.head_size) == (32, 128)


@pytest.mark.parametrize("change", [{"model_type": "mistral"}, {"vocab_size": None}, {"hidden_size": "wide"}])
def test_what_is_no_llama_is_refused(change: dict[str, object]) -> None:
    """No plan is made from a configuration that the formula does not describe."""
    with pytest.raises(ConfigInvalid):
        read_shape(CONFIG_8B | change)


def test_weights_at_16_bit_are_two_bytes_for_each_parameter() -> None:
    """On one GPU, an untied model takes what its files take."""
    assert weights_bytes(LLAMA_8B, BITS_16, 1) == 2 * LLAMA_8B.parameters


def test_a_tied_head_is_loaded_twice() -> None:
    """TGI holds the shared table once for the embedding and once for the head."""
    assert weights_bytes(LLAMA_1B, BITS_16, 1) == 2 * LLAMA_1B.parameters + 2 * LLAMA_1B.embedding


def test_quantisation_leaves_embedding_and_head_alone() -> None:
    """fp8 saves one byte for each number of the matrices, and nothing else."""
    assert weights_bytes(LLAMA_8B, BITS_16, 1) - weights_bytes(LLAMA_8B, FP8, 1) == LLAMA_8B.linear


def test_shards_share_everything_but_the_norms() -> None:
    """Two halves are the whole, and the norms once more."""
    whole, half = (weights_bytes(LLAMA_8B, BITS_16, shards) for shards in (1, 2))
    assert 2 * half == whole + 2 * LLAMA_8B.norms


def test_a_quantised_checkpoint_has_only_its_own_format() -> None:
    """AWQ and GPTQ files are taken as they are, by their size."""
    shape = dataclasses.replace(LLAMA_8B, quantization="awq")
    (form,) = formats(shape)
    assert form.name == "as stored (awq)"
    assert weights_bytes(shape, form, 2, 6_000_000_000) == 3_000_000_000


def test_llama_3_8b_on_24_gib() -> None:
    """The formula of docs/sizing.md worked by hand.

    24 GiB - 0.75 context - 16,060,522,496 weights - 487,587,840 prefill - 4096 tokens of 128 KiB =
    7,879,458,816 bytes; 0.90 of that at 128 KiB a token, and the 4096 of the prefill.
    """
    prefill = 2 * 4096 * (4 * 4096 + 3 * 14336)
    left = 24 * GIB - (768 << 20) - 16_060_522_496 - prefill - 4096 * 131_072
    one = fit(LLAMA_8B, BITS_16, 1, [24 * GIB])
    assert one.tokens == int(0.90 * left / 131_072) + 4096
    assert (one.tokens, one.chats(8192), one.max_total_tokens(LLAMA_8B)) == (58_207, 7, 8192)


def test_what_does_not_fit_says_what_it_needs() -> None:
    """With exactly the needed memory the engine starts with the prefill's tokens, with a byte less not."""
    needed = fit(LLAMA_8B, BITS_16, 1, [8 * GIB]).needed
    assert not fit(LLAMA_8B, BITS_16, 1, [needed - 1]).fits
    assert fit(LLAMA_8B, BITS_16, 1, [needed]).tokens == PREFILL_TOKENS


def test_more_memory_never_holds_less() -> None:
    """Tokens grow with memory, whatever the format and the shards."""
    for form in FORMATS:
        for shards in (1, 2, 4):
            tokens = [fit(LLAMA_8B, form, shards, [size * GIB] * shards).tokens for size in range(1, 100)]
            assert tokens == sorted(tokens)


def test_an_engine_is_as_good_as_its_smallest_gpu() -> None:
    """Shards are equal, so the larger GPU's rest lies idle; GPUs that make no whole engine are left out."""
    pair = fit(LLAMA_8B, BITS_16, 2, [24 * GIB, 16 * GIB])
    assert pair == fit(LLAMA_8B, BITS_16, 2, [16 * GIB, 16 * GIB])
    assert fit(LLAMA_8B, BITS_16, 2, [24 * GIB, 16 * GIB, 16 * GIB]).replicas == 1


def test_layouts_are_those_that_the_heads_can_be_cut_into() -> None:
    """3B has 24 heads and 8 key-value heads: one, two, four or eight shards, as many as there are GPUs."""
    shapes = {one.shards for one in layouts(KNOWN["3.2", "3B"], [24 * GIB] * 4)}
    assert shapes == {1, 2, 4}
    odd = dataclasses.replace(LLAMA_8B, kv_heads=2)
    assert {one.shards for one in layouts(odd, [24 * GIB] * 8)} == {1, 2}


def test_the_best_layout_keeps_the_weights_before_it_adds_chats() -> None:
    """Quantisation is for what does not fit otherwise."""
    assert chosen(LLAMA_8B, 24) == ("16 bit", 1, 1)
    assert chosen(LLAMA_8B, 16) == ("fp8", 1, 1)
    assert chosen(LLAMA_70B, 24) is None


def test_engines_of_one_gpu_are_preferred_where_they_fill_the_slots() -> None:
    """Two GPUs are two engines for a small model, and one engine for a model that needs the room."""
    assert chosen(LLAMA_1B, 24, 24) == ("16 bit", 1, 2)
    assert chosen(LLAMA_8B, 24, 24) == ("16 bit", 2, 1)
    assert chosen(LLAMA_70B, 80, 80) == ("16 bit", 2, 1)


def chosen(shape: Shape, *gibibytes: int) -> tuple[str, int, int] | None:
    """Give format, shards and replicas of the best layout for eight chats of 8192 tokens."""
    one = best(layouts(shape, [size * GIB for size in gibibytes]), 8192, 8)
    return (one.form.name, one.shards, one.replicas) if one else None


@pytest.mark.parametrize("field", [
    "num_hidden_layers", "hidden_size", "num_attention_heads", "num_key_value_heads", "intermediate_size",
    "vocab_size", "max_position_embeddings",
])
@pytest.mark.parametrize("value", [-1, 10**30, 2.5, float("inf"), float("nan"), "8", [1], {"a": 1}, True])
def test_a_number_that_no_model_has_is_refused_by_name(field: str, value: object) -> None:
    """A damaged configuration is told as such, and nothing is computed with it."""
    with pytest.raises(ConfigInvalid, match=field):
        read_shape({**CONFIG_8B, field: value})
