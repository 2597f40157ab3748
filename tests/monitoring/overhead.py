"""Measure what being scraped every second costs the gateway under load.

usage: python -m tests.monitoring.overhead [--repeats N] [--seconds S]

100 live streams, a token every 20 ms each, through the gateway in front of the bench's synthetic engine; in
turn with and without somebody who reads /metrics once a second as Prometheus does. CPU time is that of the
gateway, by the scheduler's own count, over the tokens that arrived. The machine should be idle otherwise.
"""

import argparse
import http.client
import os
import statistics
import sys
import threading

from tests.load import cpu, relays
from tests.load.generator import Plan
from tests.load.relaying import CHAT, TOKENS, load
from tests.load.relays import Process

# What Prometheus sends.
ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"
STREAMS, SCRAPES = 100, 50
# Tokens a second that the synthetic engine gives each stream.
PACE = 50


def scrape(port: int) -> int:
    """Read the page once; give its size."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/metrics", headers={"accept": ACCEPT})
        return len(connection.getresponse().read())
    finally:
        connection.close()


def cost(gateway: Process, cores: set[int], seconds: float, *, is_scraped: bool) -> float:
    """Run the load; give microseconds of CPU per token."""
    over = threading.Event()

    def keep_scraping() -> None:
        while not over.wait(1.0):
            scrape(gateway.port)

    reader = threading.Thread(target=keep_scraping)
    if is_scraped:
        reader.start()
    try:
        plan = Plan(port=gateway.port, path="/v1/chat/completions", body=CHAT, tokens=TOKENS,
                    streams=STREAMS, watched=gateway.pid, seconds=seconds)
        outcome = load(plan, cores)
    finally:
        over.set()
        if is_scraped:
            reader.join()
    return 1e6 * outcome.cpu_seconds / outcome.tokens


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0)
    given = parser.parse_args(arguments)
    load_cores, relay_cores = cpu.sides()
    os.sched_setaffinity(0, load_cores)
    with relays.synthetic(load_cores) as engine, relays.gateway(engine, relay_cores) as gateway:
        relays.set_pace(engine, is_live=True)
        size = scrape(gateway.port)
        before = cpu.cpu_seconds(gateway.pid)
        for _ in range(SCRAPES):
            scrape(gateway.port)
        each = (cpu.cpu_seconds(gateway.pid) - before) / SCRAPES
        print(f"one scrape: {1000 * each:.2f} ms of CPU, {size / 1024:.0f} KiB")
        ratios, plain = [], []
        for repeat in range(given.repeats):
            # Order: who goes first alternates, so that a drift of the machine favours nobody.
            order = (False, True) if repeat % 2 else (True, False)
            found = {is_scraped: cost(gateway, load_cores, given.seconds, is_scraped=is_scraped)
                     for is_scraped in order}
            ratios.append(100 * (found[True] / found[False] - 1))
            plain.append(found[False])
            print(f"without {found[False]:.1f} µs a token, scraped every second {found[True]:.1f} µs: "
                  f"{ratios[-1]:+.1f} %", flush=True)
        print(f"median of {given.repeats}: {statistics.median(ratios):+.1f} %")
        share = 100 * each / (STREAMS * PACE * statistics.median(plain) / 1e6)
        print(f"computed from one scrape and a second's {STREAMS * PACE} tokens: {share:+.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
