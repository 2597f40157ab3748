#!/usr/bin/env python
"""Starts the embedded engine as TGI's launcher starts its shards and router: offline, from the cache.

It refuses what the launcher refuses: unknown flags, a model that is not whole in the cache, no GPU. The
weights are the cached file itself, whatever its name says: the tests' hub serves a GGUF file in it.
Two settings bring troubles of TGI: CUDA_MEMORY_FRACTION below 0.1 runs out of memory, and a
MAX_BATCH_PREFILL_TOKENS of 1 ends without a reason.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path


def main() -> None:
    """Read the flags, look at the machine, become the engine."""
    parser = argparse.ArgumentParser(prog="text-generation-launcher", allow_abbrev=False)
    for flag in ("port", "num-shard", "max-batch-prefill-tokens", "max-total-tokens"):
        parser.add_argument(f"--{flag}", type=int)
    for flag in ("model-id", "quantize", "dtype", "kv-cache-dtype", "revision"):
        parser.add_argument(f"--{flag}")
    parser.add_argument("--cuda-memory-fraction", type=float, default=1.0)
    told = parser.parse_args()
    if misread := sorted({"QUANTIZE", "NUM_SHARD", "MODEL_ID", "REVISION", "HF_TOKEN"} & os.environ.keys()):
        sys.exit(f"error: the launcher would read {misread} twice")
    if os.environ.get("HF_HUB_OFFLINE") != "1":
        sys.exit("Error: DownloadError: HF_HUB_OFFLINE is not 1")
    print("Starting check and download process", flush=True)
    if shutil.which("nvidia-smi") is None:
        sys.exit("RuntimeError: No CUDA GPUs are available\nError: ShardCannotStart")
    folder = Path(os.environ["HF_HOME"], "hub", "models--" + told.model_id.replace("/", "--"))
    commit = (folder / "refs" / (told.revision or "main")).read_text()
    weights = folder / "snapshots" / commit / "model.safetensors"
    if not (weights.is_file() and (weights.parent / "config.json").is_file()):
        sys.exit("LocalEntryNotFoundError: the model is not whole\nError: DownloadError")
    print("Starting shard rank=0", flush=True)
    if told.cuda_memory_fraction < 0.1:
        sys.exit("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1 GiB\nShardCannotStart")
    if told.max_batch_prefill_tokens == 1:
        sys.exit("Error: ShardFailed")
    print("Starting Webserver", flush=True)
    engine = {"MODEL_PATH": str(weights.resolve()), "ENGINE_PORT": str(told.port), "ENGINE_HOST": "0.0.0.0",
              "ENGINE_MAX_TOTAL_TOKENS": str(told.max_total_tokens or "")}
    os.chdir("/paddock")
    os.execvpe("python", ["python", "-m", "engine"], {**os.environ, **engine})


main()
