"""Where a model's shape comes from."""

import json
from pathlib import Path

import pytest

from engine.repository import Answer, ModelUnreadable, find, from_hub, hub, read_token, tensor_bytes
from tests.fakes.hub import running
from tests.fakes.repository import GOOD_TOKEN, File, Model
from tests.unit.plan.test_sizing import CONFIG_8B, LLAMA_8B

CONFIG = json.dumps(CONFIG_8B).encode()
NAME = "fox/Fable-8B"


def safetensors(*sizes: int) -> bytes:
    """Write a safetensors file of tensors with these bytes, all zero."""
    head: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for number, size in enumerate(sizes):
        head[f"layer.{number}"] = {"dtype": "BF16", "shape": [size // 2], "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(head).encode()
    return len(text).to_bytes(8, "little") + text + bytes(end)


def nowhere(method: str, path: str) -> Answer:
    """Answer as a machine without a network."""
    return Answer(0, "", b"", "no route to host")


def test_a_folder_is_read_without_asking_anyone(tmp_path: Path) -> None:
    """config.json gives the shape, the files' heads the bytes."""
    (tmp_path / "config.json").write_bytes(CONFIG)
    (tmp_path / "a.safetensors").write_bytes(safetensors(100, 60))
    (tmp_path / "b.safetensors").write_bytes(safetensors(40))
    found = find(str(tmp_path), "main", {})
    assert (found.shape, found.stored, found.source, found.note) == (LLAMA_8B, 200, "folder", "")


def test_a_folder_without_all_its_shards_does_not_tell_a_size(tmp_path: Path) -> None:
    """Half a model is not taken for a small one."""
    (tmp_path / "config.json").write_bytes(CONFIG)
    (tmp_path / "one.safetensors").write_bytes(safetensors(100))
    index = {"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    found = find(str(tmp_path), "main", {})
    assert (found.stored, found.note) == (None, "1 of its shards are not there yet")


@pytest.mark.parametrize("content", [b"", b"12345678", b"\xff" * 64, (5).to_bytes(8, "little") + b"[1,2]"])
def test_what_is_no_safetensors_file_is_named(tmp_path: Path, content: bytes) -> None:
    """A pointer file or a broken download is not measured."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelUnreadable, match=r"x\.safetensors is no safetensors file"):
        tensor_bytes(path)


def test_the_cache_is_read_before_the_hub_is_asked(tmp_path: Path) -> None:
    """What the download job brought is there for the plan, by branch and by commit."""
    folder = tmp_path / "hub/models--fox--Fable-8B"
    snapshot = folder / "snapshots" / ("c" * 40)
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs/main").write_text("c" * 40)
    (snapshot / "config.json").write_bytes(CONFIG)
    (snapshot / "model.safetensors").write_bytes(safetensors(64))
    for revision in ("main", "c" * 40):
        found = find(NAME, revision, {"HF_HOME": str(tmp_path)}, nowhere)
        assert (found.source, found.stored) == ("cache", 64)


def test_the_hub_tells_shape_and_size(tmp_path: Path) -> None:
    """Two questions over HTTP, and only the weights at the top count."""
    with running() as server:
        server.models[NAME] = Model({
            "config.json": File(CONFIG), "a.safetensors": File(bytes(300), is_lfs=True),
            "b.safetensors": File(bytes(20), is_lfs=True), "original/c.safetensors": File(bytes(7)),
        })
        found = find(NAME, "main", {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path)})
    assert (found.shape, found.stored, found.source) == (LLAMA_8B, 320, "hub")


def test_a_gated_model_opens_with_the_token_and_not_without(tmp_path: Path) -> None:
    """The same token as the download's, and its absence is named."""
    with running() as server:
        server.models[NAME] = Model({"config.json": File(CONFIG)}, is_gated=True)
        environment = {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path)}
        assert find(NAME, "main", environment | {"HF_TOKEN": GOOD_TOKEN}).shape == LLAMA_8B
        with pytest.raises(ModelUnreadable, match="is gated and HF_TOKEN does not open it"):
            find(NAME, "main", environment)


def test_the_token_stays_behind_when_the_hub_sends_us_elsewhere() -> None:
    """A redirect to another host is followed without the token."""
    with running() as server:
        server.models[NAME] = Model({"config.json": File(CONFIG, is_lfs=True)})
        answer = hub({"HF_ENDPOINT": server.url, "HF_TOKEN": GOOD_TOKEN})(
            "GET", f"/{NAME}/resolve/main/config.json"
        )
        assert (answer.status, answer.body) == (200, CONFIG)
        assert [request.token for request in server.paths("/store/")] == [None]


def test_without_the_hub_the_table_knows_the_published_models() -> None:
    """The source is named, and why it was needed."""
    found = find("meta-llama/Meta-Llama-3-8B-Instruct", "main", {"HF_HOME": "/none"}, nowhere)
    assert (found.source, found.note) == ("built-in table", "the hub cannot be reached (no route to host)")
    assert (found.shape, found.stored) == (LLAMA_8B, 16_060_522_496)


def test_without_the_hub_an_unpublished_model_stays_unknown() -> None:
    """No numbers are made up."""
    with pytest.raises(ModelUnreadable, match="cannot be reached"):
        find(NAME, "main", {"HF_HOME": "/none"}, nowhere)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(404, "RevisionNotFound", b""), "has no such revision"),
        (Answer(401, "", b""), "shows no model"),
        (Answer(404, "RepoNotFound", b""), "shows no model"),
        (Answer(503, "", b""), "answered 503"),
        (Answer(200, "", b"<html>"), "cannot be read"),
        (Answer(200, "", b'{"model_type": "mistral"}'), "only llama is supported"),
    ],
)
def test_why_the_hub_did_not_help_is_said(answer: Answer, words: str) -> None:
    """Each answer has its clause."""
    with pytest.raises(ModelUnreadable, match=words):
        from_hub(NAME, "main", lambda method, path: answer)


