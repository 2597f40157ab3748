"""The whole stack, started once for all tests that share it."""

from collections.abc import Iterator

import pytest

from tests.live.stack import Stack, started


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A gateway with its usual settings in front of the embedded engine."""
    with started() as running:
        yield running
