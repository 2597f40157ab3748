"""OpenAI's JavaScript SDK against a running gateway and engine: its tests are js/openai.test.mjs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.live.front import guarded
from tests.live.stack import Stack

FOLDER = Path(__file__).resolve().parent / "js"
# Longer than all its tests on a busy machine; reached only by a failure.
LIMIT_SECONDS = 180.0


def node() -> str:
    """Node.js that scripts/prepare installed beside this Python, else the machine's."""
    found = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert found, "node is missing; scripts/prepare js-client installs it"
    return found


def test_the_javascript_sdk_works(stack: Stack) -> None:
    """All its tests pass, and none is left out."""
    with guarded() as front:
        addresses = {
            "STACK_URL": stack.url,
            "FRONT_URL": front.url,
            "FRONT_KEY": front.key,
            "DOUBLE_URL": front.double.url,
        }
        done = subprocess.run(
            [node(), "--test", "--test-reporter=tap", "openai.test.mjs"],
            cwd=FOLDER,
            env=os.environ | addresses,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
    counts = {kind: int(count) for kind, count in re.findall(r"^# (\w+) (\d+)$", done.stdout, re.MULTILINE)}
    written = (FOLDER / "openai.test.mjs").read_text()

    assert 0 == done.returncode, done.stdout + done.stderr
    assert (0, 0, 0) == (counts["fail"], counts["skipped"], counts["todo"])
    assert counts["pass"] == counts["tests"] >= written.count("test(") > 5
