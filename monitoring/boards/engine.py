"""The Engine board: TGI's own figures, and what they mean.

The panels avoid what TGI's own dashboard gets wrong: tokens a second come from the sum of generated tokens,
not from its mean, no series is chosen by a Kubernetes label, no quantile is asked of a summary, and a counter
that TGI creates at its first event counts as zero before.

Knows: TGI's names, and what the gateway sees of a replica. Knows nothing of: queues in front of it.
"""

from monitoring.board import Row
from monitoring.boards.queries import ENGINE, PER_MINUTE, REPLICA, or_zero, per_minute, quantiles, rate
from monitoring.boards.states import PHASES, STATES
from monitoring.panel import Panel, Query

STEP = "tgi_batch_inference_duration"
PREFILL, DECODE = (f'method="{kind}", {ENGINE}' for kind in ("prefill", "decode"))
# TGI has no line before its first answer, and is not read while it rests.
SILENT = "the engine rests, or has answered nothing yet"

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
                "none",
                about="TGI counts an answer's tokens when it ends, so its line lags and has steps; "
                "the gateway counts them as they come.",
                width=12,
                none=SILENT,
            ),
            Panel(
                "Requests running and waiting in the engine",
                [
                    Query(f"sum by (instance) (tgi_batch_current_size{{{ENGINE}}})", "{{instance}} batch"),
                    Query(f"sum by (instance) (tgi_queue_size{{{ENGINE}}})", "{{instance}} queue"),
                ],
                "none",
                about="The queue is the gateway's: a queue here means that more slots are given "
                "than the engine has memory for.",
                width=12,
                none=SILENT,
            ),
            Panel(
                "Answers",
                [
                    Query(or_zero(per_minute("tgi_request_success", ENGINE)), "whole"),
                    Query(or_zero(per_minute("tgi_request_failure", ENGINE, "err")), "{{err}}"),
                ],
                PER_MINUTE,
                about="Not the count of requests: TGI counts a chat twice there. "
                "A failure exists only once one happened.",
                is_stacked=True,
                none=SILENT,
            ),
            Panel(
                "Prompt length",
                quantiles("tgi_request_input_length", ENGINE, "instance", (0.5, 0.95)),
                "none",
                about="Tokens, in TGI's steps of a hundredth of the longest prompt, which differ "
                "from engine to engine.",
                none=SILENT,
            ),
            Panel(
                "Answer length",
                quantiles("tgi_request_generated_tokens", ENGINE, "instance", (0.5, 0.95)),
                "none",
                about="Tokens, in steps of a hundredth of the context.",
                none=SILENT,
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
                none=SILENT,
            ),
            Panel(
                "Decode step",
                quantiles(STEP, DECODE),
                "s",
                about="One token for every running answer.",
                none=SILENT,
            ),
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
                none=SILENT,
            ),
            Panel(
                "Time per token, one request",
                quantiles("tgi_request_mean_time_per_token_duration", ENGINE),
                "s",
                about="Prefill included, so short answers look slow.",
                none=SILENT,
            ),
            Panel(
                "Queued in the engine",
                quantiles("tgi_request_queue_duration", ENGINE),
                "s",
                about="Until its prompt was read; long only where more slots are given than fit.",
                none=SILENT,
            ),
            Panel(
                "Whole request",
                quantiles("tgi_request_duration", ENGINE),
                "s",
                about="As TGI sees it: a long answer is several requests of up to 1,024 tokens.",
                none=SILENT,
            ),
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
                none=SILENT,
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
                    Query(
                        f"round(increase(paddock_replica_stalls_total{{{REPLICA}}}[1h]))",
                        "{{replica}} silent",
                    ),
                    Query("round(sum by (result) (increase(paddock_retries_total[1h])))", "{{result}}"),
                ],
                "none",
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
