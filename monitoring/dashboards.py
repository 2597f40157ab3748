#!/usr/bin/env python3
"""Paddock's dashboards: the one source of grafana/dashboards/*.json and grafana/import/paddock.json.

usage: .venv/bin/python monitoring/dashboards.py            write the files
       .venv/bin/python monitoring/dashboards.py --check    exit 1 if one differs from what would be written

The boards of the first folder are provisioned. The file of the second is for a Grafana and a Prometheus that
know nothing of us: everything on one board, the rules' expressions written out, so that scraping suffices.

The panels on TGI avoid what its own dashboard gets wrong: tokens a second come from the sum of generated
tokens and not from its mean, no series is chosen by a Kubernetes label, no quantile is asked of a summary,
and a counter that TGI creates at its first event counts as zero before.
"""

import dataclasses
import functools
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from monitoring.board import Panel, Query, Row, board, folded

HERE = Path(__file__).parent
FOLDER = HERE / "grafana/dashboards"
IMPORT = HERE / "grafana/import/paddock.json"
W = "$__rate_interval"
ENGINE = 'instance=~"$replica"'
REPLICA = 'replica=~"$replica"'
# Of all processes those that are gateways, whatever they are called where they are scraped.
GATEWAY = " and on (job, instance) paddock_build_info"
# States by the last word of a line's name; what is in neither group is trouble, and red.
STATES = (
    ("ready|closed|complete|seen", "green"),
    ("starting|loading|stopping|half_open|checking|downloading|verifying", "yellow"),
    ("stopped", "blue"),
)
SHARES = ((0, "red"), (0.95, "orange"), (0.99, "green"))


@functools.cache
def rules() -> list[dict[str, Any]]:
    """Read all rules, those that record and those that alert."""
    read = [yaml.safe_load(path.read_text()) for path in sorted((HERE / "rules").glob("*.yml"))]
    return [rule for one in read for group in one["groups"] for rule in group["rules"]]


def firing() -> str:
    """Choose our alerts: a Prometheus that is not ours has others, too."""
    names = sorted({rule["alert"] for rule in rules() if "alert" in rule})
    return f'ALERTS{{alertstate="firing", alertname=~"{"|".join(names)}"}}'


def quantiles(
    metric: str, where: str = "", by: str = "", of: Sequence[float] = (0.5, 0.95, 0.99)
) -> list[Query]:
    """Draw quantiles of a histogram, one line each."""
    group, name = (f"{by}, le", f"{{{{{by}}}}} ") if by else ("le", "")
    rate = (
        f"sum by ({group}) (rate({metric}_bucket{{{where}}}[{W}]))"
        if where
        else (f"sum by ({group}) (rate({metric}_bucket[{W}]))")
    )
    return [Query(f"histogram_quantile({q}, {rate})", f"{name}p{q * 100:g}") for q in of]


def rate(metric: str, where: str = "", by: str = "") -> str:
    """Sum a counter's rate."""
    group = f" by ({by})" if by else ""
    return f"sum{group}(rate({metric}{{{where}}}[{W}]))" if where else f"sum{group}(rate({metric}[{W}]))"


def or_zero(expression: str) -> str:
    """Take a metric that does not exist before its first event as zero."""
    return f"{expression} or vector(0)"


def share_kept(slo: str) -> str:
    """Give the share of the last hour's chats that kept a promise."""
    return f'1 - paddock:slo_errors:rate1h{{slo="{slo}"}}'


NOW = Row(
    "Now",
    [
        Panel(
            "Alerts",
            [Query(or_zero(f"count({firing()})"))],
            "none",
            "stat",
            "That fire; which ones is on the right, what to do in docs/runbooks.md.",
            4,
            5,
            bounds=((0, "green"), (1, "red")),
            needs_rules=True,
        ),
        Panel(
            "Engines ready",
            [Query("sum(paddock_replica_ready)")],
            "none",
            "stat",
            width=4,
            height=5,
            bounds=((0, "red"), (1, "green")),
        ),
        Panel(
            "Slots in use",
            [Query('sum(paddock_tickets{state="running"}) / sum(paddock_open_slots)')],
            "percentunit",
            "stat",
            "Of the engines that are ready; at 100 % the next chat waits.",
            4,
            5,
        ),
        Panel(
            "Backlog in use",
            [Query('sum(paddock_tickets{state="waiting"}) / sum(paddock_backlog_limit)')],
            "percentunit",
            "stat",
            "At 100 % the next chat is refused.",
            4,
            5,
            bounds=((0, "green"), (0.5, "orange"), (0.9, "red")),
        ),
        Panel(
            "What fires",
            [
                # Without a line that goes on, one that has ended would be drawn up to now.
                Query("count(paddock_build_info)", "gateway seen"),
                Query(f"max by (alertname, cause) ({firing()})", "{{alertname}} {{cause}}"),
            ],
            kind="state-timeline",
            about="A green line alone is well.",
            width=8,
            height=5,
            needs_rules=True,
            colours=STATES,
        ),
    ],
)

