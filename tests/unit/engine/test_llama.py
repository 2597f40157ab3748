"""The inner server's start: paths as the system has them."""

import os
from pathlib import Path

import pytest

from engine import llama
from engine.errors import EXIT_MODEL_UNUSABLE, StartRefused


def test_a_path_that_is_no_utf8_is_refused_in_words(tmp_path: Path) -> None:
    """llama.cpp's binding has no way to name such a file."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff/model.gguf"))

    with pytest.raises(StartRefused, match="has a name that is not in UTF-8") as refused:
        llama.start(path, context=64, slots=1, threads=1)

    assert EXIT_MODEL_UNUSABLE == refused.value.exit_code