def test_the_token_is_read_as_the_download_reads_it(tmp_path: Path) -> None:
    """The secret file wins, an empty one is none."""
    secret = tmp_path / "secret"
    secret.write_text("hf_file\n")
    assert read_token({"HF_TOKEN_FILE": str(secret), "HF_TOKEN": "hf_variable"}) == "hf_file"
    secret.write_text("\n")
    assert read_token({"HF_TOKEN_FILE": str(secret), "HF_TOKEN": "hf_variable"}) == "hf_variable"
    assert read_token({"HF_TOKEN": " "}) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": [1]}'])
def test_a_damaged_index_is_told(tmp_path: Path, content: str) -> None:
    """A download that was cut off leaves such files."""
    (tmp_path / "config.json").write_text(json.dumps(CONFIG_8B))
    (tmp_path / "model.safetensors.index.json").write_text(content)

    with pytest.raises(ModelUnreadable, match="cannot be read: download the model again"):
        find(str(tmp_path), "main", {})


@pytest.mark.parametrize("endpoint", ["http://[", "http://", "https://a b", "ftp://x", "x"])
def test_an_endpoint_that_is_none_is_an_answer(endpoint: str) -> None:
    """It is as good as a hub that cannot be reached."""
    answer = hub({"HF_ENDPOINT": endpoint})("GET", "/a")

    assert (answer.status, answer.problem != "") == (0, True)


@pytest.mark.parametrize("token", ["hf_a b", "hf_a\nb", "hf_\u00e9"])
def test_a_token_that_is_none_is_neither_sent_nor_shown(token: str) -> None:
    """What was copied badly is told without repeating it."""
    answer = hub({"HF_TOKEN": token, "HF_ENDPOINT": "http://127.0.0.1:1"})("GET", "/a")

    assert (answer.status, answer.problem) == (
        0, "HF_TOKEN holds characters that no token has: copy it again")
