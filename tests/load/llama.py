"""llama.cpp's own server from the xllamacpp wheel, as a process: what the embedded engine is held against.

Knows:  the same model, slots and threads as the engine's.
Knows nothing of: TGI.

Run: python -m tests.load.llama MODEL SLOTS THREADS prints its port and serves until killed.
"""

import signal
import sys
from urllib.parse import urlsplit

# The engine's own context for the bundled model; longer ones are cut to it for both.
CONTEXT_TOKENS = 1024


def main() -> None:
    """Serve."""
    import xllamacpp

    model, slots, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    options = xllamacpp.CommonParams()
    options.model.path = model
    options.n_ctx = CONTEXT_TOKENS * slots
    options.n_parallel = slots
    options.cpuparams.n_threads = threads
    options.cpuparams_batch.n_threads = threads
    options.n_gpu_layers = 0
    options.fit_params = False
    options.verbosity = -1
    options.n_threads_http = 2 * slots + 8
    options.cache_ram_mib = 0
    server = xllamacpp.Server(options)
    print(urlsplit(server.listening_address).port, flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
