"""The GPU exporter without DCGM: what it writes of what nvidia-smi tells, and what without."""

import csv
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from monitoring.gpu_exporter import FIELDS, page, server
from tests.monitoring.files import MONITORING, ROOT

LABELS = '{gpu="0",UUID="GPU-1",modelName="NVIDIA GeForce RTX 4090"}'
CARD = "0, GPU-1, NVIDIA GeForce RTX 4090, 15600, 8400, 97, 61, 280.50, 64, 2520\n"


@contextmanager
def serving(folder: Path, script: str) -> Iterator[str]:
    """Serve what a stand-in for nvidia-smi tells; give the address."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    with server(str(program), "127.0.0.1", 0) as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()
        thread.join()


def test_a_card_is_told_under_dcgm_s_names() -> None:
    """With the label that panels and rules know it by."""
    text = page(CARD)

    assert f"DCGM_FI_DEV_FB_USED{LABELS} 15600\n" in text
    assert f"DCGM_FI_DEV_POWER_USAGE{LABELS} 280.50\n" in text
    assert len(FIELDS) == len(re.findall(r"^# TYPE DCGM_FI_DEV_\w+ gauge$", text, re.MULTILINE))


def test_what_a_card_does_not_tell_is_absent() -> None:
    """It is no zero; what the other card tells stays."""
    text = page(CARD + '1, GPU-2, "Odd" \\ card, 10, 20, [N/A], [Not Supported], [N/A], 50, \n')

    assert 2 == text.count("\nDCGM_FI_DEV_FB_USED{")
    assert 1 == text.count("\nDCGM_FI_DEV_GPU_UTIL{") == text.count("\nDCGM_FI_DEV_SM_CLOCK{")
    assert 'modelName="Odd  card"' in text


def test_no_card_is_an_empty_page() -> None:
    """Without a family that has no sample."""
    assert "" == page("")


def test_each_name_is_one_that_dcgm_has() -> None:
    """The file of fields that NVIDIA's exporter reads has it as a gauge."""
    with (MONITORING / "gpu-counters.csv").open() as file:
        kinds = {row[0]: row[1].strip() for row in csv.reader(file) if not row[0].startswith("#")}

    assert {"gauge"} == {kinds[name] for _, name, _ in FIELDS}


def test_it_answers_metrics_and_nothing_else(tmp_path: Path) -> None:
    """In a form that Prometheus 3 takes."""
    with serving(tmp_path, f"echo '{CARD.strip()}'") as url:
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            kind, text = answer.headers["content-type"], answer.read().decode()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url)
        refused.value.close()

    assert ("text/plain; version=0.0.4; charset=utf-8", page(CARD)) == (kind, text)
    assert 404 == refused.value.code


def test_a_driver_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    """No zeros: the scrape fails, and an alert says so."""
    with serving(tmp_path, "echo 'Failed to initialize NVML'; exit 9") as url:
        with pytest.raises(urllib.error.HTTPError) as failed:
            urllib.request.urlopen(f"{url}/metrics")
        said = failed.value.read().decode()
        failed.value.close()

    assert (503, "nvidia-smi ended with 9: Failed to initialize NVML\n") == (failed.value.code, said)


def test_the_overlay_keeps_the_name_that_prometheus_asks_for(tmp_path: Path) -> None:
    """It changes one service that the profile has, follows the schema, and starts this program."""

    class Loader(yaml.SafeLoader):
        """Takes Compose's own words for replacing a value."""

    Loader.add_multi_constructor("!override", lambda loader, _, node: (
        loader.construct_mapping(node) if isinstance(node, yaml.MappingNode) else
        loader.construct_sequence(node, deep=True)))
    overlay = yaml.load((MONITORING / "compose.nvidia-smi.yaml").read_text(), Loader)
    plain = tmp_path / "compose.yaml"
    plain.write_text(yaml.safe_dump(overlay))
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(plain)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    profile = yaml.safe_load((MONITORING / "compose.yaml").read_text())["services"]
    (service,) = overlay["services"].values()
    (bind,) = service["volumes"]

    assert (0, "ok -- validation done\n") == (done.returncode, done.stdout)
    assert overlay["services"].keys() <= profile.keys()
    assert (ROOT / bind["source"]).resolve() == MONITORING / "gpu_exporter.py"
    assert bind["target"] in service["command"]


def test_without_nvidia_smi_it_says_so(tmp_path: Path) -> None:
    """In a sentence, and does not go on."""
    command = [sys.executable, str(MONITORING / "gpu_exporter.py"), "--port", "0"]
    done = subprocess.run(
        command, env=os.environ | {"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert 1 == done.returncode
    assert "there is no nvidia-smi here" in done.stderr
