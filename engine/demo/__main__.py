"""Command line of the demo model's build: one subcommand for each step, `build` for all of them."""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = HERE.parents[1] / ".cache" / "demo"
MODEL = HERE / "paddock-demo.gguf"
REPORT = HERE / "EVALUATION.md"
SEED = 3


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.demo", description=__doc__)
    parser.add_argument("step", choices=("corpus", "tokenizer", "train", "convert", "evaluate", "build"))
    parser.add_argument(
        "--minutes", type=float, default=480.0, help="time limit of the training (default: 480)"
    )
    parser.add_argument("--seed", type=int, default=SEED, help=f"seed of every step (default: {SEED})")
    parser.add_argument("--work", type=Path, default=WORK, help="folder for the tokenizer and the weights")
    parser.add_argument("--start", type=Path, help="weights to go on from instead of a random start")
    parser.add_argument("--rate-share", type=float, default=1.0, help="share of the usual learning rates")
    parser.add_argument("--count", type=int, default=20, help="dialogues to print (corpus)")
    parser.add_argument("--url", help="evaluate a running engine's /generate instead of the model file")
    return parser.parse_args()


def _print_corpus(seed: int, count: int) -> None:
    from engine.demo.corpus.mixture import dialogues

    for dialogue in islice(dialogues(seed), count):
        print("=" * 40)
        if dialogue.system:
            print("system:", dialogue.system)
        for turn in dialogue.turns:
            print("user:", turn.user)
            print("assistant:", turn.assistant)


def main() -> None:
    """Run one step, or all of them in order.

    Heavy packages are imported by the step that needs them, so printing the corpus needs none.
    """
    arguments = _arguments()
    tokenizer_path, weights_path = arguments.work / "tokenizer.json", arguments.work / "weights.npz"
    steps = ("tokenizer", "train", "convert", "evaluate") if arguments.step == "build" else (arguments.step,)
    if "corpus" in steps:
        _print_corpus(arguments.seed, arguments.count)
    if "tokenizer" in steps:
        from engine.demo import tokenizer

        tokenizer.train(arguments.seed, tokenizer_path)
        print(f"wrote {tokenizer_path}")
    if "train" in steps:
        from engine.demo import train

        budget = train.budget_for(arguments.minutes, arguments.rate_share)
        train.train(tokenizer_path, weights_path, budget, arguments.seed, arguments.start)
        print(f"wrote {weights_path}")
    if "convert" in steps:
        from engine.demo import convert

        convert.convert(weights_path, tokenizer_path, MODEL)
        print(f"wrote {MODEL}, {MODEL.stat().st_size:,} bytes")
    if "evaluate" in steps:
        from engine.demo import evaluate

        evaluate.evaluate(MODEL, REPORT, arguments.url)
        print(f"wrote {REPORT}")


if __name__ == "__main__":
    main()
