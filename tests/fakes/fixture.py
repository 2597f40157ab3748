"""Pytest fixtures of the doubles. Use: `pytest_plugins = ["tests.fakes.fixture"]` in the top conftest.

Knows:  how long a double lives.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.fakes.double import ProcessDouble, ThreadDouble, process_double, thread_double


@pytest.fixture
def tgi_double() -> Iterator[ThreadDouble]:
    """A fresh double of TGI, listening, in a thread."""
    with thread_double() as double:
        yield double


@pytest.fixture
def start_tgi_double() -> Iterator[Callable[..., ThreadDouble]]:
    """Start as many doubles as a test wants, each with its own settings."""
    with ExitStack() as stack:

        def start(**settings: Any) -> ThreadDouble:
            return stack.enter_context(thread_double(**settings))

        yield start


@pytest.fixture
def start_tgi_process() -> Iterator[Callable[..., ProcessDouble]]:
    """Start doubles in processes of their own; call `wait_ready` on them."""
    with ExitStack() as stack:

        def start(**settings: Any) -> ProcessDouble:
            return stack.enter_context(process_double(**settings))

        yield start
