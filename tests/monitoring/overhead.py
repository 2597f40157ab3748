"""Measure what being scraped costs the gateway under load.

usage: python -m tests.monitoring.overhead [--seconds S] [--every S] [--scrapes N]

100 live streams, a token every 20 ms each, go through the gateway in front of the bench's synthetic engine.
While they run, windows in which somebody reads /metrics as Prometheus does take turns with windows in which
nobody does; CPU time is the gateway's, by the scheduler's own count. Each pair of windows gives a difference.
Printed are their mean, its 95 % interval, and what it is of the CPU that the tokens of a window take.

--every 10 --scrapes 1 (default) is how the provisioned Prometheus scrapes; --every 1 --scrapes 20 shows what
one scrape costs, because there it is large against the noise. The machine should be idle otherwise.
"""

import argparse
import http.client
import math
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.load import cpu, relays
from tests.load.generator import Outcome, Plan
from tests.load.relaying import CHAT, TOKENS, load
from tests.load.relays import Process

# What Prometheus sends.
ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"
STREAMS = 100
# From the load's first request until all its streams run.
WARM_SECONDS = 3.0


@dataclass(frozen=True)
class Pair:
    """CPU seconds of two windows beside each other."""

    plain: float
    scraped: float


def scrape(port: int) -> int:
    """Read the page once; give its size."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/metrics", headers={"accept": ACCEPT})
        return len(connection.getresponse().read())
    finally:
        connection.close()


def window(gateway: Process, seconds: float, scrapes: int) -> float:
    """Let a window pass with so many scrapes, evenly spread; give the CPU seconds it took."""
    began, used = time.monotonic(), cpu.cpu_seconds(gateway.pid)
    for number in range(scrapes):
        time.sleep(max(0.0, began + (number + 0.5) * seconds / scrapes - time.monotonic()))
        scrape(gateway.port)
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    return cpu.cpu_seconds(gateway.pid) - used


def pairs(gateway: Process, seconds: float, every: float, scrapes: int) -> Iterator[Pair]:
    """Measure pairs of windows for so long; who goes first alternates, so that a drift favours nobody."""
    for number in range(int(seconds / (2 * every))):
        order = (0, scrapes) if number % 2 else (scrapes, 0)
        found = {count: window(gateway, every, count) for count in order}
        yield Pair(found[0], found[scrapes])


def report(found: list[Pair], outcome: Outcome, every: float, scrapes: int) -> None:
    """Print what was found."""
    rate = outcome.tokens / outcome.wall_seconds
    plain = statistics.mean(pair.plain for pair in found)
    differences = [pair.scraped - pair.plain for pair in found]
    mean = statistics.mean(differences)
    half = 1.96 * statistics.stdev(differences) / math.sqrt(len(differences))
    per_token = plain / (rate * every)
    print(f"{len(found)} pairs of {every:g} s, {scrapes} scrapes in one of each; {rate:.0f} tokens a second")
    print(f"a token takes {1e6 * per_token:.1f} µs of CPU; all of them {100 * plain / every:.0f} % of a core")
    print(f"one scrape takes {1e3 * mean / scrapes:.2f} ± {1e3 * half / scrapes:.2f} ms of it")
    print(f"so being scraped adds {100 * mean / plain:+.2f} ± {100 * half / plain:.2f} % to a token")
    spread = 100 * statistics.stdev(pair.plain for pair in found) / plain
    print(f"(windows without a scrape differ among themselves by {spread:.1f} %)")


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=160.0, help="of all windows together; %(default)s")
    parser.add_argument("--every", type=float, default=10.0, help="length of a window; %(default)s")
    parser.add_argument("--scrapes", type=int, default=1, help="in a window that has some; %(default)s")
    given = parser.parse_args(arguments)
    if given.seconds < 4 * given.every or given.every <= 0 or given.scrapes < 1:
        parser.error("at least two pairs of windows, with a scrape in each")
    load_cores, relay_cores = cpu.sides()
    os.sched_setaffinity(0, load_cores)
    with relays.synthetic(load_cores) as engine, relays.gateway(engine, relay_cores) as gateway:
        relays.set_pace(engine, is_live=True)
        print(f"the page has {scrape(gateway.port) / 1024:.0f} KiB")
        outcomes: list[Outcome] = []
        plan = Plan(port=gateway.port, path="/v1/chat/completions", body=CHAT, tokens=TOKENS,
                    streams=STREAMS, watched=gateway.pid, seconds=given.seconds + WARM_SECONDS)
        loading = threading.Thread(target=lambda: outcomes.append(load(plan, load_cores)))
        loading.start()
        time.sleep(WARM_SECONDS)
        found = list(pairs(gateway, given.seconds, given.every, given.scrapes))
        loading.join()
        report(found, outcomes[0], given.every, given.scrapes)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
