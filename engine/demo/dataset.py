"""Endless packed training rows: dialogues as token ids, several in a row, told apart by a document number.

Knows:            token ids, which tokens the model must learn to write, packing.
Knows nothing of: the network, devices.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from engine.demo import llama3, tokenizer
from engine.demo.corpus.dialogue import Dialogue
from engine.demo.training_text import training_dialogues

CONTEXT = 2048
# Targets with this value carry no loss (torch's own default for cross entropy).
NO_TARGET = -100
_READ_AHEAD = 256
# Dialogues that did not fit into the open row wait here for a gap; more of them pack tighter.
_WAITING = 48


def render(dialogue: Dialogue) -> str:
    """Write a dialogue in Llama 3's chat format."""
    messages = [("system", dialogue.system)] if dialogue.system else []
    for turn in dialogue.turns:
        messages += [("user", turn.user), ("assistant", turn.assistant)]
    return llama3.conversation(messages)


class Rows(IterableDataset[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]):  # type: ignore[misc,unused-ignore]
    """Yield rows of `CONTEXT` tokens: ids, targets and document numbers, each an integer tensor.

    Every loader worker writes its own dialogues, seeded by `seed` and its number.
    """

    def __init__(self, tokenizer_path: Path, seed: int) -> None:
        self._path = tokenizer_path
        self._seed = seed

    def _documents(self) -> Iterator[tuple[list[int], list[int]]]:
        """Yield each dialogue as ids and as targets: the next id where the assistant writes it."""
        worker = get_worker_info()
        encoder = tokenizer.load(self._path)
        start, end = encoder.token_to_id(llama3.START_HEADER), encoder.token_to_id(llama3.END_OF_TURN)
        assistant = encoder.token_to_id("assistant")
        stream = training_dialogues(self._seed * 1_000 + (worker.id if worker else 0))
        while True:
            texts = [render(dialogue) for dialogue in islice(stream, _READ_AHEAD)]
            for encoding in encoder.encode_batch(texts, add_special_tokens=False):
                ids: list[int] = encoding.ids[:CONTEXT]
                targets = [NO_TARGET] * len(ids)
                answer_from = len(ids)
                for place, token in enumerate(ids):
                    if token == start:
                        # A header is: start, role, end, blank line. The answer begins after it.
                        is_answer = ids[place + 1 : place + 2] == [assistant]
                        answer_from = place + 4 if is_answer else len(ids)
                    elif place >= answer_from:
                        targets[place - 1] = token
                        if token == end:
                            answer_from = len(ids)
                yield ids, targets

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        waiting: list[tuple[list[int], list[int]]] = []
        stream = self._documents()
        while True:
            ids: list[int] = []
            targets: list[int] = []
            numbers: list[int] = []
            number = 0
            while True:
                while len(waiting) < _WAITING:
                    waiting.append(next(stream))
                room = CONTEXT - len(ids)
                fit = next(
                    (place for place, document in enumerate(waiting) if len(document[0]) <= room), None
                )
                if fit is None:
                    break
                document_ids, document_targets = waiting.pop(fit)
                ids += document_ids
                targets += document_targets
                numbers += [number] * len(document_ids)
                number += 1
            gap = CONTEXT - len(ids)
            yield (
                torch.tensor(ids + [0] * gap, dtype=torch.int32),
                torch.tensor(targets + [NO_TARGET] * gap, dtype=torch.int64),
                torch.tensor(numbers + [number] * gap, dtype=torch.int32),
            )


def loader(tokenizer_path: Path, seed: int, rows: int, workers: int) -> DataLoader[tuple[torch.Tensor, ...]]:
    """Open a loader of batches with `rows` rows each; `workers` processes write them ahead."""
    # Each worker is one process already: the tokenizer's own threads would only fight over the cores.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    return DataLoader(
        Rows(tokenizer_path, seed),
        batch_size=rows,
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=8 if workers else None,
    )
