"""The trainer: fresh dialogues until a time limit, on a GPU if there is one, else on the CPU.

Knows:            optimisers, schedule, saving weights.
Knows nothing of: GGUF, evaluation.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask

from engine.demo.dataset import NO_TARGET, loader
from engine.demo.network import Llama, Shape, Spans, block_mask, spans_of

# Muon's usual rate for hidden matrices; the embedding, tied to the output, and the norms learn with AdamW.
MATRIX_RATE = 0.02
OTHER_RATE = 0.004
WARM_UP_STEPS = 100
# Weights that were trained before need no long warm-up, only momenta that have settled.
WARM_UP_STEPS_AGAIN = 10
# From this share of the time on, rates fall to zero in a straight line.
DECAY_FROM = 0.4
REPORT_EVERY_SECONDS = 15.0


@dataclass(frozen=True)
class Budget:
    """Hold how long, how wide and how fast to train.

    Units: minutes of wall clock; rows of 2,048 tokens a step; loader processes; share of the usual rates.
    """

    minutes: float
    rows: int
    workers: int
    rate_share: float


def budget_for(minutes: float, rate_share: float) -> Budget:
    """Choose rows and loader processes for this machine."""
    cores = os.cpu_count() or 1
    if torch.cuda.is_available():
        return Budget(minutes, rows=48, workers=max(1, cores - 3), rate_share=rate_share)
    # One process writes dialogues far faster than a CPU learns from them.
    return Budget(minutes, rows=2, workers=1, rate_share=rate_share)


def save(model: Llama, path: Path, facts: dict[str, object]) -> None:
    """Write weights as float16, with the network's shape and facts about the training beside them."""
    arrays: dict[str, Any] = {
        name: tensor.detach().cpu().numpy().astype(numpy.float16) for name, tensor in model.named_parameters()
    }
    head = json.dumps({"shape": asdict(model.shape), "training": facts})
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part.npz")
    numpy.savez(unfinished, __head__=numpy.array(head), **arrays)
    unfinished.replace(path)


def read(path: Path) -> tuple[Llama, dict[str, object]]:
    """Read weights written by `save`: the network and the facts about its training."""
    with numpy.load(path) as arrays:
        head = json.loads(str(arrays["__head__"]))
        model = Llama(Shape(**head["shape"]))
        model.load_state_dict(
            {
                name: torch.from_numpy(arrays[name].astype(numpy.float32))
                for name in arrays.files
                if name != "__head__"
            }
        )
    return model, head["training"]


def _masks(
    batches: Iterator[list[Tensor]], device: str
) -> Iterator[tuple[Tensor, Tensor, BlockMask | Spans]]:
    build = torch.compile(block_mask) if device == "cuda" else spans_of
    for ids, targets, documents in batches:
        moved = documents.to(device, non_blocking=True)
        yield ids.to(device, non_blocking=True), targets.to(device, non_blocking=True), build(moved)


def _rate(step: int, progress: float, warm_up_steps: int) -> float:
    warm_up = min(1.0, (step + 1) / warm_up_steps)
    decay = min(1.0, (1.0 - progress) / (1.0 - DECAY_FROM))
    return warm_up * max(0.0, decay)


def train(tokenizer_path: Path, out: Path, budget: Budget, seed: int, start: Path | None = None) -> None:
    """Train until the time is over and save the weights with facts about the run.

    The loss is that of the assistant's tokens only, end-of-turn included.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(seed)
    torch.set_float32_matmul_precision("high")
    model, earlier = read(start) if start else (Llama(Shape()), None)
    warm_up_steps = WARM_UP_STEPS_AGAIN if start else WARM_UP_STEPS
    model = model.to(device)
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, weight in model.named_parameters():
        (matrices if weight.dim() == 2 and "token_embd" not in name else others).append(weight)
    optimisers: list[tuple[torch.optim.Optimizer, float]] = [
        (torch.optim.Muon(matrices, lr=MATRIX_RATE, weight_decay=0.02, momentum=0.95), MATRIX_RATE),
        (torch.optim.AdamW(others, lr=OTHER_RATE, betas=(0.9, 0.98), weight_decay=0.0), OTHER_RATE),
    ]
    loss_of = torch.compile(model.loss) if device == "cuda" else model.loss
    parameters = sum(weight.numel() for weight in model.parameters())
    print(f"{parameters:,} parameters on {device}, {budget}", flush=True)

    begun = time.monotonic()
    limit_seconds = budget.minutes * 60
    reported = begun
    step, tokens, learned, smooth = 0, 0, 0, math.nan
    batches = iter(loader(tokenizer_path, seed, budget.rows, budget.workers))
    for ids, targets, mask in _masks(batches, device):
        progress = (time.monotonic() - begun) / limit_seconds
        if progress >= 1.0:
            break
        for optimiser, rate in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * budget.rate_share * _rate(step, progress, warm_up_steps)
        with torch.autocast(device, torch.bfloat16):
            loss = loss_of(ids, targets, mask)
        torch.autograd.backward(loss)
        for optimiser, _ in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        step += 1
        tokens += ids.numel()
        if step % 20 == 0 or device == "cpu":
            # Reading the loss waits for the GPU, so it is read now and then only.
            value = loss.item()
            learned += int((targets != NO_TARGET).sum()) * (20 if device == "cuda" else 1)
            smooth = value if math.isnan(smooth) else 0.9 * smooth + 0.1 * value
            if time.monotonic() - reported > REPORT_EVERY_SECONDS:
                reported = time.monotonic()
                seconds = reported - begun
                pace = f"{tokens / 1e6:.1f} M tokens  {tokens / seconds / 1e3:.1f} k/s"
                print(f"{seconds:5.0f} s  step {step}  {pace}  loss {smooth:.4f}", flush=True)
    facts: dict[str, object] = {
        "device": (
            torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
        ),
        "minutes": round((time.monotonic() - begun) / 60, 2),
        "seed": seed,
        "steps": step,
        "tokens": tokens,
        "answer_tokens_estimate": learned,
        "loss": round(smooth, 4),
        "parameters": parameters,
        "torch": torch.__version__,
    }
    if earlier:
        facts["earlier"] = earlier
    save(model, out, facts)
    print(json.dumps(facts), flush=True)
