"""The file as it is mounted: alone, in an image whose Python and packages are not ours."""

import ast
import sys
from pathlib import Path

import pytest

from engine import supervisor

SOURCE = Path(supervisor.__file__).read_text(encoding="utf-8")


def test_it_needs_the_standard_library_alone() -> None:
    """One file is mounted, so it imports neither a package nor a module of this project."""
    tree = ast.parse(SOURCE)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert set() == {name.partition(".")[0] for name in imported} - sys.stdlib_module_names


def test_it_is_python_3_10() -> None:
    """Nothing in its grammar is newer than what the image has."""
    assert ast.parse(SOURCE, feature_version=(3, 10)).body


def test_the_docstring_names_every_route() -> None:
    """The control surface is documented where it is served."""
    told = supervisor.__doc__ or ""

    assert set() == {path for path, method in supervisor.ROUTES.items() if f"{method} {path}" not in told}


def test_a_line_may_hold_what_is_no_text(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """A path in another encoding than the locale's is shown as far as it can be, and ends nobody."""
    supervisor.Output().say("starting /srv/\udcc3\udca4/engine")

    assert b"supervisor: starting /srv/??/engine\n" == capfdbinary.readouterr().out
