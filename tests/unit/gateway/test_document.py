"""docs/parameters.md is the table that is tested."""

from pathlib import Path

from tests.unit.gateway.parameters import document

ROOT = Path(__file__).parents[3]


def test_the_document_is_the_table() -> None:
    """After a change: python -m tests.unit.gateway.parameters > docs/parameters.md."""
    assert (ROOT / "docs/parameters.md").read_text() == document()


def test_the_readme_leads_to_it() -> None:
    """Who looks for a parameter finds the page."""
    assert "(docs/parameters.md)" in (ROOT / "README.md").read_text()
