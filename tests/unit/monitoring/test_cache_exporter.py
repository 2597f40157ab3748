"""The cache's exporter: what it writes, what it leaves out, what it answers."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitoring.cache_exporter import page, server


def samples(text: str) -> dict[str, float]:
    """Give a page's samples."""
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Path]:
    """A cache in which a download tells how far it is."""
    (tmp_path / "paddock").mkdir()
    (tmp_path / "paddock/progress.json").write_text('{"phase": "failed", "bytes_done": 7, "bytes_total": 9}')
    yield tmp_path


def test_the_disk_is_told_without_a_download(tmp_path: Path) -> None:
    """An empty cache has a disk all the same."""
    found = samples(page(tmp_path))

    assert {"paddock_cache_free_bytes", "paddock_cache_size_bytes"} == found.keys()
    assert 0 < found["paddock_cache_free_bytes"] < found["paddock_cache_size_bytes"]


def test_the_download_s_word_is_passed_on(told: Path) -> None:
    """One phase of all is 1; what it did not say is absent."""
    found = samples(page(told))

    assert 1.0 == found['paddock_download_phase{phase="failed"}']
    assert 1.0 == sum(value for name, value in found.items() if name.startswith("paddock_download_phase"))
    assert (7.0, 9.0) == (found["paddock_download_done_bytes"], found["paddock_download_total_bytes"])
    assert "paddock_download_updated_timestamp_seconds" not in found


@pytest.mark.parametrize("content", ["", "[]", '{"phase'])
def test_a_file_that_is_no_progress_is_none(told: Path, content: str) -> None:
    """Half written or strange, it takes nothing else with it."""
    (told / "paddock/progress.json").write_text(content)

    assert 2 == len(samples(page(told)))


def test_it_answers_metrics_and_nothing_else(told: Path) -> None:
    """With a content type that Prometheus 3 takes; a folder that is gone is an error, not zeros."""
    with server(told, "127.0.0.1", 0) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{serving.server_port}"
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            kind, text = answer.headers["content-type"], answer.read().decode()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url)
        refused.value.close()
        (told / "paddock/progress.json").unlink()
        (told / "paddock").rmdir()
        told.rmdir()
        with pytest.raises(urllib.error.HTTPError) as gone:
            urllib.request.urlopen(f"{url}/metrics")
        gone.value.close()
        serving.shutdown()
        thread.join()

    assert "text/plain; version=0.0.4; charset=utf-8" == kind
    assert 9 == len(samples(text))
    assert (404, 503) == (refused.value.code, gone.value.code)
