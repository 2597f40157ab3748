"""The overlays in real containers: the embedded engine without a GPU, and one engine on each of two cards."""

import json
import os
from pathlib import Path

from tests.fakes.hub import Hub
from tests.stack.stack import Stack, until


def test_the_embedded_engine_serves_without_a_gpu(checkout: Path, images: None) -> None:
    """compose.cpu.yaml: the same supervisor and gateway, no download, no card asked for; the chat is real."""
    files = ("compose.yaml", "compose.cpu.yaml")
    stack = Stack(f"paddock-cpu-{os.getpid()}", checkout, files, {"MODEL_ID": "paddock-demo"})
    try:
        stack.up()
        stack.wait_ready()
        stats, engine = stack.stats(), stack.containers("engine")[0]
        services = {c["Config"]["Labels"]["com.docker.compose.service"] for c in stack.containers()}

        assert services == {"engine", "gateway", "frontend"}
        assert (stats["demo"], stats["download"]) == (True, None)
        assert engine["HostConfig"]["DeviceRequests"] is None
        assert engine["HostConfig"]["ReadonlyRootfs"] is True
        assert engine["Config"]["User"] == "10001:10001"
        assert len(stack.chat()) > 10
    finally:
        stack.down()


def test_replicas_get_a_card_each(checkout: Path, images: None, hub: Hub) -> None:
    """compose.replicas.yaml: two engines, each with its own card, both found and ready."""
    files = ("compose.yaml", "compose.replicas.yaml")
    stack = Stack(f"paddock-replicas-{os.getpid()}", checkout, files, {"HF_ENDPOINT": hub.url})
    try:
        stack.up()
        until(lambda: stack.stats().get("num_total_runners") == 2, "two engines are not online")
        cards = {name: stack.containers(name)[0]["HostConfig"]["DeviceRequests"][0]["DeviceIDs"]
                 for name in ("engine", "engine-1")}

        assert cards == {"engine": ["0"], "engine-1": ["1"]}
        assert json.loads(stack.do("config", "--format", "json"))["services"]["engine-1"]["environment"][
            "NUM_SHARD"] == "1"
    finally:
        stack.down()
