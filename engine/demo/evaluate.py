"""The evaluation: ask every held-out question, count right answers, write the published table.

Knows:            the model file, one engine to ask, how to report.
Knows nothing of: what makes an answer right (see heldout.py).
"""

from __future__ import annotations

import json
import os
import platform
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.demo import llama3
from engine.demo.convert import TRAINING_KEY
from engine.demo.heldout import Case, cases
from engine.demo.heldout_fresh import fresh_cases
from engine.demo.heldout_rows import BARS
from engine.demo.verdict import is_honest

# Longer than any answer of the corpus: an answer that reaches it has run away.
MOST_NEW_TOKENS = 600
SLOTS = 4
TEMPERATURES = (0.0, 0.7)
CONTEXT = 2048


@dataclass(frozen=True)
class Answer:
    """Hold what the engine wrote and whether it ended by itself."""

    text: str
    ended: bool


Ask = Callable[[str, float], Answer]


def _post(url: str, body: dict[str, object], key: str = "") -> Any:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - an address given by the caller
    with urllib.request.urlopen(request, timeout=300) as response:  # noqa: S310
        return json.load(response)


def _file_asker(model: Path) -> Ask:
    """Load the model file in this process and ask it over loopback."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.n_ctx = CONTEXT * SLOTS
    parameters.n_parallel = SLOTS
    parameters.n_gpu_layers = 0
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = min(os.cpu_count() or 1, 2)
    parameters.verbosity = -1
    server = xllamacpp.Server(parameters)

    def ask(prompt: str, temperature: float) -> Answer:
        # Its own defaults would cut the choice of tokens; only the temperature shall act here.
        plain = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "seed": 1}
        body = {"prompt": prompt, "n_predict": MOST_NEW_TOKENS, "temperature": temperature, **plain}
        reply = _post(f"{server.listening_address}/completion", body)
        return Answer(reply["content"], reply["stop_type"] == "eos")

    return ask


def _engine_asker(url: str) -> Ask:
    """Ask a running engine over TGI's wire."""

    def ask(prompt: str, temperature: float) -> Answer:
        sampling: dict[str, object] = (
            {"do_sample": True, "temperature": temperature, "seed": 1} if temperature else {}
        )
        parameters = {"max_new_tokens": MOST_NEW_TOKENS, "details": True, **sampling}
        reply = _post(f"{url.rstrip('/')}/generate", {"inputs": prompt, "parameters": parameters})
        return Answer(reply["generated_text"], reply["details"]["finish_reason"] == "eos_token")

    return ask


def _answers(ask: Ask, asked: list[Case], temperature: float) -> list[Answer]:
    # The engine writes begin-of-text itself; sending it too would double it.
    prompts = [llama3.open_prompt(case.messages).removeprefix(llama3.BEGIN_OF_TEXT) for case in asked]
    with ThreadPoolExecutor(SLOTS) as pool:
        return list(pool.map(lambda prompt: ask(prompt, temperature), prompts))