USERS = [
    NOW,
    Row(
        "Promises",
        [
            Panel(
                "Answered whole, last hour",
                [Query(share_kept("answers"))],
                "percentunit",
                "stat",
                "Of the chats that held a ticket; promised are 99 %.",
                6,
                5,
                bounds=SHARES,
            ),
            Panel(
                "First token within 5 s, last hour",
                [Query(share_kept("first_token"))],
                "percentunit",
                "stat",
                "From arrival, the wait included; promised are 95 %.",
                6,
                5,
                bounds=((0, "red"), (0.9, "orange"), (0.95, "green")),
            ),
            Panel(
                "How fast the allowance burns",
                [
                    Query("paddock:slo_burn:rate5m", "{{slo}} 5 min"),
                    Query("paddock:slo_burn:rate1h", "{{slo}} 1 h"),
                    Query("paddock:slo_burn:rate6h", "{{slo}} 6 h"),
                ],
                about="At 1 the promise is just kept.",
                width=12,
                height=5,
            ),
        ],
    ),
    Row(
        "Answers",
        [
            Panel(
                "First token, from arrival",
                quantiles("paddock_arrival_first_token_seconds"),
                "s",
                about="What the person at the keyboard waits: queue and engine together.",
            ),
            Panel(
                "First token, from grant",
                quantiles("paddock_first_token_seconds"),
                "s",
                about="What the engine takes for the prompt.",
            ),
            Panel("Wait in the backlog", quantiles("paddock_wait_seconds"), "s"),
            Panel(
                "Gap between tokens",
                quantiles("paddock_gap_seconds"),
                "s",
                about="100 ms is slower than reading, 2.5 s is a stall.",
            ),
            Panel(
                "Tokens a second, one chat",
                quantiles("paddock_chat_tokens_per_second", of=(0.05, 0.5, 0.95)),
                about="From grant to last token; p5 is what the slowest get.",
            ),
            Panel(
                "Time for an answer",
                quantiles("paddock_generation_seconds", 'outcome="finished"'),
                "s",
                about="Grant to end, of whole answers.",
            ),
            Panel(
                "When first tokens came",
                [Query(rate("paddock_arrival_first_token_seconds_bucket", by="le"))],
                kind="heatmap",
                about="A dot is one chat; its request id finds it in the gateway's log.",
                width=24,
            ),
        ],
    ),
    Row(
        "Traffic",
        [
            Panel(
                "Chats by outcome",
                [Query(rate("paddock_chats_total", by="outcome"), "{{outcome}}")],
                "reqps",
                is_stacked=True,
            ),
            Panel(
                "Tokens a second",
                [
                    Query(rate("paddock_generated_tokens_total"), "generated"),
                    Query(rate("paddock_prompt_tokens_total"), "prompts"),
                ],
                about="Generated ones as they arrive, prompts when their chat ends.",
            ),
            Panel(
                "Ended early, by whom",
                [Query(rate("paddock_cancels_total", by="by"), "{{by}}")],
                "reqps",
                about="left: the connection closed; stopped: asked to; drain: the gateway was stopped.",
            ),
            Panel(
                "How soon that freed the engine",
                quantiles("paddock_cancel_seconds", by="by", of=(0.95,)),
                "s",
                about="From leaving or stopping to the end of the engine's connection; promised are 250 ms.",
            ),
            Panel("Streams followed again", [Query(rate("paddock_resumes_total"), "resumes")], "reqps"),
            Panel(
                "Special-token texts neutralised",
                [Query(rate("paddock_neutralised_total"), "neutralised")],
                about="Callers' texts that would have become control tokens.",
            ),
            Panel(
                "Gateways",
                [Query("count by (version, python) (paddock_build_info)", "{{version}}, Python {{python}}")],
            ),
        ],
    ),
]

