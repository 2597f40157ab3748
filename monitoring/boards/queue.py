"""The Queue board: who waits, what they are told, and whether it is fair.

Knows: what the gateway counts of tickets. Knows nothing of: engines and machines.
"""

from monitoring.board import Row
from monitoring.boards.queries import PER_MINUTE, per_minute, quantiles, rate
from monitoring.panel import Panel, Query

QUEUE = [
    Row(
        "Backlog",
        [
            Panel(
                "Running",
                [
                    Query('sum(paddock_tickets{state="running"})', "running"),
                    Query("sum(paddock_open_slots)", "open slots"),
                    Query("sum(paddock_slots)", "slots"),
                ],
                "none",
                about="Open slots are those of engines that are ready: fewer than all while one "
                "rests, loads or failed.",
            ),
            Panel(
                "Waiting",
                [
                    Query('sum(paddock_tickets{state="waiting"})', "waiting"),
                    Query("sum(paddock_backlog_limit)", "may wait"),
                ],
                "none",
                about="Beyond the limit chats are refused with a time to come back.",
            ),
            Panel(
                "Tokens asked for by those who wait",
                [
                    Query("sum(paddock_waiting_tokens)", "wait"),
                    Query("sum(paddock_waiting_token_limit)", "limit"),
                ],
                about="Prompt and longest answer together. The second limit of the backlog, beside "
                "the number of chats.",
            ),
            Panel(
                "Place at admission",
                quantiles("paddock_place"),
                "none",
                about="0 ran at once. No line: no chats.",
                width=6,
            ),
            Panel(
                "Refusals",
                [Query(per_minute("paddock_refusals_total", by="code"), "{{code}}")],
                PER_MINUTE,
                about="Chats turned away before a ticket; callers were told why and when to come again.",
                width=6,
                is_stacked=True,
            ),
            Panel(
                "Beyond a key's limits",
                [Query(per_minute("paddock_quota_overruns_total", by="limit"), "{{limit}}")],
                PER_MINUTE,
                about="Refused, or with GATEWAY_KEYS_OBSERVE_ONLY let pass.",
                width=6,
                is_stacked=True,
            ),
            Panel(
                "Engine errors",
                [Query(per_minute("paddock_engine_errors_total", by="code"), "{{code}}")],
                PER_MINUTE,
                about="Chats that an engine failed, by what it did.",
                width=6,
                is_stacked=True,
            ),
        ],
    ),
    Row(
        "Estimates against reality",
        [
            Panel(
                "Waits against what was told",
                [Query(per_minute("paddock_estimates_total", by="result"), "{{result}}")],
                PER_MINUTE,
                about="within: the wait ended inside the interval told at admission.",
                is_stacked=True,
                colours=(("within", "green"), ("shorter", "blue"), ("longer", "orange")),
            ),
            Panel(
                "Inside the interval, last hour",
                [Query("paddock:estimates_within:ratio_rate1h", "within")],
                "percentunit",
                about="Promised are four of five, the line. No line: nobody waited.",
                most=1,
                bounds=((0, "red"), (0.8, "green")),
                none="nobody waited",
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
                "none",
                about="Of the last five minutes. 1: all had the same; 1/n: one of n had everything. "
                "Says something while chats wait: without a queue everybody gets what they ask for.",
                width=12,
                most=1,
            ),
            Panel(
                "Wait in the backlog",
                [Query(rate("paddock_wait_seconds_bucket", by="le"))],
                kind="heatmap",
                about="How long chats waited, all of them. A dot is one chat; its request id finds "
                "it in the log.",
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
                "none",
                about="open: being written; kept: ended, and can still be read again.",
                width=12,
            ),
            Panel(
                "Their frames",
                [Query("sum by (state) (paddock_stream_bytes)", "{{state}}")],
                "bytes",
                about="GATEWAY_STREAM_MEMORY_BYTES bounds those that are kept.",
                width=12,
            ),
        ],
    ),
]
