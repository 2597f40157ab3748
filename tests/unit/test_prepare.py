"""scripts/prepare without installing anything: stamps, system packages, what it says."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.script import SCRIPTS, load

DEADLINE_SECONDS = 30.0


@pytest.fixture
def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Give scripts/prepare as a module that works in an empty checkout."""
    module = load("prepare")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/gateway.txt").write_text("a==1\n")
    (tmp_path / ".venv/stamps").mkdir(parents=True)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "STAMPS", tmp_path / ".venv/stamps")
    monkeypatch.setattr(module, "UNFINISHED", tmp_path / ".venv/unfinished")
    monkeypatch.setattr(module, "PYTHON", tmp_path / ".venv/bin/python")
    monkeypatch.setattr(module, "LOG", tmp_path / ".cache/log/prepare.log")
    return module


def test_a_stamp_is_worth_its_lock_alone(prepare: ModuleType, tmp_path: Path) -> None:
    """A changed lock is installed again."""
    assert not prepare.is_stamped("gateway")
    (tmp_path / ".venv/stamps/gateway").write_text(prepare.lock_hash("gateway"))
    assert prepare.is_stamped("gateway")
    (tmp_path / "requirements/gateway.txt").write_text("a==2\n")
    assert not prepare.is_stamped("gateway")


def test_without_root_a_missing_package_is_a_command(prepare: ModuleType, monkeypatch: pytest.MonkeyPatch,
                                                     tmp_path: Path) -> None:
    """Someone who may not install is told what to run."""
    (tmp_path / "apt-get").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(prepare.Missing) as caught:
        prepare.apt_install(["libgomp1"], "it computes")

    assert str(caught.value) == "libgomp1 is missing (it computes); run: sudo apt-get install libgomp1"


def test_without_apt_a_missing_package_is_named(prepare: ModuleType, monkeypatch: pytest.MonkeyPatch,
                                                tmp_path: Path) -> None:
    """Systems other than Debian's family are told what is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(prepare.Missing) as caught:
        prepare.apt_install(["libgomp1"], "it computes")

    assert str(caught.value).startswith("libgomp1 is missing (it computes); install it the way")


def test_a_failed_command_shows_the_end_of_its_output(prepare: ModuleType, tmp_path: Path,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    """What went wrong is in the message, all of it in the log."""
    command = [sys.executable, "-c", "print('line 1'); print('no such package'); raise SystemExit(3)"]
    with pytest.raises(prepare.Missing) as caught:
        prepare.run_showing("installing", command)

    assert "exit status 3" in str(caught.value)
    assert "no such package" in str(caught.value)
    assert "line 1" in (tmp_path / ".cache/log/prepare.log").read_text()
    assert capsys.readouterr().out == "installing ...\n  failed\n"


@pytest.mark.parametrize(("line", "begin"), [
    ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
     "The disk is full"),
    ("npm error code ENOSPC", "The disk is full"),
    ("WARNING: Retrying after connection broken by 'NewConnectionError(...: [Errno -3] Temporary failure in "
     "name resolution')", "The package index cannot be reached"),
    ("ERROR: Could not find a version that satisfies the requirement a==1 (from versions: none)",
     "The package index cannot be reached"),
    ("npm error code EAI_AGAIN", "The package index cannot be reached"),
    ("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED]", "A program between here and"),
    ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "What was fetched is not"),
    ("ERROR: No matching distribution found for uvloop==0.23.0", "The package index here has a "),
])
def test_a_known_failure_ends_in_plain_words(prepare: ModuleType, line: str, begin: str) -> None:
    """Behind the output that shows it, a sentence for who does not know pip."""
    with pytest.raises(prepare.Missing) as caught:
        prepare.run_showing("installing", ["sh", "-c", 'echo "$1"; exit 1', "sh", line])

    assert str(caught.value).rpartition("\n\n")[2].startswith(begin)
    assert line in str(caught.value)


def test_no_network_is_told_before_what_follows_from_it(prepare: ModuleType) -> None:
    """pip ends with a package that it has not found, wherever it has not looked."""
    lines = ["WARNING: ... NewConnectionError ...", "ERROR: No matching distribution found for a==1"]

    assert prepare.advice(lines).strip().startswith("The package index cannot be reached")
    assert prepare.advice(["anything else"]) == ""


def test_a_command_says_how_long_it_took(prepare: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """Every step is announced before and closed after."""
    prepare.run_showing("installing", [sys.executable, "-c", ""])
    shown = capsys.readouterr().out

    assert shown.startswith("installing ...\n  done in ")


def test_an_unknown_part_is_refused() -> None:
    """A typing error installs nothing."""
    done = subprocess.run([str(SCRIPTS / "prepare"), "gatway"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "no such part: gatway; known: chromium, engine, gateway, " in done.stderr


# Prepares with one command that, when it is asked to end, first writes a file.
INTERRUPTED = """
import sys
from tests.unit.script import load
prepare = load("prepare")
ending = "import pathlib, signal, sys, time\\n" \\
    "signal.signal(signal.SIGINT, signal.SIG_IGN)\\n" \\
    "def end(*_):\\n    time.sleep(0.2)\\n    pathlib.Path(sys.argv[1]).touch()\\n    sys.exit()\\n" \\
    "signal.signal(signal.SIGTERM, end)\\n" \\
    "print('at work', flush=True)\\n" \\
    "time.sleep(60)"
