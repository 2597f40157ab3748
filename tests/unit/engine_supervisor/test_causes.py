"""TGI's log lines, as they are written, and what they are taken for."""

import string

import pytest

from engine.supervisor import CAUSES, CODE_KINDS, KINDS, Notice, read_line

STAMP = "2025-04-16T17:58:47.007168Z  INFO text_generation_launcher: "
LINES = [
    ("gated", "huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-6614)"),
    ("gated", "Cannot access gated repo for url https://huggingface.co/a/b/resolve/main/config.json."),
    ("gated", "Access to model a/b is restricted. You must be authenticated to access it."),
    ("revision_missing", "huggingface_hub.errors.RevisionNotFoundError: 404 Client Error."),
    ("model_missing", "huggingface_hub.errors.RepositoryNotFoundError: 401 Client Error."),
    ("unauthorized", "requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url"),
    ("prefill_memory", "RuntimeError: Not enough memory to handle 4096 prefill tokens. You need to decrease "
                       "`--max-batch-prefill-tokens`"),
    ("context_memory", "Error: Not enough memory to handle `max_total_tokens=131072`"),
    ("too_many_shards", "AssertionError: Each process is one gpu"),
    ("too_many_shards", 'Error: NotEnoughCUDADevices("`sharded` is true but only found 1 CUDA devices")'),
    ("uneven_shards", "ValueError: `num_heads` must be divisible by `num_shards` (got `num_heads`: 32 and "
                      "`num_shards`: 3"),
    ("uneven_shards", "AssertionError: The choosen size 128256 is not compatible with sharding on 5 shards"),
    ("gpu_unsupported", "RuntimeError: CUDA error: no kernel image is available for execution on the device"),
    ("gpu_missing", "RuntimeError: No CUDA GPUs are available"),
    ("gpu_missing", "RuntimeError: Found no NVIDIA driver on your system."),
    ("gpu_missing", "Could not import Flash Attention enabled models: CUDA is not available"),
    ("gpu_missing", "ImportError: libcuda.so.1: cannot open shared object file: No such file or directory"),
    ("memory", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 16.00 MiB"),
    ("memory", "Request failed during generation: Server error: CUDA out of memory. Tried to allocate"),
    ("machine_memory", "Shard process was signaled to shutdown with signal 9 rank=0"),
    ("shared_memory", "Error while creating shared memory segment /dev/shm/nccl-Pk3lZq (size 9637888)"),
    ("model_unsupported", "ValueError: Unsupported model type mamba3"),
    ("metrics_port", 'failed to build prometheus recorder: FailedToCreateHTTPListener("Address already in '
                     'use (os error 98)")'),
    ("port", 'Error: WebServer(Axum(Os { code: 98, kind: AddrInUse, message: "Address already in use" }))'),
    ("argument", "Error: ArgumentValidation(\"`max_input_tokens must be < `max_total_tokens`\")"),
    ("argument", "error: invalid value 'two' for '--num-shard <NUM_SHARD>': invalid digit found in string"),
    ("files_missing", "huggingface_hub.errors.LocalEntryNotFoundError: Cannot find the requested files"),
    ("files_missing", "EntryNotFoundError: No .bin weights found for model a/b and revision None."),
]
HARMLESS = [
    "Args { model_id: \"a/b\", revision: None, num_shard: Some(1), max_total_tokens: None }",
    "Waiting for shard to be ready... rank=0",
    "Default `max_batch_prefill_tokens` to 10049",
    "Files are already present on the host. Skipping download.",
    "Successfully downloaded weights for a/b",
    "Shard complete standard error output:",
    "Unkown compute for card nvidia-geforce-rtx-5090",
    "generate{parameters=GenerateParameters { max_new_tokens: Some(1) } total_time=\"1s\"}: Success",
    "",
]


@pytest.mark.parametrize(("name", "line"), LINES)
def test_a_line_of_tgi_is_understood(name: str, line: str) -> None:
    """Each known trouble is recognised wherever it stands in a line."""
    notice = read_line(STAMP + line if not line.startswith("error:") else line)

    assert notice is not None
    assert name == notice.cause


@pytest.mark.parametrize("line", HARMLESS)
def test_what_is_harmless_means_nothing(line: str) -> None:
    """A healthy start's lines are taken for no trouble."""
    assert read_line(STAMP + line) is None


def test_every_cause_has_a_line() -> None:
    """A cause that no log line shows cannot be trusted."""
    assert CAUSES.keys() == {name for name, _ in LINES}


def test_every_failure_has_a_kind() -> None:
    """The set is closed, and each of it can happen: a cause, an exit code, or what Core decides by itself."""
    decided = {"hang", "crash_loop", "unknown"}

    assert set(KINDS) == {cause.kind for cause in CAUSES.values()} | set(CODE_KINDS.values()) | decided


@pytest.mark.parametrize("name", CAUSES)
def test_every_sentence_can_be_filled_in(name: str) -> None:
    """A sentence uses only the model and what its own pattern finds, and ends as a sentence does."""
    cause = CAUSES[name]
    fields = {field for _, field, _, _ in string.Formatter().parse(cause.sentence) if field}
    found = [notice.found for line in (line for cause_name, line in LINES if cause_name == name)
             if (notice := read_line(line)) is not None]

    assert all(fields <= {"model", *one} for one in found)
    assert cause.sentence.endswith(".")


@pytest.mark.parametrize("name", sorted(CAUSES.keys() - {"model_unsupported", "argument"}))
def test_every_sentence_names_a_setting_or_a_way(name: str) -> None:
    """Whoever reads it knows what to change."""
    settings = ("MODEL_ID", "MODEL_REVISION", "HF_TOKEN", "QUANTIZE", "NUM_SHARD", "MAX_", "TGI_ARGS",
                "ENGINE_PORT", "NVIDIA_VISIBLE_DEVICES")

    assert any(setting in CAUSES[name].sentence for setting in settings)


@pytest.mark.parametrize(
    ("line", "phase", "text"),
    [
        ("Starting check and download process for a/b", "starting", "checking the model's files"),
        ("Sharding model on 4 processes", "starting", "starting {shards} shards"),
        ("Starting shard rank=0", "loading", "loading the weights"),
        ("Shard ready in 18.016616627s rank=0", "loading", "{done} of {shards} shards loaded"),
        ("Starting Webserver", "loading", "starting the server"),
        ("backends/v3/src/lib.rs:120: Warming up model", "loading", "warming up"),
        ("Cuda Graphs are enabled for sizes [32, 16, 8, 4, 2, 1]", "loading", "recording CUDA graphs"),
        ("Setting max batch total tokens to 30816", "loading", "room for {tokens} tokens"),
    ],
)
def test_the_stages_of_a_start(line: str, phase: str, text: str) -> None:
    """TGI's lines tell how far a start is."""
    notice = read_line(STAMP + line)

    assert notice is not None
    assert (phase, text, "") == (notice.phase, notice.text, notice.cause)


def test_the_embedded_engine_tells_its_stages() -> None:
    """Its own lines are shown without its name."""
    assert Notice("loading", "{said}", "", {"said": "loading m with 8 slots"}) == read_line(
        "engine: loading m with 8 slots.")
    assert Notice("starting", "{said}", "", {"said": "downloading: 5 of 9 MB"}) == read_line(
        "engine: downloading: 5 of 9 MB")
