"""scripts/keys as people run it: keys are never lost, failures are sentences."""

import subprocess
import time
from pathlib import Path

import pytest

from gateway.keyfile import read_keys
from gateway.spent import Spent
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


@pytest.mark.parametrize("limit", ["--requests-per-minute", "--concurrent", "--tokens-per-day"])
@pytest.mark.parametrize("value", ["0", "-5", "1000000000000000000000000000000"])
def test_a_limit_without_sense_is_refused_with_its_bounds(tmp_path: Path, limit: str, value: str) -> None:
    """And no key is made."""
    file = tmp_path / "keys.json"
    status, output, complaint = run(file, "add", "ann", limit, value)

    assert (1, "") == (status, output)
    assert f"{limit[2:].replace('-', '_')} of 'ann' is no whole number from 1 to 1" in complaint
    assert not file.exists()


@pytest.mark.parametrize("value", ["1e30", "1.5", "many", ""])
def test_a_limit_that_is_no_number_is_wrong_usage(tmp_path: Path, value: str) -> None:
    """As everywhere on a command line."""
    status, _, complaint = run(tmp_path / "keys.json", "add", "ann", "--concurrent", value)

    assert (2, True) == (status, "invalid int value" in complaint)


def test_a_name_is_given_once(tmp_path: Path) -> None:
    """Another key of a name would share its use."""
    file = tmp_path / "keys.json"
    assert 0 == run(file, "add", "ann")[0]

    assert (1, "", "scripts/keys: there is a key named 'ann' already; revoke it first\n") == run(
        file, "add", "ann"
    )


def test_the_list_shows_what_was_used_today(tmp_path: Path) -> None:
    """From the file beside the keys, or another; without one nobody knows, and a broken one is said."""
    file, use = tmp_path / "keys.json", tmp_path / "keys.use.json"
    run(file, "add", "ann", "--tokens-per-day", "1000000000000")
    run(file, "add", "bob")

    def shown(*words: str) -> tuple[list[str], str]:
        _, output, complaint = run(file, "list", *words)
        return [line.split()[5] for line in output.splitlines()[1:]], complaint

    unknown = shown()
    Spent(use).write(int(time.time() // 86_400), {"ann": 1234})
    known = shown()
    other = tmp_path / "other.json"
    other.write_text("{")
    broken, complaint = shown("--use", str(other))

    assert (["-", "-"], "") == unknown
    assert (["1234", "0"], "") == known
    assert ["-", "-"] == broken
    assert f"what was used today is not known: {other}" in complaint
