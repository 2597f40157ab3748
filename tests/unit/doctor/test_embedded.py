"""The way without Docker: what ./scripts/up needs, and the script itself on this machine."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.checkup import embedded
from tests.unit.doctor.machine import Patient

DOCTOR = Path(__file__).parents[3] / "scripts/doctor"


def failed(patient: Patient) -> list[tuple[str, str, str | None]]:
    """Give what failed."""
    return [(one.name, one.says, one.fix) for one in embedded(patient.machine()) if not one.passed]


def test_a_healthy_machine_passes() -> None:
    """Seven looks, and neither Docker nor a GPU is among them."""
    patient = Patient()
    assert [check.name for check in embedded(patient.machine())] == [
        "python", "venv", "processor", "libgomp", "checkout", "disk", "port",
    ]
    assert (failed(patient), patient.asked) == ([], [])


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        (Patient(python=(3, 10)),
         ("python", "Python 3.10; 3.11 or newer is needed", "sudo apt-get install python3.11")),
        (Patient(has_venv=False),
         ("venv", "Python cannot make environments", "sudo apt-get install python3-venv")),
        (Patient(flags=("avx2", "fma")), ("processor", "lacks AVX2, FMA",
                                          "GATEWAY_ENGINE_URL=http://OTHER-MACHINE:80 python -m gateway")),
        (Patient(libraries=()), ("libgomp", "libgomp.so.1 is missing", "sudo apt-get install libgomp1")),
        (Patient(can_write=False),
         ("checkout", "/srv/paddock cannot be written, and scripts/up installs into it",
          "git clone . ~/paddock && cd ~/paddock")),
        (Patient(free=10**9),
         ("disk", "1.0 GB free at /srv/paddock; 2.0 GB are needed", "sudo apt-get clean")),
        (Patient(taken={8080: "process 7 (python)"}),
         ("port", "8080 is held by process 7 (python)", "./scripts/up --port 8081")),
    ],
    ids=["python", "venv", "processor", "libgomp", "checkout", "disk", "port"],
)
def test_each_illness_has_its_remedy(patient: Patient, expected: tuple[str, str, str]) -> None:
    """One thing wrong is one line with one command."""
    assert failed(patient) == [expected]


def test_a_checkout_that_is_installed_need_not_be_written() -> None:
    """Someone else's checkout can be run as it is."""
    stamp = Patient().machine().root / ".venv/stamps/engine"

    assert failed(Patient(can_write=False, files={stamp: "abc"})) == []


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the script on this machine, without the person's settings."""
    return subprocess.run(
        [sys.executable, "-S", str(DOCTOR), "--cpu", *arguments], capture_output=True, text=True, timeout=60,
        check=False, env={"PATH": os.environ["PATH"], "UI_PORT": "0"} | settings,
    )


def test_this_machine_can_run_its_own_tests() -> None:
    """The tests run here, so Python and the processor pass; text and JSON agree with the exit status."""
    text, facts = run(), run("--json")
    checks = json.loads(facts.stdout)["checks"]
    passed = {check["name"] for check in checks if check["passed"]}
    assert {"python", "processor"} <= passed
    assert (text.returncode, facts.returncode) == ((0, 0) if len(passed) == len(checks) else (1, 1))
    assert json.loads(facts.stdout)["ready"] is (len(passed) == len(checks))
    assert text.stdout.splitlines()[-1] == (
        "Ready: ./scripts/up" if len(passed) == len(checks)
        else f"{len(checks) - len(passed)} of {len(checks)} checks failed."
    )


def test_nothing_is_changed(tmp_path: Path) -> None:
    """A checkout is the same, to the file and the byte, after doctor and plan have looked at it."""
    root = DOCTOR.parents[1]
    (tmp_path / "scripts").mkdir()
    for name in ("doctor", "plan"):
        shutil.copy(root / "scripts" / name, tmp_path / "scripts")
    left = shutil.ignore_patterns("__pycache__", "demo")
    shutil.copytree(root / "engine", tmp_path / "engine", ignore=left)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for command in (["doctor", "--cpu"], ["doctor"], ["plan", "--vram", "24"]):
        subprocess.run(
            [sys.executable, str(tmp_path / "scripts" / command[0]), *command[1:]], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=60, check=False,
            env={"PATH": os.environ["PATH"], "HF_ENDPOINT": "http://127.0.0.1:1", "HOME": str(tmp_path),
                 "MODEL_ID": "meta-llama/Meta-Llama-3-8B-Instruct"},
        )
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_port_in_use_on_this_machine_is_found() -> None:
    """A real socket makes a real check fail, and the exit status says so."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        result = run("--json", UI_PORT=str(number))
    port = next(check for check in json.loads(result.stdout)["checks"] if check["name"] == "port")
    assert (result.returncode, port["passed"]) == (1, False)
    assert port["says"].startswith(f"{number} is held by process {os.getpid()}")


def test_a_docker_stack_is_looked_at_on_a_machine_with_a_card(tmp_path: Path) -> None:
    """With nvidia-smi on the PATH the other way is checked, with the programs' real output."""
    answers = {
        "nvidia-smi": "case $1 in --query-gpu*) echo '0, NVIDIA L4, GPU-1, 23034, 22500, 8.9, 570.86';; esac",
        "docker": "case \"$1 $2\" in 'version '*) echo 28.5.2;; 'compose version') echo 2.40.3;;"
                  " 'info '*) echo '{\"Runtimes\": {\"nvidia\": {}}}';; esac",
    }
    for name, script in answers.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    result = subprocess.run(
        [sys.executable, "-S", str(DOCTOR), "--json"],
        capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "HF_ENDPOINT": "http://127.0.0.1:1", "HF_HOME": "/none",
             "MODEL_ID": "meta-llama/Meta-Llama-3-8B-Instruct"},
    )
    facts = json.loads(result.stdout)
    passed = {check["name"] for check in facts["checks"] if check["passed"]}
    assert (facts["path"], facts["ready"], result.returncode) == ("docker", False, 1)
    assert {"docker", "compose", "driver", "toolkit", "capability", "memory", "shm"} <= passed
    assert "access" not in passed


def test_a_misspelt_setting_is_a_warning_and_no_failure() -> None:
    """In text and in JSON; the exit status is that of the checks alone."""
    text, facts = run(MODEL_IDD="a/b"), json.loads(run("--json", MODEL_IDD="a/b").stdout)

    sentence = "MODEL_IDD is no setting of Paddock; did you mean MODEL_ID?"
    assert f"warning settings      {sentence}" in text.stdout.splitlines()
    assert facts["warnings"] == [sentence]
    assert text.returncode == (0 if facts["ready"] else 1)
    assert [check for check in facts["checks"] if check["name"] == "settings"] == []
