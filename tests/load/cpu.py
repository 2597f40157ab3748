"""CPU time and memory of processes, as Linux counts them.

Knows:  /proc, children included.
Knows nothing of: what the processes do.
"""

import os
from pathlib import Path

import psutil


def family(pid: int) -> list[int]:
    """A process and all its descendants that live now."""
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def _threads_seconds(pid: int) -> float:
    """The scheduler's own count of a process's threads. Seconds, to the nanosecond."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def cpu_seconds(pid: int) -> float:
    """CPU seconds used so far by a process and its descendants.

    Source:  schedstat, exact to the nanosecond; without it cpu_times, exact to a tick of 10 ms.
    """
    total = 0.0
    for member in family(pid):
        try:
            total += _threads_seconds(member)
        except OSError:
            times = psutil.Process(member).cpu_times()
            total += times.user + times.system
    return total


def resident_bytes(pid: int) -> int:
    """Memory held in RAM by a process and its descendants."""
    total = 0
    for member in family(pid):
        try:
            total += psutil.Process(member).memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def pin(pid: int, cores: set[int]) -> None:
    """Keep a process, and what it starts from now on, on some cores."""
    for thread in psutil.Process(pid).threads():
        os.sched_setaffinity(thread.id, cores)


def sides() -> tuple[set[int], set[int]]:
    """Cores for engine and load, and for the relay under test; the same one twice if there is but one."""
    allowed = sorted(os.sched_getaffinity(0))
    return {allowed[0]}, {allowed[-1]}
