"""scripts/prepare without installing anything: stamps, system packages, what it says."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.script import SCRIPTS, load


@pytest.fixture
def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Give scripts/prepare as a module that works in an empty checkout."""
    module = load("prepare")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/gateway.txt").write_text("a==1\n")
    (tmp_path / ".venv/stamps").mkdir(parents=True)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "STAMPS", tmp_path / ".venv/stamps")
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
