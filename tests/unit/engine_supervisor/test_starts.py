"""Durations of starts on disk, and the counters read from an engine."""

from pathlib import Path

import pytest

from engine.supervisor import KEPT_STARTS, Settings, Starts, read_use

START = {"starting": 1.5, "loading": 30.0}


def settings(*command: str, model: str = "org/name") -> Settings:
    """Give settings of a model."""
    return Settings(command=("launcher", *command), environment={}, model=model)


def test_starts_are_kept(tmp_path: Path) -> None:
    """What one supervisor added the next one reads, oldest first, and only the last few."""
    path = tmp_path / "new/starts.json"
    starts = Starts(path, settings())
    for number in range(KEPT_STARTS + 2):
        assert starts.add("3.3.7", START | {"loading": float(number)}) is None

    assert [2.0, 3.0, 4.0, 5.0, 6.0] == [start["loading"] for start in Starts(path, settings()).read()]
    assert [path] == list(path.parent.iterdir())


def test_models_and_flags_are_kept_apart(tmp_path: Path) -> None:
    """Another model, or the same one quantised or split, takes its own time."""
    path = tmp_path / "starts.json"
    Starts(path, settings()).add("1", START)
    Starts(path, settings("--quantize", "awq")).add("1", START | {"loading": 9.0})

    assert [START] == Starts(path, settings()).read()
    assert 9.0 == Starts(path, settings("--quantize", "awq")).read()[0]["loading"]
    assert [] == Starts(path, settings("--num-shard", "2")).read()
    assert [] == Starts(path, settings(model="other")).read()


def test_another_version_begins_anew(tmp_path: Path) -> None:
    """Starts of an older engine are the best guess until the new one has started once."""
    starts = Starts(tmp_path / "starts.json", settings())
    starts.add("1", START)
    assert [START] == starts.read()

    starts.add("2", START | {"loading": 3.0})

    assert [3.0] == [start["loading"] for start in starts.read()]


@pytest.mark.parametrize("text", [
    "", "[]", "{", '{"org/name": 3}', '{"org/name": {"version": "1", "starts": [{}]}}',
    '{"org/name": {"version": "1", "starts": {"a": 1}}}',
])
def test_a_broken_file_is_an_empty_one(tmp_path: Path, text: str) -> None:
    """Whatever the file holds, the engine starts, and the next start mends the file."""
    path = tmp_path / "starts.json"
    path.write_text(text)
    starts = Starts(path, settings())

    assert [] == starts.read()
    assert starts.add("1", START) is None
    assert [START] == starts.read()


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A cache that is read-only costs the estimate, nothing else."""
    (tmp_path / "file").touch()
    starts = Starts(tmp_path / "file/starts.json", settings())

    problem = starts.add("1", START)

    assert problem is not None
    assert f"durations of starts cannot be kept in {tmp_path}/file/starts.json" in problem


@pytest.mark.parametrize(
    ("page", "use"),
    [
        ("", (None, False)),
        ("<html>", (None, False)),
        ("tgi_request_count 3\n", (3.0, False)),
        ("tgi_request_count 3\ntgi_batch_current_size 2\ntgi_queue_size 0\n", (3.0, True)),
        ("# TYPE tgi_queue_size gauge\ntgi_queue_size 1\ntgi_request_count 4\n", (4.0, True)),
        ('tgi_request_success{method="x"} 7\ntgi_request_count x\n', (None, False)),
    ],
)
def test_use_is_read_from_tgis_metrics(page: str, use: tuple[float | None, bool]) -> None:
    """The counter and the queue say whether the engine is used; a page without them says nothing."""
    assert use == read_use(page)
