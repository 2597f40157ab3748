"""scripts/test itself: what it counts, what it forbids, what it cannot forget."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.script import SCRIPTS, load

TESTS = SCRIPTS.parent / "tests"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """Give scripts/test as a module."""
    return load("test")


def test_every_folder_with_tests_is_a_tier(script: ModuleType) -> None:
    """A new folder of tests runs without being named anywhere."""
    folders = {path.name for path in TESTS.iterdir() if any(path.rglob("test_*.py"))}

    assert folders - set(script.tiers()) == set()
    assert script.tiers()[0] == "lint"
    assert script.tiers()[-1] == "stack"


def test_skipped_tests_count_as_failed(script: ModuleType, tmp_path: Path) -> None:
    """Passed are those that ran and held; all others are failures."""
    report = tmp_path / "unit.xml"
    report.write_text('<testsuites><testsuite tests="9" failures="1" errors="2" skipped="3"/></testsuites>')

    assert script.count_junit(report) == (3, 6)


def test_a_failed_test_is_told_once_more(script: ModuleType, tmp_path: Path) -> None:
    """With its name and the end of its report; of many failures the last have their names alone."""
    text = "first\n" + 50 * "between\n"
    cases = "".join(f'<testcase classname="tests.unit.test_x" name="test_{number}"><failure message="short">'
                    f"{text}assert {number} == 0</failure></testcase>"
                    for number in range(script.FAILURES_TOLD + 1))
    report = tmp_path / "unit.xml"
    report.write_text(f'<testsuites><testsuite><testcase name="good"/>{cases}</testsuite></testsuites>')
    lines = script.failures(report).splitlines()

    assert (lines[0], lines[-1]) == ("failure: tests.unit.test_x.test_0", "failure: tests.unit.test_x.test_8")
    assert [f"assert {number} == 0" in lines for number in range(9)] == [True] * 8 + [False]
    assert "first" not in lines


def test_what_failed_stands_before_the_table(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads the end of a log alone finds the reason there."""
    told = script.Result(1, 1, "", "failure: tests.unit.test_x.test_y\nassert 1 == 0")
    script.report({"unit": (told, 1.0), "live": (script.Result(3, 0), 1.0)})
    lines = capsys.readouterr().out.splitlines()

    assert lines[1:4] == ["== unit, once more", "failure: tests.unit.test_x.test_y", "assert 1 == 0"]
    assert lines[-1] == "4 passed, 1 failed"


def test_what_a_checker_wrote_is_kept_and_printed(script: ModuleType, capfd: pytest.CaptureFixture[str],
                                                  tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of its streams, and its exit status."""
    monkeypatch.setattr(script, "REPORTS", tmp_path)
    source = "import sys; print('one', flush=True); print('two', file=sys.stderr); sys.exit(3)"
    status, end = script.run_kept("lint", [sys.executable, "-c", source], time.monotonic() + 60)

    assert (status, end) == (3, "one\ntwo")
    assert capfd.readouterr().out == "one\ntwo\n"


def test_what_a_tier_leaves_running_is_ended(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it is in a session of its own and its parent has gone; what is not of this run is left alone."""
    monkeypatch.setattr(script, "MARK", f"TEST_RUN_OF_{os.getpid()}")
    reader, writer = os.pipe()
    source = ("import subprocess, sys\n"
              "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], "
              f"start_new_session=True, pass_fds=[{writer}])")
    with subprocess.Popen([sys.executable, "-c", source], pass_fds=[writer],
                          env={**os.environ, script.MARK: str(os.getpid())}) as tier:
        os.close(writer)
        tier.wait(60)
    left = script.end_leftovers()
    with os.fdopen(reader) as pipe:
        pipe.read()  # to its end, which comes when nobody holds the other side

    assert len(left) == 1
    assert left[0].endswith("-c import time; time.sleep(600)")
    assert script.end_leftovers() == []


@pytest.mark.parametrize(("line", "is_allowed"), [
    ("https://registry." + "npmjs.org/x", False),
    ("https://files.pythonhosted" + ".org/x", False),
    ("index = https://pypi." + "org/simple", False),
    ("see /" + "work/main", False),
    ("open('/" + "home/ann/x')", False),
    ("./work/x, $HOME/work/x, /var/work/x", True),
    ("https://huggingface.co/x", True),
])
def test_no_file_may_hold_these_words(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                      line: str, is_allowed: bool) -> None:
    """Package registries and paths of one machine are found, names like them are not."""
    monkeypatch.setattr(script, "ROOT", tmp_path)
    path = tmp_path / "file"
    path.write_text(f"fine\n{line}\n")

    assert (script.forbidden([path]) == []) is is_allowed


def test_a_binary_file_is_not_read_as_text(script: ModuleType, tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo model may hold any bytes."""
    monkeypatch.setattr(script, "ROOT", tmp_path)
    path = tmp_path / "model"
    path.write_bytes(b"\0 /" + b"work/x")

    assert script.forbidden([path]) == []


def test_an_unknown_tier_is_refused() -> None:
    """A typing error runs nothing and passes nothing."""
    done = subprocess.run([str(SCRIPTS / "test"), "untit"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("scripts/test: no such tier: untit; known: lint, unit, ")


def test_the_closing_line_sums_up(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """One failed tier makes the whole fail, and the sum is the last line."""
    results = {"lint": (script.Result(5, 0), 1.0), "unit": (script.Result(10, 2, "x"), 2.0)}
    status = script.report(results)
    lines = capsys.readouterr().out.splitlines()

    assert (status, lines[-1]) == (1, "15 passed, 2 failed")


def test_without_docker_the_stack_fails_in_words(script: ModuleType, tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is named, step by step, and a Docker that answers is enough."""
    program = tmp_path / "docker"

    def missing(body: str) -> str | None:
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
        told: str | None = script.lacks_docker()
        return told

    monkeypatch.setenv("PATH", str(tmp_path))
    none = script.lacks_docker()
    told = [missing("exit 1"), missing('[ "$1" = compose ]'), missing("exit 0")]

    assert none == "there is no docker on this machine"
    assert told == ["docker has no compose plugin", "docker's engine does not answer", None]
    program.unlink()
    assert script.stack("stack", 0.0).failed == 1


def test_the_stack_can_be_left_out(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """--no-stack runs every other tier, and no other flag is taken for one."""
    ran: list[str] = []

    def run(name: str, deadline: float) -> object:
        ran.append(name)
        return script.Result(1, 0)

    monkeypatch.setattr(script, "run_tier", run)
    status = script.main(["--no-stack"])

    assert (status, ran) == (0, [name for name in script.tiers() if name != "stack"])
    assert script.main(["--no-stak"]) == 2
