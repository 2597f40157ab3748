"""Which model runs, and whether this engine can run it.

Decision tree:
1. MODEL_PATH names a file: that file, or an error.
2. MODEL_ID names a hub repository: its file from the cache or the hub, or an error.
3. The default repository's file is in the cache: that file.
4. The hub can be reached: the default is downloaded.
5. The demo model that is part of this repository.

Knows: the order above, names of models, what a GGUF header must say.
Knows nothing of: the hub's protocol (see hub), llama.cpp.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EXIT_MODEL_UNAVAILABLE, EXIT_MODEL_UNUSABLE, StartRefused
from engine.gguf import Header
from engine.hub import Fetched, Hub, HubFailed
from engine.settings import Settings

DEMO_ID = "paddock-demo"
DEMO_PATH = Path(__file__).parent / "demo" / "paddock-demo.gguf"
# Ungated copies of Llama 3.2 1B Instruct in llama.cpp's format; about 0.8 GB.
DEFAULT_ID = "bartowski/Llama-3.2-1B-Instruct-GGUF:Llama-3.2-1B-Instruct-Q4_K_M.gguf"

# Longer contexts cost memory for every slot, and few chats need more.
MOST_DEFAULT_TOKENS = 8192
_LEAST_DEFAULT_TOKENS = 1024
# More threads than this gain little: reading the weights from memory is what takes the time.
MOST_DEFAULT_THREADS = 4
# A model that fits in a processor's caches; below this threads spend their time waiting for each other.
SMALL_MODEL_BYTES = 64 * 1024 * 1024
# llama.cpp keeps keys and values as 16-bit floats.
_CACHE_VALUE_BYTES = 2

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Model:
    """The chosen file and the name under which it is served. sha is the hub's commit, if known."""

    path: Path
    id: str
    sha: str | None = None


def choose(settings: Settings, hub: Hub, say: Say, demo: Path = DEMO_PATH) -> Model:
    """Choose the model, downloading it if need be. May block for as long as a download takes.

    Raises: StartRefused where the model that was asked for cannot be had.
    """
    if settings.model_path is not None:  # 1
        path = Path(settings.model_path).expanduser()
        if not path.is_file():
            raise StartRefused(EXIT_MODEL_UNUSABLE, f"MODEL_PATH names {path}, and there is no such file.")
        return Model(path, path.name)
    if settings.model_id is not None:  # 2
        if settings.model_id == DEMO_ID:
            return _bundled(demo)
        try:
            return _from_hub(hub.fetch(settings.model_id, say, settings.model_revision), settings.model_id)
        except HubFailed as failure:
            raise StartRefused(
                EXIT_MODEL_UNAVAILABLE, f"{settings.model_id} cannot be had: {failure}"
            ) from None
    try:  # 3, 4
        return _from_hub(hub.fetch(DEFAULT_ID, say), DEFAULT_ID)
    except HubFailed as failure:  # 5
        say(f"no Llama 3.2 model is at hand: {failure} The bundled demo model is used instead.")
        return _bundled(demo)


def _from_hub(fetched: Fetched, model_id: str) -> Model:
    return Model(fetched.path, model_id.partition(":")[0], fetched.sha)


def _bundled(demo: Path) -> Model:
    if not demo.is_file():
        raise StartRefused(
            EXIT_MODEL_UNAVAILABLE,
            f"The bundled demo model {demo} is missing; restore it, or set MODEL_PATH or MODEL_ID.",
        )
    return Model(demo, DEMO_ID)


def check_header(header: Header, path: Path) -> None:
    """Refuse a model that is no Llama, or that lacks what generation needs.

    Raises: StartRefused.
    """
    architecture = header.text("general.architecture")
    if architecture != "llama":
        raise StartRefused(
            EXIT_MODEL_UNUSABLE,
            f"{path} holds a model of architecture {architecture or 'unknown'}, and only llama is served.",
        )
    if not header.strings("tokenizer.ggml.tokens"):
        raise StartRefused(EXIT_MODEL_UNUSABLE, f"{path} has no vocabulary.")
    if not header.integer("llama.context_length"):
        raise StartRefused(EXIT_MODEL_UNUSABLE, f"{path} does not say how long its context is.")


def default_threads(file_bytes: int, cores: int) -> int:
    """Choose the number of threads for a model.

    llama.cpp's threads wait for each other at every layer, actively. Measured with the demo model on 2 cores:
    a second thread gives a third more tokens on an idle machine and takes away nine tenths on a busy one.
    """
    if file_bytes < SMALL_MODEL_BYTES:
        return 1
    return max(1, min(cores, MOST_DEFAULT_THREADS))


def cache_bytes_per_token(header: Header) -> int:
    """Give the memory that one token of context takes in one slot."""
    layers = header.integer("llama.block_count") or 0
    heads = header.integer("llama.attention.head_count") or 1
    key_heads = header.integer("llama.attention.head_count_kv") or heads
    width = (header.integer("llama.embedding_length") or 0) // heads
    return 2 * _CACHE_VALUE_BYTES * layers * key_heads * width


def context_tokens(header: Header, settings: Settings, free_bytes: int | None, say: Say) -> int:
    """Choose the longest prompt and answer together, per request.

    What the settings ask for, but no more than the model was trained for; without a setting the model's,
    capped, and halved until the context of all slots fits in half of the free memory.

    Units:  tokens; free_bytes is memory, None if unknown.
    Raises: StartRefused where the settings ask for more than the model has.
    """
    trained = header.integer("llama.context_length") or 0
    if settings.max_total_tokens is not None:
        if settings.max_total_tokens > trained:
            raise StartRefused(
                EXIT_MODEL_UNUSABLE,
                f"ENGINE_MAX_TOTAL_TOKENS is {settings.max_total_tokens}; this model is made for {trained}.",
            )
        return settings.max_total_tokens
    tokens = min(trained, MOST_DEFAULT_TOKENS)
    needed = cache_bytes_per_token(header) * settings.slots
    room = tokens * needed if free_bytes is None else free_bytes // 2
    while tokens * needed > room and tokens // 2 >= _LEAST_DEFAULT_TOKENS:
        tokens //= 2
    if tokens < min(trained, MOST_DEFAULT_TOKENS):
        say(f"memory is short: {tokens} tokens per request instead of {min(trained, MOST_DEFAULT_TOKENS)}.")
    return tokens
