"""Settings as `docker compose up` would see them."""

from pathlib import Path

from engine.stackfile import defaults, read_settings, variables


def test_the_environment_wins_over_dotenv_and_that_over_compose(tmp_path: Path) -> None:
    """An empty variable is no setting, wherever it stands."""
    (tmp_path / "compose.yaml").write_text("A: ${A:-compose}\nB: ${B:-compose}\nC: ${C:-x}\nD: ${D:-}\n")
    (tmp_path / ".env").write_text("B=dotenv\nC=dotenv\n")
    assert read_settings(tmp_path, {"C": "shell", "A": ""}) == {"A": "compose", "B": "dotenv", "C": "shell"}


def test_lines_of_dotenv() -> None:
    """Comments, quotes and export are what people write."""
    text = "# A=1\nB = two  # why\nexport C='three # four'\nD=\"five\"\nnot a line\nE=\n"
    assert variables(text) == {"B": "two", "C": "three # four", "D": "five", "E": ""}


def test_the_first_default_of_a_name_counts() -> None:
    """Compose files repeat a variable; its first default is the one that is documented."""
    assert defaults("a ${M:-owner/name} b ${N:-} c ${M:-other}") == {"M": "owner/name", "N": ""}


def test_without_files_the_environment_is_all(tmp_path: Path) -> None:
    """A checkout without compose.yaml is no error."""
    assert read_settings(tmp_path, {"A": "1"}) == {"A": "1"}
