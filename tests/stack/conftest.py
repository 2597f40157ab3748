"""The images, the hub and the running stack that the tests share; and the figures they measured."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.hub import Hub, running
from tests.fakes.repository import File, Model
from tests.stack.stack import BUILD_SECONDS, ROOT, TGI_IMAGE, Stack, copy_checkout, docker

# The default of compose.yaml.
MODEL = "NousResearch/Meta-Llama-3-8B-Instruct"
FIGURES: dict[str, str] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    for name, figure in FIGURES.items():
        terminalreporter.write_line(f"measured: {name}: {figure}")


@pytest.fixture(scope="session")
def figures() -> dict[str, str]:
    """Give the place for what a test measures."""
    return FIGURES


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of this checkout, as a clone would be."""
    folder = tmp_path_factory.mktemp("checkout")
    copy_checkout(folder)
    return folder


@pytest.fixture(scope="session")
def images(checkout: Path) -> Iterator[None]:
    """Build our images, and put the tests' own TGI under the official name for a while."""
    known = docker("images", "--quiet", "--no-trunc", TGI_IMAGE)
    plain = Stack("paddock-build", checkout, ("compose.yaml", "compose.cpu.yaml"))
    plain.do("build", limit_seconds=BUILD_SECONDS)
    docker("build", "--tag", TGI_IMAGE, str(ROOT / "tests/stack/tgi"), limit_seconds=BUILD_SECONDS)
    yield
    if known:
        docker("tag", known, TGI_IMAGE)
    else:
        docker("rmi", TGI_IMAGE)


@pytest.fixture(scope="session")
def hub() -> Iterator[Hub]:
    """Serve the default model on the host's address in Docker's network, with real weights in it."""
    address = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    weights = (ROOT / "engine/demo/paddock-demo.gguf").read_bytes()
    small = {name: File(b"{}") for name in ("config.json", "tokenizer.json", "tokenizer_config.json")}
    with running(address) as hub:
        hub.models[MODEL] = Model({**small, "model.safetensors": File(weights, is_lfs=True),
                                   "original/consolidated.00.pth": File(b"twice", is_lfs=True)})
        yield hub


@pytest.fixture(scope="session")
def stack(checkout: Path, images: None, hub: Hub) -> Iterator[Stack]:
    """Give the project of compose.yaml, not yet up: the tests of test_stack.py run in the order of a life."""
    stack = Stack(f"paddock-test-{os.getpid()}", checkout, settings={"HF_ENDPOINT": hub.url})
    try:
        yield stack
    finally:
        stack.down()
