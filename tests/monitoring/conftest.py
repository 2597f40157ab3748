"""Everything that is watched, with a load behind it: started once for all tests of the folder."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.monitoring import load
from tests.monitoring.stack import Watched, watched


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A stack that Prometheus has watched under load."""
    with watched(tmp_path_factory.mktemp("watched")) as found:
        load.run(found)
        yield replace(found, at=load.settle(found))