QUEUE = [
    Row(
        "Backlog",
        [
            Panel(
                "Chats",
                [
                    Query("sum by (state) (paddock_tickets)", "{{state}}"),
                    Query("sum(paddock_slots)", "slots"),
                    Query("sum(paddock_open_slots)", "open slots"),
                    Query("sum(paddock_backlog_limit)", "may wait"),
                ],
                about="Open slots are those of engines that are ready.",
                width=12,
            ),
            Panel(
                "Tokens asked for by those who wait",
                [
                    Query("sum(paddock_waiting_tokens)", "wait"),
                    Query("sum(paddock_waiting_token_limit)", "limit"),
                ],
                width=12,
            ),
            Panel("Place at admission", quantiles("paddock_place"), about="0 ran at once."),
            Panel(
                "Refusals",
                [Query(rate("paddock_refusals_total", by="code"), "{{code}}")],
                "reqps",
                is_stacked=True,
            ),
            Panel(
                "Beyond a key's limits",
                [Query(rate("paddock_quota_overruns_total", by="limit"), "{{limit}}")],
                "reqps",
                about="Refused, or with GATEWAY_KEYS_OBSERVE_ONLY let pass.",
            ),
            Panel(
                "Engine errors",
                [Query(rate("paddock_engine_errors_total", by="code"), "{{code}}")],
                "reqps",
                is_stacked=True,
            ),
        ],
    ),
    Row(
        "Estimates against reality",
        [
            Panel(
                "Waits against what was told",
                [Query(rate("paddock_estimates_total", by="result"), "{{result}}")],
                "reqps",
                about="within: the wait ended inside the interval told at admission.",
                is_stacked=True,
            ),
            Panel(
                "Inside the interval, last hour",
                [Query("paddock:estimates_within:ratio_rate1h", "within")],
                "percentunit",
                about="Promised are four of five.",
                most=1,
            ),
            Panel(
                "How far off",
                [*quantiles("paddock_estimate_error_seconds", by="side", of=(0.5, 0.95))],
                "s",
                about="The real wait against the likely one; longer is the side that annoys.",
            ),
        ],
    ),
    Row(
        "Fairness",
        [
            Panel(
                "Jain's index of tokens by client",
                [Query("paddock_fairness_ratio", "{{instance}}")],
                about="Of the last five minutes. 1: all had the same; 1/n: one of n had everything. "
                "Says something while chats wait: without a queue everybody gets what they ask for.",
                width=12,
                most=1,
            ),
            Panel(
                "Wait in the backlog",
                [Query(rate("paddock_wait_seconds_bucket", by="le"))],
                kind="heatmap",
                width=12,
            ),
        ],
    ),
    Row(
        "Streams in memory",
        [
            Panel(
                "Streams",
                [Query("sum by (state) (paddock_streams)", "{{state}}")],
                about="kept: ended, and can still be read again.",
                width=12,
            ),
            Panel(
                "Their frames",
                [Query("sum by (state) (paddock_stream_bytes)", "{{state}}")],
                "bytes",
                width=12,
            ),
        ],
    ),
]

PHASES = Panel(
    "Engine phase, and why it failed",
    [
        Query(f"paddock_replica_phase{{{REPLICA}}} == 1", "{{replica}} {{phase}}"),
        Query(f"paddock_replica_failed{{{REPLICA}}} == 1", "{{replica}} {{cause}}"),
    ],
    kind="state-timeline",
    about="As the gateway sees it. Why one failed the alert says in words, and GET /ready in a sentence.",
    width=12,
    colours=STATES,
)

