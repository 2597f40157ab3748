"""scripts/plan as people run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.stackfile import variables
from tests.unit.plan.test_sizing import CONFIG_8B

PLAN = Path(__file__).parents[3] / "scripts/plan"
CLOSED = "http://127.0.0.1:1"
MODEL = "meta-llama/Meta-Llama-3-8B-Instruct"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script without a hub, without GPUs and without the person's settings."""
    settings = {"PATH": "/usr/bin:/bin", "HF_ENDPOINT": CLOSED, "HF_HOME": "/none", "MODEL_ID": MODEL}
    return subprocess.run(
        [sys.executable, "-S", str(PLAN), *arguments], env=settings | environment,
        capture_output=True, text=True, timeout=30, check=False,
    )


def test_a_table_says_what_fits_and_where_it_is_known_from() -> None:
    """One row for each format, the best one named, the source of the numbers said."""
    result = run("--vram", "24")
    assert result.returncode == 0
    assert "known from the built-in table, because the hub cannot be reached" in result.stdout
    assert "parameters         8,030,261,248" in result.stdout
    rows = [row.split() for row in result.stdout.splitlines() if row.startswith(("16 bit", "fp8", "nf4"))]
    assert rows[0] == ["16", "bit", "1", "1", "15.0", "GiB", "58,207", "8,192", "7"]
    assert len(rows) == 3
    assert "Best: 16 bit, one engine on 1 GPU." in result.stdout


def test_settings_for_dotenv_are_lines_that_compose_reads() -> None:
    """A model that only fits quantised and sharded gets exactly these settings."""
    result = run("meta-llama/Llama-3.3-70B-Instruct", "--vram", "48", "--vram", "48", "--env")
    assert (result.returncode, variables(result.stdout)) == (0, {
        "MODEL_ID": "meta-llama/Llama-3.3-70B-Instruct", "NUM_SHARD": "2", "QUANTIZE": "fp8",
        "MAX_TOTAL_TOKENS": "8192",
    })


def test_the_advice_asks_the_same_again() -> None:
    """The command for the settings repeats what was planned for, and its answer are those settings."""
    result = run("meta-llama/Llama-3.3-70B-Instruct", "--vram", "48", "--vram", "48", "--context", "4096")
    command = result.stdout.partition("Settings for .env: ")[2].partition("\n")[0]
    assert command == (
        "scripts/plan meta-llama/Llama-3.3-70B-Instruct --vram 48 --vram 48 --context 4096 --env"
    )
    assert variables(run(*command.split()[1:]).stdout)["MAX_TOTAL_TOKENS"] == "4096"


def test_settings_without_a_gpu_are_no_plan() -> None:
    """Nothing is appended to .env that the reason does not stand beside; exit 1."""
    result = run("--env")
    assert (result.returncode, result.stdout) == (
        1, "# scripts/plan: no NVIDIA GPU answers here; --vram GIB plans for one\n"
    )


def test_a_chat_longer_than_the_model_is_said() -> None:
    """What is planned instead is told, apart from the plan."""
    result = run("--vram", "24", "--context", "20000")
    assert result.returncode == 0
    assert result.stderr == (
        f"scripts/plan: {MODEL} is made for 8,192 tokens, and no more are planned for\n"
    )


def test_fewer_chats_than_slots_become_a_setting() -> None:
    """The gateway must not start more chats than the cache holds."""
    settings = variables(run("--vram", "20", "--env").stdout)
    assert settings["GATEWAY_SLOTS"] == "3"


def test_replicas_name_the_overlay() -> None:
    """Two GPUs that each fill the slots are used as two engines."""
    result = run("meta-llama/Llama-3.2-1B", "--vram", "8", "--vram", "8", "--env")
    assert variables(result.stdout)["NUM_SHARD"] == "1"
    assert "# 2 engines: docker compose -f compose.yaml -f compose.replicas.yaml up" in result.stdout


def test_json_has_the_same_numbers() -> None:
    """A program gets bytes and tokens."""
    plan = json.loads(run("--vram", "24", "--json").stdout)
    assert (plan["parameters"], plan["cache_bytes_per_token"], plan["source"]) == (
        8_030_261_248, 131_072, "built-in table",
    )
    assert (plan["best"]["cache_tokens"], plan["best"]["chats"], len(plan["layouts"])) == (58_207, 7, 3)


def test_without_a_gpu_it_says_what_one_would_need() -> None:
    """No GPU is no failure: the need is printed for one, two, four and eight."""
    result = run()
    assert result.returncode == 0
    assert "16 bit                   16.7 GiB    9.3 GiB    5.3 GiB    3.3 GiB" in result.stdout


def test_nothing_fits() -> None:
    """Exit 1, with what would be needed."""
    result = run("--vram", "4")
    assert result.returncode == 1
    assert result.stdout.count("does not fit: needs") == 3
    assert "Nothing holds 8,192 tokens" in result.stdout
    assert variables(run("--vram", "4", "--env").stdout) == {}


def test_gpus_are_asked_of_nvidia_smi(tmp_path: Path) -> None:
    """The free memory that the driver tells is what is planned with."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho '0, NVIDIA L4, GPU-1, 23034, 22500, 8.9, 570.86.15'\n")
    tool.chmod(0o755)
    result = run(PATH=f"{tmp_path}:/usr/bin:/bin")
    assert "GPU 0 NVIDIA L4: 22.0 GiB free" in result.stdout


def test_a_folder_is_planned_for(tmp_path: Path) -> None:
    """A copy on this machine needs no hub and no name."""
    (tmp_path / "config.json").write_text(json.dumps(CONFIG_8B))
    result = run(str(tmp_path), "--vram", "24")
    assert "known from the folder" in result.stdout
    assert "weights on disk    unknown" in result.stdout


def test_an_unknown_model_is_one_sentence() -> None:
    """Exit 1 and no numbers."""
    result = run("fox/fable")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("scripts/plan: nothing is known about fox/fable: the hub cannot")


@pytest.mark.parametrize(
    "arguments", [["--vram", "0"], ["--vram", "x"], ["--context", "0"], ["--env", "--json"]]
)
def test_wrong_usage_is_exit_2(arguments: list[str]) -> None:
    """A wrong command line is not a plan."""
    assert run(*arguments).returncode == 2


@pytest.mark.parametrize(("gpus", "line"), [
    (3, "# 2 engines of the 3 that fit: docker compose -f compose.yaml -f compose.replicas.yaml up"),
    (4, "# 4 engines: docker compose -f compose.yaml -f compose.replicas.yaml --profile four-gpus up"),
    (9, "# 4 engines of the 9 that fit: docker compose -f compose.yaml -f compose.replicas.yaml "
        "--profile four-gpus up"),
])
def test_no_more_replicas_are_named_than_the_overlay_has(gpus: int, line: str) -> None:
    """It has two, and four behind its profile."""
    result = run("meta-llama/Llama-3.2-1B", *["--vram", "8"] * gpus, "--env")

    assert result.stdout.splitlines()[-1] == line
