"""The boards against Grafana's own types, of the version that Compose runs, by TypeScript's compiler."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.files import BOARDS, IMPORT, MONITORING, board, panels

FOLDER = Path(__file__).resolve().parent / "grafana"
LIMIT_SECONDS = 120.0
HOW = ("--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext",
       "--moduleResolution", "node10", "--pretty", "false")


def errors(folder: Path, read: dict[str, Any]) -> list[str]:
    """Give what the compiler says of a board."""
    node = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    compiler = FOLDER / "node_modules/typescript/bin/tsc"
    assert node, "node is missing; run: scripts/prepare grafana-types"
    assert compiler.exists(), "Grafana's types are missing; run: scripts/prepare grafana-types"
    file = folder / "written.ts"
    written = json.dumps(read, indent=1)
    file.write_text(f'import type {{ Board }} from "{FOLDER}/board";\nexport const it: Board = {written};\n')
    done = subprocess.run([node, str(compiler), *HOW, str(file)], cwd=FOLDER, capture_output=True, text=True,
                          timeout=LIMIT_SECONDS, check=False)
    return done.stdout.splitlines()


@pytest.mark.parametrize("path", [*BOARDS, IMPORT], ids=lambda path: path.stem)
def test_a_board_is_one_to_grafana(tmp_path: Path, path: Path) -> None:
    """Every key is one that Grafana reads, of its type and among its values."""
    assert [] == errors(tmp_path, board(path))


def wrong(read: dict[str, Any], kind: str, *where: str, value: Any, name: str = "") -> dict[str, Any]:
    """Change, in the first panel of a kind, what stands somewhere; or give it another name."""
    changed = copy.deepcopy(read)
    at = next(panel for panel in changed["panels"] if panel["type"] == kind)
    for step in where[:-1]:
        at = at[int(step) if isinstance(at, list) else step]
    at[name or where[-1]] = value
    if name:
        del at[where[-1]]
    return changed


@pytest.mark.parametrize(
    ("kind", "where", "value", "name", "said"),
    [
        ("stat", ("options", "colorMode"), "values", "", "Did you mean '\"value\"'"),
        ("timeseries", ("fieldConfig", "defaults", "custom", "showPoints"), "never", "showPoint",
         "'\"showPoint\"' does not exist"),
        ("timeseries", ("targets", "0", "instant"), False, "instnt", "'\"instnt\"' does not exist"),
        ("timeseries", ("gridPos", "w"), "8", "", "'string' is not assignable to type 'number'"),
        ("heatmap", ("options", "color", "mode"), "rainbow", "", "'\"rainbow\"' is not assignable"),
        ("state-timeline", ("type",), "timeline", "", "'\"timeline\"' is not assignable"),
    ],
)
def test_a_wrong_board_is_none(
        tmp_path: Path, kind: str, where: tuple[str, ...], value: Any, name: str, said: str) -> None:
    """A check that finds nothing wrong with anything would be none."""
    (path,) = (path for path in BOARDS if path.stem == "users")

    assert said in "\n".join(errors(tmp_path, wrong(board(path), kind, *where, value=value, name=name)))


def test_the_types_are_those_of_the_grafana_that_runs() -> None:
    """The version of the package is that of the image."""
    package = json.loads((FOLDER / "package.json").read_text())["devDependencies"]
    image = yaml.safe_load((MONITORING / "compose.yaml").read_text())["services"]["grafana"]["image"]

    assert f"grafana/grafana:{package['@grafana/schema']}" == image


def test_units_are_grafana_s() -> None:
    """An unknown one would be printed behind each number. Source: value formats of @grafana/data 12.0.2."""
    used = {panel["fieldConfig"]["defaults"]["unit"] for path in BOARDS for panel in panels(path)
            if panel["type"] != "row"}

    assert used <= {"Bps", "bytes", "celsius", "joule", "mbytes", "none", "percent", "percentunit", "rotmhz",
                    "s", "short", "suffix: /min", "watt"}