STEP = "tgi_batch_inference_duration"
PREFILL, DECODE = (f'method="{kind}", {ENGINE}' for kind in ("prefill", "decode"))
ENGINES = [
    Row(
        "Throughput",
        [
            Panel(
                "Tokens a second",
                [
                    Query(
                        rate("tgi_request_generated_tokens_sum", ENGINE, "instance"), "{{instance}}, by TGI"
                    ),
                    Query("paddock:generated_tokens:rate1m", "all, as they arrive"),
                ],
                about="TGI counts an answer's tokens when it ends, so its line lags and has steps; "
                "the gateway counts them as they come.",
                width=12,
            ),
            Panel(
                "Requests running and waiting in the engine",
                [
                    Query(f"sum by (instance) (tgi_batch_current_size{{{ENGINE}}})", "{{instance}} batch"),
                    Query(f"sum by (instance) (tgi_queue_size{{{ENGINE}}})", "{{instance}} queue"),
                ],
                about="The queue is the gateway's: a queue here means that more slots are given "
                "than the engine has memory for.",
                width=12,
            ),
            Panel(
                "Answers",
                [
                    Query(or_zero(rate("tgi_request_success", ENGINE)), "whole"),
                    Query(or_zero(rate("tgi_request_failure", ENGINE, "err")), "{{err}}"),
                ],
                "reqps",
                about="Not the count of requests: TGI counts a chat twice there. "
                "A failure exists only once one happened.",
                is_stacked=True,
            ),
            Panel(
                "Prompt length",
                quantiles("tgi_request_input_length", ENGINE, of=(0.5, 0.95)),
                "none",
                about="Tokens, in steps of a hundredth of the longest.",
            ),
            Panel(
                "Answer length",
                quantiles("tgi_request_generated_tokens", ENGINE, of=(0.5, 0.95)),
                "none",
                about="Tokens, in steps of a hundredth of the longest.",
            ),
        ],
    ),
    Row(
        "Time",
        [
            Panel(
                "Prefill step",
                quantiles(STEP, PREFILL),
                "s",
                about="One pass over new prompts; running answers pause for it.",
            ),
            Panel("Decode step", quantiles(STEP, DECODE), "s", about="One token for every running answer."),
            Panel(
                "Share of time in prefill",
                [
                    Query(
                        rate(f"{STEP}_sum", PREFILL, "instance")
                        + " / "
                        + rate(f"{STEP}_sum", ENGINE, "instance"),
                        "{{instance}}",
                    )
                ],
                "percentunit",
                about="High: long prompts dominate, and answers stutter.",
                most=1,
            ),
            Panel(
                "Time per token, one request",
                quantiles("tgi_request_mean_time_per_token_duration", ENGINE),
                "s",
                about="Prefill included, so short answers look slow.",
            ),
            Panel("Queued in the engine", quantiles("tgi_request_queue_duration", ENGINE), "s"),
            Panel("Whole request", quantiles("tgi_request_duration", ENGINE), "s"),
        ],
    ),
    Row(
        "Memory for answers",
        [
            Panel(
                "Cache that running requests may fill (estimate)",
                [
                    Query(
                        f"sum by (instance) (tgi_batch_current_max_tokens{{{ENGINE}}})", "{{instance}} now"
                    ),
                    Query(
                        f"max by (instance) (max_over_time(tgi_batch_current_max_tokens{{{ENGINE}}}[6h]))",
                        "{{instance}} most in 6 h",
                    ),
                ],
                "none",
                about="An estimate: tokens that the running requests may come to, not those that are there. "
                "TGI does not tell its budget; scripts/plan computes it.",
                width=24,
            ),
        ],
    ),
    Row(
        "Health",
        [
            PHASES,
            Panel(
                "Whether chats are sent there",
                [Query(f"paddock_replica_breaker{{{REPLICA}}} == 1", "{{replica}} {{state}}")],
                kind="state-timeline",
                about="closed: yes; open: no, it failed chat after chat; half_open: one token is tried.",
                width=12,
                colours=STATES,
            ),
            Panel(
                "Silences and second tries",
                [
                    Query(f"increase(paddock_replica_stalls_total{{{REPLICA}}}[1h])", "{{replica}} silent"),
                    Query("sum by (result) (increase(paddock_retries_total[1h]))", "{{result}}"),
                ],
                about="In an hour. over_budget: not tried again, to spare the engines.",
                width=12,
            ),
            Panel(
                "How answers end",
                [Query(f"paddock_replica_stop_set{{{REPLICA}}} == 1", "{{replica}} {{result}}")],
                kind="state-timeline",
                about="own: the engine stops at every end; sent: what it lacks goes with every chat; "
                "unknown: nobody could say.",
                width=12,
                colours=(("own", "green"), ("sent", "blue"), ("unknown", "yellow")),
            ),
        ],
    ),
]