prepare.PROGRESS_SECONDS = 0.0
prepare.SYSTEM_STEPS = {"libgomp": lambda: prepare.run_showing(
    "working", [sys.executable, "-c", ending, sys.argv[1]])}
sys.exit(prepare.main(["libgomp"]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_for_what_it_ends(number: signal.Signals, tmp_path: Path) -> None:
    """Nothing goes on writing into the checkout behind the back of who stopped it."""
    ended = tmp_path / "ended"
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED, str(ended)], cwd=SCRIPTS.parent, text=True,
                          stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        lines = iter(running.stdout)
        while "working ... " not in next(lines).removeprefix("working ...\n"):
            pass
        running.send_signal(number)
        status = running.wait(DEADLINE_SECONDS)

    assert (status, ended.exists()) == (1, True)


def test_an_installation_that_did_not_end_is_done_over(prepare: ModuleType, monkeypatch: pytest.MonkeyPatch,
                                                       tmp_path: Path) -> None:
    """A package that was half copied counts as installed, so pip is told to copy all of them again."""
    commands: list[list[str]] = []

    def install(label: str, command: list[str], **more: object) -> None:
        commands.append(command)
        if len(commands) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(prepare, "run_showing", install)
    monkeypatch.setattr(prepare, "ensure_venv", lambda: None)
    with pytest.raises(KeyboardInterrupt):
        prepare.install_locks(["gateway"])
    prepare.install_locks(["gateway"])
    (tmp_path / "requirements/gateway.txt").write_text("a==2\n")
    prepare.install_locks(["gateway"])

    assert ["--ignore-installed" in command for command in commands] == [False, True, False]


def test_where_nobody_may_write_a_sentence_says_so(
        prepare: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        tmp_path: Path) -> None:
    """What is in place is used without a lock; what has to be made is refused in words."""
    sentence = f"scripts/prepare: {tmp_path} cannot be written: Read-only file system\n"

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process keeps its own
    monkeypatch.setattr(prepare, "SYSTEM_STEPS", {"libgomp": lambda: None, "nginx": lambda: refuse(tmp_path)})

    assert prepare.main(["libgomp"]) == 0
    assert prepare.main(["nginx"]) == 1
    assert capsys.readouterr().err == sentence


def test_a_path_that_is_no_text_is_logged_all_the_same(prepare: ModuleType, tmp_path: Path) -> None:
    """A checkout below a folder in another encoding than the locale's."""
    prepare.run_showing("working", [sys.executable, "-c", "print('f\\xfcr')", "/srv/\udcc3\udca4"])

    assert "/srv/??" in (tmp_path / ".cache/log/prepare.log").read_text(encoding="utf-8")
