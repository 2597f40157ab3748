"""The Queue board: who waits, what they are told, and whether it is fair.

Knows: what the gateway counts of tickets. Knows nothing of: engines and machines.
"""

from monitoring.board import Panel, Query, Row
from monitoring.boards.queries import quantiles, rate

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
