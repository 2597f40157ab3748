"""What every generation works with, made once and passed down.

Knows which parts a chat's life needs. Knows nothing of what they do.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.admission import Admission
from gateway.fleet import Fleet
from gateway.keys import Keyring
from gateway.pace import Pace
from gateway.record import Ledger
from gateway.streams import Log, OpenLog


@dataclass(frozen=True, slots=True)
class House:
    """What every generation works with. Units: seconds. open_log makes the log that its readers follow."""

    admission: Admission
    fleet: Fleet
    ledger: Ledger
    pace: Pace
    clock: Callable[[], float]
    wait_limit_seconds: float
    total_limit_seconds: float
    resume_grace_seconds: float
    keyring: Keyring | None = None
    open_log: OpenLog = Log
