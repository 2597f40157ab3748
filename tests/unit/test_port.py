"""Ports: free or taken, and by whom."""

import os
import socket
from collections.abc import Iterator

import pytest

from engine import port as ports


@pytest.fixture(params=["127.0.0.1", "::1"])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """A socket that listens on a free port."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.create_server((request.param, 0), family=family) as server:
        yield server


def test_a_listening_port_is_taken_and_its_owner_is_known(listener: socket.socket) -> None:
    """The owner of a taken port is this process, with its command."""
    host, port = listener.getsockname()[:2]
    owner = ports.owner(port)

    assert not ports.is_free(host, port)
    assert owner is not None
    assert (os.getpid(), True) == (owner.pid, "pytest" in " ".join(owner.command))


def test_a_closed_port_is_free_again(listener: socket.socket) -> None:
    """After the listener is closed the port is free and has no owner."""
    host, port = listener.getsockname()[:2]
    listener.close()

    assert ports.is_free(host, port)
    assert ports.owner(port) is None


def test_choose_prefers_the_port_asked_for(listener: socket.socket) -> None:
    """A taken port is replaced by a free one, a free one is kept."""
    host, port = listener.getsockname()[:2]
    other = ports.choose(host, port)

    assert port != other
    assert other == ports.choose(host, other)


def test_an_owner_is_written_for_people() -> None:
    """Long commands are cut."""
    assert str(ports.Owner(7, ("python", "-m", "gateway"))) == "process 7 (python -m gateway)"
    assert f"process 7 ({'x' * 77}...)" == str(ports.Owner(7, ("x" * 200,)))


def test_a_claim_is_exclusive_until_it_is_given_back() -> None:
    """Two starters cannot both get a port that nobody listens on yet; the holder is known."""
    port, held = ports.reserve("127.0.0.1", 0)
    owner = ports.owner(port)

    assert ports.claim(port) is None
    assert owner is not None
    assert owner.pid == os.getpid()
    held.close()
    again = ports.claim(port)
    assert again is not None
    again.close()


def test_reserve_passes_over_a_claimed_port() -> None:
    """A preferred port that another starter has claimed is replaced."""
    port, held = ports.reserve("127.0.0.1", 0)
    other, also_held = ports.reserve("127.0.0.1", port)
    held.close()
    also_held.close()

    assert other != port
