"""Runs every case of the contract against every target that can do what the case needs.

A case marked `@pytest.mark.needs("script")` is collected for no other target, so nothing is skipped.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.contract.target import Target, loading, names, started


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "needs(*capabilities): run only against targets that have them")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a case its targets."""
    needs = {need for mark in metafunc.definition.iter_markers("needs") for need in mark.args}
    for fixture in ("target", "narrow", "fresh", "fresh_port"):
        if fixture in metafunc.fixturenames:
            more = set() if fixture == "target" else {"start"}
            metafunc.parametrize(fixture, names(needs | more), indirect=True)


@pytest.fixture(scope="session")
def _targets() -> Iterator[Callable[[str, bool], Target]]:
    """Each target is started once, on its first case."""
    running: dict[tuple[str, bool], Target] = {}
    with ExitStack() as stack:

        def find(name: str, is_narrow: bool) -> Target:
            if (name, is_narrow) not in running:
                running[name, is_narrow] = stack.enter_context(started(name, is_narrow=is_narrow))
            return running[name, is_narrow]

        yield find


def _clean(target: Target) -> Target:
    if target.double is not None:
        target.double.reset()
    return target


@pytest.fixture
def target(request: pytest.FixtureRequest, _targets: Callable[[str, bool], Target]) -> Target:
    """An engine with its usual limits."""
    return _clean(_targets(request.param, False))


@pytest.fixture
def narrow(request: pytest.FixtureRequest, _targets: Callable[[str, bool], Target]) -> Target:
    """An engine that runs one request at a time and holds two, idle."""
    found = _clean(_targets(request.param, True))
    found.wait_idle()
    return found


@pytest.fixture
def fresh(request: pytest.FixtureRequest) -> Iterator[Target]:
    """An engine started for this case alone."""
    with started(request.param) as target:
        yield target


@pytest.fixture
def fresh_port(request: pytest.FixtureRequest) -> Iterator[tuple[int, Callable[[], object]]]:
    """The port of an engine that is still loading, and what blocks until it is ready."""
    with loading(request.param) as started_now:
        yield started_now
