"""A GPU exporter without a GPU: the counters that NVIDIA's exporter has by default and our panels read.

Knows:  names and labels as docs/metrics.md lists them.
Knows nothing of: real values.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GAUGES = {
    "DCGM_FI_DEV_FB_USED": 15600,
    "DCGM_FI_DEV_FB_FREE": 8400,
    "DCGM_FI_DEV_GPU_UTIL": 97,
    "DCGM_FI_DEV_MEM_COPY_UTIL": 61,
    "DCGM_FI_DEV_POWER_USAGE": 280.5,
    "DCGM_FI_DEV_GPU_TEMP": 64,
    "DCGM_FI_DEV_SM_CLOCK": 1890,
    "DCGM_FI_DEV_XID_ERRORS": 0,
    "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS": 0,
    "DCGM_FI_DEV_ROW_REMAP_FAILURE": 0,
}
ENERGY = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
_LABELS = '{gpu="0",UUID="GPU-0",device="nvidia0",modelName="none",Hostname="here"}'


def page(milliwatts: float = 280_500.0) -> str:
    """Write the page; the energy, in millijoules, grows with time."""
    lines = [f"# TYPE {name} gauge\n{name}{_LABELS} {value}" for name, value in GAUGES.items()]
    lines.append(f"# TYPE {ENERGY} counter\n{ENERGY}{_LABELS} {time.monotonic() * milliwatts:.0f}")
    return "\n".join(lines) + "\n"


@contextmanager
def exporter() -> Iterator[int]:
    """Serve the page; give the port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page().encode()
            self.send_response(200)
            self.send_header("content-type", "text/plain; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield served.server_port
        served.shutdown()
