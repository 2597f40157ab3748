"""Streams through a gateway for minutes and prints what memory it holds over time.

Run by hand: python -m tests.load.soak --minutes 30

Knows:  a gateway and a double of TGI in processes of their own, clients that read, leave and come back.
Knows nothing of:  bounds; the reader of the figures judges them.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.chaos.client import asking
from tests.fakes.double import TgiDouble, process_double
from tests.gateway.talk import CHAT, chat

# A token every 10 ms for each stream: with 32 of them about 3,000 a second in all.
TOKEN_SECONDS = 0.01
# Small, so that what is kept for those who come back reaches its bound within the first minutes.
SETTINGS = {"GATEWAY_STREAM_KEEP_SECONDS": "30", "GATEWAY_RESUME_GRACE_SECONDS": "1",
            "GATEWAY_STREAM_MEMORY_BYTES": "4194304", "GATEWAY_SLOTS": "24", "GATEWAY_PORT": "0"}  # fmt: skip
PRINT_SECONDS = 15.0


def resident_mib(process: int) -> float:
    """Give the resident memory of a process. Units: MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def client(port: int, chance: random.Random, until: float, ends: Counter[str]) -> None:
    """Ask one chat after the other: read, leave, come back or wait for nothing."""
    while time.monotonic() < until:
        kind = chance.choices(("reads", "whole", "leaves", "returns"), (45, 15, 15, 25))[0]
        body = chat("word " * chance.randint(5, 150), stream=kind != "whole")
        headers = {"paddock-resume": "1"} if kind == "returns" else {}
        async with asking(port, "POST", CHAT, body, headers=headers) as answer:
            if answer.status != 200:
                ends[f"status {answer.status}"] += 1
            elif kind == "whole":
                await answer.body()
            elif kind == "reads":
                await answer.rest()
            else:
                await answer.frames(chance.randint(1, 60))
        identity = answer.headers.get("paddock-stream")
        if identity and not answer.is_whole:
            path = f"/v1/streams/{identity}?after={answer.received.count(b'id: ')}"
            async with asking(port, "GET", path) as again:
                if again.status == 200:
                    await again.rest()
        ends[kind] += 1


async def watch(process: int, double: TgiDouble, began: float, ends: Counter[str]) -> None:
    """Print a row now and then."""
    print(f"{'seconds':>8} {'chats':>8} {'MiB':>8}", flush=True)
    while True:
        row = time.monotonic() - began, sum(ends.values()), resident_mib(process)
        print(f"{row[0]:8.0f} {row[1]:8} {row[2]:8.1f}", flush=True)
        await asyncio.sleep(PRINT_SECONDS)
        # The double remembers every request it saw.
        await asyncio.to_thread(pace, double)


def pace(double: TgiDouble) -> None:
    """Let the double forget, and write at one speed."""
    double.reset()
    double.script(delay_seconds=TOKEN_SECONDS, times=None)


async def soak(port: int, process: int, double: TgiDouble, minutes: float, streams: int) -> Counter[str]:
    """Keep the gateway busy; give the chats by what their clients did."""
    ends: Counter[str] = Counter()
    began = time.monotonic()
    watching = asyncio.create_task(watch(process, double, began, ends))
    clients = [client(port, random.Random(number), began + minutes * 60, ends) for number in range(streams)]
    await asyncio.gather(*clients)
    # What was kept for those who might come back is let go.
    await asyncio.sleep(35)
    watching.cancel()
    print(f"{time.monotonic() - began:8.0f} {sum(ends.values()):8} {resident_mib(process):8.1f}  idle")
    return ends


def listening(gateway: "subprocess.Popen[str]") -> int:
    """Wait until a gateway serves; give its port. Raises: RuntimeError with what it said instead."""
    assert gateway.stderr is not None
    said, port = "", 0
    for line in gateway.stderr:
        said += line
        if "listening on" in line:
            port = int(line.rpartition(":")[2])
        # The engine's first token comes before or after the port.
        if port and ": ready" in said:
            return port
    raise RuntimeError(said)


def main() -> None:
    """Start everything, soak, and stop it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (30)")
    parser.add_argument("--streams", type=int, default=32, help="how many at once (32)")
    asked = parser.parse_args()
    with process_double() as double:
        pace(double.wait_ready())
        environment = {**os.environ, **SETTINGS, "GATEWAY_ENGINE_URL": double.url, "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "gateway"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True) as gateway:  # fmt: skip
            try:
                port = listening(gateway)
                print(dict(asyncio.run(soak(port, gateway.pid, double, asked.minutes, asked.streams))))
            finally:
                gateway.terminate()
                gateway.wait(60)


if __name__ == "__main__":
    main()
