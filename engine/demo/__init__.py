"""The demo model: its corpus, tokenizer, trainer, converter and evaluation.

Run `python -m engine.demo --help`, or `scripts/demo-model` for the whole build.
"""
