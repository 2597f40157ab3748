"""docs/sizing.md says what the code computes."""

import re
from pathlib import Path

import pytest

from engine.catalogue import KNOWN
from engine.sizing import FORMATS, GIB, Shape, fit, weights_bytes

TEXT = (Path(__file__).parents[3] / "docs/sizing.md").read_text()
ROWS = {"3.2 1B": ("3.2", "1B"), "3.2 3B": ("3.2", "3B"), "3.1 8B": ("3.1", "8B"), "3.3 70B": ("3.3", "70B"),
        "3.1 405B": ("3.1", "405B")}


@pytest.mark.parametrize("ending", ROWS)
def test_a_row_of_the_table_is_what_the_formulas_give(ending: str) -> None:
    """Parameters, weights, cache and the least memory, as printed."""
    shape: Shape = KNOWN[ROWS[ending]]
    found = re.search(rf"^\| Llama 3[^|]*{re.escape(ending.split()[1])} \|(.*)\|$", TEXT, re.MULTILINE)
    assert found is not None
    weights = [f"{weights_bytes(shape, form, 1) / GIB:.1f} GiB" for form in FORMATS]
    starts = [f"{fit(shape, form, 1, [0]).needed / GIB:.1f} GiB" for form in FORMATS]
    assert [cell.strip() for cell in found[1].split("|")] == [
        f"{shape.parameters:,}", *weights, f"{shape.kv_bytes // 1024} KiB", *starts,
    ]