def _training(model: Path) -> dict[str, Any]:
    import gguf

    field = gguf.GGUFReader(str(model)).fields[TRAINING_KEY]
    facts: dict[str, Any] = json.loads(bytes(field.parts[field.data[0]]))
    return facts


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _table(asked: list[Case], results: dict[float, list[Answer]]) -> list[str]:
    lines = [
        "| skill | bar | right, greedy | ends, greedy | right, T 0.7 | ends, T 0.7 |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    skills = list(dict.fromkeys(case.skill for case in asked))
    for skill in (*skills, "all"):
        places = [place for place, case in enumerate(asked) if skill in ("all", case.skill)]
        cells = [skill, f"{BARS[skill]} %" if skill in BARS else ""]
        for temperature in TEMPERATURES:
            answers = results[temperature]
            right = sum(asked[place].is_right(answers[place].text) for place in places)
            ended = sum(answers[place].ended for place in places)
            cells += [f"{right}/{len(places)} ({100 * right // len(places)} %)", f"{ended}/{len(places)}"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _fresh_table(asked: list[Case], results: dict[float, list[Answer]]) -> list[str]:
    lines = [
        "| kind | right, greedy | right or says it does not know | ends, greedy | right, T 0.7 |",
        "| --- | --- | --- | --- | --- |",
    ]
    kinds = list(dict.fromkeys(case.skill for case in asked))
    admits = is_honest()
    for kind in (*kinds, "all"):
        places = [place for place, case in enumerate(asked) if kind in ("all", case.skill)]
        greedy, sampled = ([results[temperature][place] for place in places] for temperature in TEMPERATURES)
        right, warm = (
            [asked[place].is_right(answer.text) for place, answer in zip(places, answers, strict=True)]
            for answers in (greedy, sampled)
        )
        fair = sum(ok or admits(answer.text) for ok, answer in zip(right, greedy, strict=True))
        ended, of = sum(answer.ended for answer in greedy), len(places)
        share = f"{sum(right)}/{of} ({100 * sum(right) // of} %)"
        lines.append(
            f"| {kind.removeprefix('fresh: ')} | {share} | {fair}/{of} | {ended}/{of} | {sum(warm)}/{of} |"
        )
    return lines


def _runs(facts: dict[str, Any]) -> list[str]:
    """Tell the training runs, first to last; each dialogue is read once."""
    lines: list[str] = []
    run: dict[str, Any] | None = facts
    while run is not None:
        trained = f"{run['minutes']} minutes, {run['steps']:,} steps, {run['tokens']:,} tokens"
        earlier: dict[str, Any] | None = run.get("earlier")
        name = "Training" if earlier is None else "Training, continued"
        lines[:0] = [
            f"* {name}: {run['device']}, {trained}, seed {run['seed']}, torch {run['torch']},",
            f"  last loss {run['loss']} per answer token. Each dialogue is read once.",
        ]
        run = earlier
    return lines


def _missed(asked: list[Case], answers: list[Answer]) -> list[str]:
    """Name the skills under their bar, so that nobody has to look for them."""
    missed: list[str] = []
    for skill, bar in BARS.items():
        rights = [
            case.is_right(answer.text)
            for case, answer in zip(asked, answers, strict=True)
            if case.skill == skill
        ]
        if 100 * sum(rights) < bar * len(rights):
            missed.append(f"{skill} ({100 * sum(rights) / len(rights):.1f} % of {bar} %)")
    return ["", f"Under their bar: {', '.join(missed)}." if missed else "Every bar is reached."]


def _samples(asked: list[Case], answers: list[Answer]) -> tuple[list[str], list[str]]:
    """Write the first right answer of every skill, and every wrong one, greedy."""
    right: list[str] = []
    shown: set[str] = set()
    wrong: list[str] = []
    for case, answer in zip(asked, answers, strict=True):
        system = f"(system: {case.messages[0][1]}) " if case.messages[0][0] == "system" else ""
        before = len(case.messages) - 1 - bool(system)
        context = f"({before} messages before) " if before else ""
        text = answer.text.replace("\n", "\n  > ")
        entry = f"* **{case.skill}**: {system}{context}{case.question}\n\n  > {text}\n"
        if not case.is_right(answer.text) or not answer.ended:
            wrong.append(entry)
        elif case.skill not in shown:
            shown.add(case.skill)
            right.append(entry)
    return right, wrong


def evaluate(model: Path, report: Path, url: str | None) -> None:
    """Ask everything greedily and at temperature 0.7, and write the report."""
    ask = _engine_asker(url) if url else _file_asker(model)
    asked, fresh = cases(), fresh_cases()
    results = {temperature: _answers(ask, asked, temperature) for temperature in TEMPERATURES}
    fresh_results = {temperature: _answers(ask, fresh, temperature) for temperature in TEMPERATURES}
    facts = _training(model)
    table, fresh_table = _table(asked, results), _fresh_table(fresh, fresh_results)
    print("\n".join(table + fresh_table))
    right, wrong = _samples(asked, results[0.0])
    fresh_right, fresh_wrong = _samples(fresh, fresh_results[0.0])
    engine = "a running engine" if url else "llama.cpp through xllamacpp"
    size = f"{model.stat().st_size:,} bytes, Q8_0, {facts['parameters']:,} parameters"
    text = [
        "# Demo model: evaluation",
        "",
        "Written by `python -m engine.demo evaluate`; do not edit by hand.",
        "",
        f"* Model file: `{model.name}`, {size}, context {CONTEXT} tokens.",
        *_runs(facts),
        f"* Evaluation: {engine} on {_processor()}, seed 1, at most {MOST_NEW_TOKENS} new tokens.",
        "* Questions: `heldout_rows.py` and `heldout_fresh_rows.py`. Their wordings are never read in",
        "  training, the starters excepted; a unit test holds this. Most of the first ones were known while",
        "  the corpus was improved; of the answers to the fresh ones only the counts were.",
        "",
        "## Table",
        "",
        *table,
        "",
        "*Ends* counts answers that stopped with `<|eot_id|>` by themselves.",
        "A bar is the share of right answers, greedy, that was asked for.",
        *_missed(asked, results[0.0]),
        "",
        "## Fresh questions, as strangers type",
        "",
        "Short, in lower case, with typing errors and without question marks, written before the corpus was",
        "widened for such messages. An answer that admits not knowing is no right answer, but no false one.",
        "",
        *fresh_table,
        "",
        "## Answers, greedy",
        "",
        *right,
        *fresh_right,
        f"## Wrong answers, greedy: all {len(wrong) + len(fresh_wrong)}",
        "",
        *wrong,
        *fresh_wrong,
    ]
    report.write_text("\n".join(text).rstrip() + "\n", encoding="utf-8")
