"""The Users board: how those who chat are served.

Knows: what the gateway counts of chats and tokens. Knows nothing of: engines and machines.
"""

from monitoring.board import Panel, Query, Row
from monitoring.boards.queries import or_zero, quantiles, rate
from monitoring.boards.rules import firing
from monitoring.boards.states import STATES

SHARES = ((0, "red"), (0.95, "orange"), (0.99, "green"))


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
