"""Documents that cannot drift: settings, metrics and routes are documented, and nothing else is."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from gateway.app import Gateway
from gateway.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def gateway() -> Gateway:
    """A gateway that serves nobody."""
    return Gateway(Settings())


def first_cells(document: str, pattern: str) -> set[str]:
    """Give the names in backticks that begin a table's row and have some form."""
    cells = re.findall(r"^\| `([^`]+)` \|", (ROOT / document).read_text(), re.MULTILINE)
    return {cell for cell in cells if re.fullmatch(pattern, cell)}


def example() -> dict[str, str]:
    """Read the variables of the example, set or shown as a comment, with their values."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    found = [re.fullmatch(r"#?([A-Z][A-Z0-9_]+)=(.*)", line) for line in lines]
    return {match[1]: match[2] for match in found if match}


def test_every_setting_is_in_the_env_example() -> None:
    """A variable nobody can discover does not exist."""
    assert set() == {str(field.alias) for field in Settings.model_fields.values()} - example().keys()


def test_the_env_example_names_no_other_setting_of_the_gateway() -> None:
    """A variable that nobody reads is a promise that is not kept."""
    own = {name for name in example() if name.startswith("GATEWAY_")}

    assert set() == own - {str(field.alias) for field in Settings.model_fields.values()}


def test_the_env_example_shows_the_defaults() -> None:
    """What stands behind a variable is what applies without it."""
    shown = example()
    differing = {}
    for name, field in Settings.model_fields.items():
        value = shown.get(str(field.alias), "")
        if value and getattr(Settings.model_validate({str(field.alias): value}), name) != field.default:
            differing[field.alias] = value

    assert {} == differing


def test_every_route_is_documented_and_no_other(gateway: Gateway) -> None:
    """The table is what the application answers."""
    app: object = gateway.app
    while not isinstance(app, FastAPI):
        app = vars(app)["_app"]
    routes = {
        f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods
    }

    assert first_cells("docs/api.md", r"(GET|POST|DELETE|PUT) /\S*") == routes


DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("engine/demo/*.md")])
PLACES = "gateway|engine|frontend|scripts|tests|docs|monitoring|requirements"


def heading_anchors(document: Path) -> set[str]:
    """Give the anchors of a document's headings, as they are made where it is shown."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """To a file of this repository, and to a heading in it."""
    dead = []
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", document.read_text()):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (anchor and anchor not in heading_anchors(target)):
            dead.append(link)

    assert [] == dead


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paths_that_are_named_exist(document: Path) -> None:
    """A file or folder that was moved takes its name in the documents along."""
    named = re.findall(rf"(?:^|[\s`(/])((?:{PLACES})/[\w./-]*\w|(?:{PLACES})/)", document.read_text())

    assert set() == {path for path in named if not (ROOT / path).exists()}
