"""The console: prefixes, logs turned over by start, a terminal that is slow or gone."""

import io
import threading
from pathlib import Path

import pytest

from engine.console import LOGS_KEPT, TERMINAL_BACKLOG_LINES, Console, open_log, readable, unfold


class SlowTerminal(io.StringIO):
    """A terminal that accepts nothing until it is let go, as after Ctrl-S."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def write(self, text: str) -> int:
        self.go_on.wait(20)
        return super().write(text)


class GoneTerminal(io.StringIO):
    """A terminal whose other end is closed."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_lines_carry_the_name_of_their_program(tmp_path: Path) -> None:
    """Each line is shown under its program's name; our own lines stand alone."""
    terminal = io.StringIO()
    console = Console(terminal, tmp_path)
    console.write("engine", "loading")
    console.write("gateway", "gateway: listening")
    console.say("ready: http://127.0.0.1:8080")
    console.close()

    assert terminal.getvalue() == "engine  | loading\ngateway | listening\nready: http://127.0.0.1:8080\n"
    assert (tmp_path / "engine.log").read_text().split()[-1] == "loading"
    assert (tmp_path / "up.log").read_text().split()[-1] == "http://127.0.0.1:8080"


def test_a_paused_terminal_pauses_nobody(tmp_path: Path) -> None:
    """Lines beyond the backlog are left out on the terminal, counted there, and kept in the log."""
    terminal = SlowTerminal()
    console = Console(terminal, tmp_path)
    written = TERMINAL_BACKLOG_LINES + 500
    for number in range(written):
        console.write("engine", f"line {number}")
    terminal.go_on.set()
    while "left out" not in terminal.getvalue():
        console.write("engine", "more")
    console.close()
    log = (tmp_path / "engine.log").read_text()

    assert f"line {written - 1}\n" in log
    assert f"line {written - 1}\n" not in terminal.getvalue()


def test_a_closed_terminal_does_not_end_the_programs(tmp_path: Path) -> None:
    """Lines go on into the log when nobody reads the terminal."""
    console = Console(GoneTerminal(), tmp_path)
    console.write("engine", "one")
    console.write("engine", "two")
    console.close()

    assert len((tmp_path / "engine.log").read_text().splitlines()) == 2


def test_a_folder_that_cannot_be_written_costs_only_the_log(tmp_path: Path) -> None:
    """Without a log folder the lines are still shown."""
    (tmp_path / "file").write_text("")
    terminal = io.StringIO()
    console = Console(terminal, tmp_path / "file")
    console.write("engine", "loading")
    console.close()

    assert terminal.getvalue() == "engine  | loading\n"


def test_logs_are_turned_over_at_each_start(tmp_path: Path) -> None:
    """The newest is NAME.log; older ones count up and the oldest is dropped."""
    for number in range(LOGS_KEPT + 2):
        with open_log(tmp_path, "engine") as log:
            log.write(str(number))

    newest = LOGS_KEPT + 1
    expected = {f"engine.{age}.log": str(newest - age) for age in range(1, LOGS_KEPT)}
    expected["engine.log"] = str(newest)

    assert expected == {path.name: path.read_text() for path in tmp_path.iterdir()}


def test_lines_are_readable_text() -> None:
    """Bytes that are no text, redraws and control characters cannot disturb the terminal."""
    lines = (b"a\tb", b"10 %\r90 %", b"\x1b[31mred", b"\xff")
    expected = ["a\tb", "90 %", "\\x1b[31mred", "\ufffd"]

    assert expected == [readable(line) for line in lines]


def test_json_lines_are_unfolded_for_people() -> None:
    """The terminal shows event and values of a JSON line; anything else stays as it is."""
    line = '{"time":"12:00","event":"chat","code":null,"outcome":"finished","seconds":0.5}'

    assert unfold(line) == "chat outcome=finished seconds=0.5"
    assert [unfold("{not json}"), unfold("plain")] == ["{not json}", "plain"]


def test_a_full_disk_costs_only_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a line nor the end fails where nothing can be written any more."""
    terminal = io.StringIO()
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("engine.console.open_log", lambda folder, name: full)
        console = Console(terminal, tmp_path)
        console.write("engine", "loading")
        console.close()

    assert terminal.getvalue() == "engine  | loading\n"
