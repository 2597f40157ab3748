"""scripts/keys as people run it: keys are never lost, failures are sentences."""

import subprocess
from pathlib import Path

import pytest

from gateway.keys import read_keys
from tests.unit.script import SCRIPTS

DEADLINE_SECONDS = 30.0


def begin(file: Path, *words: str) -> "subprocess.Popen[str]":
    """Start the script on a file."""
    return subprocess.Popen([str(SCRIPTS / "keys"), "--file", str(file), *words], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(file: Path, *words: str) -> tuple[int, str, str]:
    """Run the script on a file; give its exit status, output and complaint."""
    with begin(file, *words) as running:
        output, complaint = running.communicate(timeout=DEADLINE_SECONDS)
    return running.returncode, output, complaint


def test_changes_at_the_same_time_lose_no_key(tmp_path: Path) -> None:
    """Each one reads, adds and writes the file alone."""
    file = tmp_path / "keys.json"
    names = {f"n{number}" for number in range(6)}
    running = [begin(file, "add", name) for name in names]
    statuses = [one.wait(DEADLINE_SECONDS) for one in running]
    for one in running:
        one.communicate()

    assert [0] * 6 == statuses
    assert names == {key.name for key in read_keys(file)}


@pytest.mark.parametrize("words", [("add", "ann"), ("revoke", "ann")])
def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path, words: tuple[str, str]) -> None:
    """Exit status 1 and no key on standard output: one that was shown would have to work."""
    file = tmp_path / "none" / "keys.json"
    status, output, complaint = run(file, *words)

    assert (1, "") == (status, output)
    assert f"scripts/keys: {file} cannot be written: No such file or directory\n" == complaint


def test_wrong_usage_names_the_script(tmp_path: Path) -> None:
    """Also behind an action."""
    status, _, complaint = run(tmp_path / "keys.json", "add")

    assert 2 == status
    assert "scripts/keys add: error: the following arguments are required: name" in complaint
