"""A running gateway in front of the double of TGI, and the document that it gives of itself."""

from collections.abc import Iterator

import pytest

from tests.fakes.double import thread_double
from tests.live.stack import Stack, gateway


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A gateway as a process of its own; what it answers is all that is seen of it."""
    with thread_double() as double, gateway(double.port) as running:
        yield running