MACHINE = [
    Row(
        "GPU",
        [
            Panel(
                "Memory used",
                [
                    Query("DCGM_FI_DEV_FB_USED", "GPU {{gpu}} used"),
                    Query("DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE", "GPU {{gpu}} in all"),
                ],
                "mbytes",
            ),
            Panel(
                "Utilisation",
                [Query("DCGM_FI_DEV_GPU_UTIL", "GPU {{gpu}}")],
                "percent",
                about="Share of time in which any kernel ran: decoding shows 100 % "
                "long before the card is full.",
                most=100,
            ),
            Panel(
                "Memory traffic",
                [Query("DCGM_FI_DEV_MEM_COPY_UTIL", "GPU {{gpu}}")],
                "percent",
                about="Decoding is bound by it.",
                most=100,
            ),
            Panel("Power", [Query("DCGM_FI_DEV_POWER_USAGE", "GPU {{gpu}}")], "watt"),
            Panel("Temperature", [Query("DCGM_FI_DEV_GPU_TEMP", "GPU {{gpu}}")], "celsius"),
            Panel(
                "Clock",
                [Query("DCGM_FI_DEV_SM_CLOCK", "GPU {{gpu}}")],
                "rotmhz",
                about="Falling under load: the card is too hot or at its power limit.",
            ),
            Panel(
                "Energy per thousand tokens",
                [Query("paddock:energy_per_thousand_tokens:joules", "all GPUs")],
                "joule",
                about="All GPUs' energy over generated tokens; idle time counts, so a quiet hour looks dear.",
            ),
            Panel(
                "Last Xid",
                [Query("DCGM_FI_DEV_XID_ERRORS", "GPU {{gpu}}")],
                "none",
                about="0 is none. docs/runbooks.md says which ones need a new card.",
            ),
            Panel(
                "Memory rows remapped",
                [
                    Query("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "GPU {{gpu}} uncorrectable"),
                    Query("DCGM_FI_DEV_ROW_REMAP_FAILURE", "GPU {{gpu}} failed"),
                ],
                about="Cards with ECC alone tell it.",
            ),
        ],
    ),
    Row(
        "Host",
        [
            Panel(
                "Model cache's disk",
                [Query("paddock_cache_free_bytes", "free"), Query("paddock_cache_size_bytes", "size")],
                "bytes",
            ),
            Panel(
                "Gateway's CPU",
                [Query(f"rate(process_cpu_seconds_total[{W}]){GATEWAY}", "{{instance}}")],
                "percentunit",
                about="It uses one core; at 1 it is full.",
            ),
            Panel(
                "Gateway's memory",
                [Query(f"process_resident_memory_bytes{GATEWAY}", "{{instance}}")],
                "bytes",
            ),
            Panel(
                "Event loop's lag",
                quantiles("paddock_loop_lag_seconds"),
                "s",
                about="What every token of every stream waits behind.",
            ),
            Panel(
                "Gateway's open files",
                [Query(f"process_open_fds{GATEWAY}", "open"), Query(f"process_max_fds{GATEWAY}", "limit")],
            ),
            Panel("Scrapes that work", [Query("min by (job) (up)", "{{job}}")], most=1),
        ],
    ),
]

STARTS = [
    Row(
        "Now",
        [
            Panel(
                "Engines ready",
                [Query(f"sum(paddock_replica_ready{{{REPLICA}}})")],
                "none",
                "stat",
                width=5,
                height=4,
            ),
            Panel(
                "Begin-of-text tokens",
                [Query(f"max(paddock_begin_of_text_tokens{{{REPLICA}}})")],
                "none",
                "stat",
                "What the tokenizer adds by itself; 1 is right.",
                5,
                4,
                bounds=((0, "red"), (1, "green"), (2, "red")),
            ),
            Panel(
                "Model",
                [Query(f"paddock_replica_info{{{REPLICA}}}", "{{replica}}: {{model}}")],
                "none",
                "stat",
                width=8,
                height=4,
            ),
            Panel(
                "Gateway has run for",
                [Query(f"time() - process_start_time_seconds{GATEWAY}", "{{instance}}")],
                "s",
                "stat",
                width=6,
                height=4,
            ),
        ],
    ),
    Row(
        "Download",
        [
            Panel(
                "Bytes",
                [
                    Query("paddock_download_done_bytes", "here"),
                    Query("paddock_download_total_bytes", "in all"),
                ],
                "bytes",
            ),
            Panel("Rate", [Query("paddock_download_rate_bytes_per_second", "now")], "Bps"),
            Panel(
                "Phase",
                [Query("paddock_download_phase == 1", "{{phase}}")],
                kind="state-timeline",
                colours=STATES,
            ),
            Panel(
                "Since the download last said something",
                [Query("time() - paddock_download_updated_timestamp_seconds", "age")],
                "s",
                about="Grows for ever once the model is complete.",
                width=24,
                height=5,
            ),
        ],
    ),
    Row(
        "Starts and rests",
        [
            PHASES,
            Panel(
                "Phases, as the supervisor says",
                [Query(f"paddock_engine_phase{{{ENGINE}}} == 1", "{{instance}} {{phase}}")],
                kind="state-timeline",
                width=12,
                colours=STATES,
            ),
            Panel(
                "How long the last start took",
                [
                    Query(f"paddock_engine_start_seconds{{{ENGINE}}}", "{{instance}} {{phase}}"),
                    Query(
                        f"paddock_replica_start_seconds{{{REPLICA}}}",
                        "{{replica}} {{phase}}, told to the gateway",
                    ),
                ],
                "s",
            ),
            Panel(
                "Starts in an hour",
                [
                    Query(f"increase(paddock_engine_starts_total{{{ENGINE}}}[1h])", "starts"),
                    Query(f"increase(paddock_engine_restarts_total{{{ENGINE}}}[1h])", "after a crash"),
                ],
                about="Starts without a crash are wakes from rest, or somebody's own.",
            ),
            Panel(
                "Last exit code",
                [Query(f"paddock_engine_last_exit_code{{{ENGINE}}}", "{{instance}}")],
                "none",
                about="Above 128: killed by the signal that is left after taking 128 away. "
                "Absent before a first end.",
            ),
        ],
    ),
]

BOARDS = {
    "users": ("Users", "How those who chat are served.", USERS),
    "queue": ("Queue", "Who waits, what they are told, and whether it is fair.", QUEUE),
    "engine": ("Engine", "TGI's own figures, and what they mean.", ENGINES),
    "machine": ("Machine", "GPU, disk and the gateway's process.", MACHINE),
    "starts": ("Starts", "Download, loading, resting and waking.", STARTS),
}


def written_out(expression: str) -> str:
    """Put the rules' expressions in the place of the names that they record."""

    def one(found: re.Match[str]) -> str:
        asked = dict(re.findall(r'(\w+)="([^"]*)"', found[2] or ""))
        parts = []
        for rule in rules():
            labels = rule.get("labels", {})
            if rule.get("record") == found[1] and asked.items() <= labels.items():
                part = f"({written_out(rule['expr'])})"
                for name, value in labels.items():
                    part = f'label_replace({part}, "{name}", "{value}", "", "")'
                parts.append(part)
        return f"({' or '.join(parts)})"

    return re.sub(r"(paddock:[\w:]+)(?:\{([^}]*)\})?", one, expression)


def without_rules(row: Row, name: str) -> Row:
    """Give a row for a Prometheus that has not our rules; its title says of which board it is."""

    def panel(one: Panel) -> Panel:
        queries = [dataclasses.replace(each, expression=written_out(each.expression)) for each in one.queries]
        return dataclasses.replace(one, queries=queries)

    return Row(f"{name}: {row.title}", [panel(one) for one in row.panels if not one.needs_rules])


def texts() -> dict[Path, str]:
    """Write all files."""
    rows = [without_rules(row, title) for title, _, rows in BOARDS.values() for row in rows]
    boards = {FOLDER / f"{name}.json": board(*parts) for name, parts in BOARDS.items()}
    boards[IMPORT] = folded("all", "All of Paddock's boards on one.", rows)
    return {path: json.dumps(body, indent=1, ensure_ascii=False) + "\n" for path, body in boards.items()}


def main(arguments: list[str]) -> int:
    """Write or check the files."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write((__doc__ or "") + "\n")
        return 0 if arguments in (["-h"], ["--help"]) else 2
    files = texts()
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    stale += sorted({*FOLDER.glob("*.json"), *IMPORT.parent.glob("*.json")} - files.keys())
    if arguments:
        for path in stale:
            sys.stderr.write(f"{path.name} is not what monitoring/dashboards.py writes; run it\n")
        return 1 if stale else 0
    IMPORT.parent.mkdir(exist_ok=True)
    for path, text in files.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
