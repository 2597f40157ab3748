"""The process around the gateway: what it does once it is there."""

import gc

import pytest
import uvicorn

from gateway.__main__ import _Server
from gateway.app import Gateway
from gateway.settings import read_settings


async def test_what_a_start_made_is_not_collected_again(capsys: pytest.CaptureFixture[str]) -> None:
    """The garbage collector looks past it, and whoever waits for the address is told."""
    gateway = Gateway(read_settings({"GATEWAY_ENGINE_URL": "http://127.0.0.1:9"}))
    config = uvicorn.Config(gateway.app, host="127.0.0.1", port=0, log_level="warning")
    config.load()
    server = _Server(config, gateway)
    server.lifespan = config.lifespan_class(config)
    before = gc.get_freeze_count()
    try:
        await server.startup()
        assert gc.get_freeze_count() - before > 10_000
    finally:
        gc.unfreeze()
        await server.shutdown()

    assert "gateway: listening on http://127.0.0.1:" in capsys.readouterr().err
