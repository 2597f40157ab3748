"""The shape of the tree, read from its imports: layers, fences, names, lengths (design.md section 3)."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("gateway", "engine")

# Lowest first. A module may import its own layer and those before it. `routes` and `download` are packages.
LAYERS: list[tuple[str, set[str]]] = [
    ("values", {"chat", "errors"}),
    (
        "pure",
        {
            "prompt", "grammar", "fit", "tools", "logprob", "stops", "settings",
            "admission", "ticket", "promise", "share", "schedule", "account", "estimate", "pace", "fairness",
            "tally", "breaker", "budget", "routing", "room", "silence",
        },
    ),
    (
        "outside world",
        {
            "tgi", "events", "connection", "transport", "fleet", "replica", "control", "metrics", "keys",
            "keyfile", "spent", "progress", "line", "proof", "gauges", "trace",
            "download", "lag",
        },
    ),
    (
        "life of a chat",
        {"generation", "choices", "followed", "house", "relay", "streams", "shelf", "order", "record"},
    ),
    ("wire forms", {"schema", "body", "message", "sse", "several"}),
    ("HTTP in", {"routes"}),
    ("wiring", {"app", "server", "__main__"}),
]
# Third-party packages of the gateway and the only modules that may import them.
FENCES = {
    "text_generation": {"tgi", "events"},
    "httptools": {"connection"},
    "opentelemetry": {"trace"},
    "prometheus_client": {"metrics", "gauges"},
    "sse_starlette": {"routes"},
    "fastapi": {"routes", "app"},
    "starlette": {"routes", "app"},
    "uvicorn": {"__main__", "server"},
    "pydantic": {"schema", "body", "message", "settings", "tgi"},
    "huggingface_hub": {"download"},
    "requests": {"download"},
}
# What a module of the two lowest layers has no business with.
OUTSIDE = {"asyncio", "socket", "http", "urllib.request", "subprocess", "threading", "time", "os", "sys"}
DRAWERS = {"utils", "util", "common", "helpers", "helper", "misc", "manager", "handler", "base", "service"}
LONGEST_LINES = 300
# Longer by design, with the reason.
LONG = {"engine/supervisor.py": "one file of the standard library: it is mounted into TGI's own image"}


def modules(folder: str) -> list[Path]:
    """All Python files of a package."""
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def imported(path: Path) -> Iterator[str]:
    """The full names that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(path: Path) -> str:
    """The module or package of the gateway that a file belongs to."""
    return path.relative_to(ROOT / "gateway").with_suffix("").parts[0]


def parts_of_gateway() -> set[str]:
    """Every module and package right inside the gateway."""
    return {part(path) for path in modules("gateway")} - {"__init__"}


def layer(name: str) -> int:
    """The height of a module."""
    return next(height for height, (_, names) in enumerate(LAYERS) if name in names)


def imports_within(path: Path) -> set[str]:
    """The parts of the gateway that a file imports."""
    known = parts_of_gateway()
    names = {name.split(".")[1] for name in imported(path) if name.startswith("gateway.")}
    return names & known


def test_every_module_of_the_gateway_has_a_layer() -> None:
    """A new module is placed before it is used."""
    assert set() == parts_of_gateway() - {name for _, names in LAYERS for name in names}


@pytest.mark.parametrize("path", modules("gateway"), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    """No module imports a layer above its own."""
    if part(path) == "__init__":
        assert set() == imports_within(path)
        return
    own = layer(part(path))

    assert set() == {name for name in imports_within(path) if layer(name) > own}


def test_no_imports_go_round() -> None:
    """Modules of one layer may use each other, but not in a circle."""
    graph: dict[str, set[str]] = {}
    for path in modules("gateway"):
        graph.setdefault(part(path), set()).update(imports_within(path) - {part(path)})
    while leaves := {name for name, used in graph.items() if not used & graph.keys()}:
        for name in leaves:
            del graph[name]

    assert {} == graph


@pytest.mark.parametrize("path", modules("gateway"), ids=lambda path: str(path.relative_to(ROOT)))
def test_third_party_packages_stay_behind_their_fences(path: Path) -> None:
    """What may change under us is touched in one place."""
    roots = {name.split(".")[0] for name in imported(path)}

    assert set() == {name for name in roots & FENCES.keys() if part(path) not in FENCES[name]}


def test_every_fence_has_something_behind_it() -> None:
    """A package that nobody imports any more needs no fence."""
    used = {name.split(".")[0] for path in modules("gateway") for name in imported(path)}

    assert set() == FENCES.keys() - used


@pytest.mark.parametrize("name", sorted(LAYERS[0][1] | LAYERS[1][1]))
def test_values_and_pure_modules_do_no_input_or_output(name: str) -> None:
    """They know no loop, no socket, no clock and no environment."""
    path = ROOT / "gateway" / f"{name}.py"

    assert set() == set(imported(path)) & OUTSIDE


def test_processes_and_doubles_do_not_import_each_other() -> None:
    """Gateway, engine and the double of TGI share the wire and nothing else."""
    apart = {
        "gateway": {"engine", "tests"},
        "engine": {"gateway", "tests"},
        "tests/fakes": {"gateway", "engine"},
    }

    for folder, others in apart.items():
        for path in modules(folder):
            roots = {name.split(".")[0] for name in imported(path)}
            assert set() == roots & others, path


@pytest.mark.parametrize("folder", PRODUCT)
def test_only_entry_points_read_the_environment(folder: str) -> None:
    """`os.environ` is handed to the settings by `__main__` and read nowhere else."""
    readers = set()
    for path in modules(folder):
        if "demo" in path.relative_to(ROOT).parts:  # the scripts that made the bundled model
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
                readers.add(path.name)

    assert readers <= {"__main__.py", "supervisor.py"}


def test_no_drawer_is_opened() -> None:
    """No file or folder is called by a word that could hold anything."""
    skipped = {"node_modules", "vendor", "__pycache__"}
    found = []
    for root, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in skipped and not name.startswith(".")]
        found += [Path(root, name) for name in (*folders, *files) if Path(name).stem.lower() in DRAWERS]

    assert [] == found


def test_modules_are_short() -> None:
    """About 250 lines at most; the longest are listed when one grows past 300."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for folder in PRODUCT
        for path in modules(folder)
        if "demo" not in path.relative_to(ROOT).parts
    }
    longest = sorted(lengths.items(), key=lambda item: -item[1])[:10]
    report = "\n".join(f"{lines:5} {name}" for name, lines in longest)

    assert {} == {n: lines for n, lines in lengths.items() if lines > LONGEST_LINES and n not in LONG}, report
