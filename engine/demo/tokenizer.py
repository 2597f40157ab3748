"""The demo model's tokenizer: byte-level BPE of 4,096 tokens with Llama 3's split and special tokens.

Knows:            how to train, save and load it.
Knows nothing of: the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from engine.demo import llama3
from engine.demo.training_text import training_dialogues

VOCABULARY = 4096
# Dialogues read to choose the merges: beyond this the vocabulary hardly changes.
SAMPLE_DIALOGUES = 30_000
# The role words stand in every header but in few texts; this many copies make each one a single token.
ROLE_COPIES = 2_000


def _texts(seed: int) -> Iterator[str]:
    for dialogue in islice(training_dialogues(seed), SAMPLE_DIALOGUES):
        if dialogue.system:
            yield dialogue.system
        for turn in dialogue.turns:
            yield turn.user
            yield turn.assistant
    for role in llama3.ROLES:
        yield from [role] * ROLE_COPIES


def _pre_tokenizer(pattern: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def train(seed: int, path: Path) -> None:
    """Train the tokenizer on a sample of the corpus and save it.

    Raises: ValueError if a role word is not a single token, because the loss mask and the prompt rely on it.
    """
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    # Digits are split one by one while merges are learned, so no number ever becomes a token.
    tokenizer.pre_tokenizer = _pre_tokenizer(llama3.SPLIT_PATTERN.replace(r"\p{N}{1,3}", r"\p{N}"))
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(llama3.SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(seed), trainer)
    tokenizer.pre_tokenizer = _pre_tokenizer(llama3.SPLIT_PATTERN)
    special = [AddedToken(text, special=True, normalized=False) for text in llama3.SPECIAL_TOKENS]
    tokenizer.add_special_tokens(special)
    for role in llama3.ROLES:
        if tokenizer.token_to_id(role) is None:
            raise ValueError(f"the role word {role!r} is not a single token")
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path))


def load(path: Path) -> Tokenizer:
    """Read a saved tokenizer."""
    return Tokenizer.from_file(str(path))
