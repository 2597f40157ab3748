"""The Users board: how those who chat are served.

Knows: what the gateway counts of chats and tokens. Knows nothing of: engines and machines.
"""

from monitoring.board import PAGE, RUNBOOKS, Row
from monitoring.boards.queries import PER_MINUTE, or_zero, per_minute, quantiles, rate
from monitoring.boards.rules import firing, would_fire
from monitoring.boards.states import STATES
from monitoring.panel import Panel, Query

SHARES = ((0, "red"), (0.95, "orange"), (0.99, "green"))


def share_kept(slo: str) -> str:
    """Give the share of the last hour's chats that kept a promise."""
    return f'1 - paddock:slo_errors:rate1h{{slo="{slo}"}}'


# Without a line that goes on, one that has ended would be drawn up to now.
SEEN = Query("count(paddock_build_info)", "gateway seen")
# Behind whatever shows an alert.
WHAT_TO_DO = ("What to do about it", f"{PAGE}/{RUNBOOKS}#${{__field.labels.alertname}}")

NOW = Row(
    "Now",
    [
        Panel(
            "Alerts",
            [Query(or_zero(f"count({firing()})"))],
            "none",
            "stat",
            "How many fire; which ones is on the right. A click leads to what to do.",
            4,
            5,
            bounds=((0, "green"), (1, "red")),
            needs_rules=True,
            names="value",
            link=("What to do", f"{PAGE}/{RUNBOOKS}"),
        ),
        Panel(
            "Engines",
            [Query("sum by (phase) (paddock_replica_phase) > 0", "{{phase}}")],
            "none",
            "stat",
            "How many are in which phase. stopped: at rest, and woken by the next chat.",
            4,
            5,
            colours=(*STATES, ("failed", "red")),
            none="no gateway",
            names="value_and_name",
        ),
        Panel(
            "Slots in use",
            [Query('sum(paddock_tickets{state="running"}) / sum(paddock_open_slots)')],
            "percentunit",
            "stat",
            "Of the engines that are ready; at 100 % the next chat waits.",
            4,
            5,
            bounds=((0, "green"), (1, "orange")),
            none="none ready",
            names="value",
        ),
        Panel(
            "Backlog in use",
            [Query('sum(paddock_tickets{state="waiting"}) / sum(paddock_backlog_limit)')],
            "percentunit",
            "stat",
            "At 100 % the next chat is refused.",
            4,
            5,
            bounds=((0, "green"), (0.5, "orange"), (0.75, "red")),
            none="no gateway",
            names="value",
        ),
        Panel(
            "What fires",
            [
                SEEN,
                Query(f"max by (alertname, cause) ({firing()})", "{{alertname}} {{cause}}"),
            ],
            kind="state-timeline",
            about="A green line alone is well. A click on a red one leads to what to do about it.",
            width=8,
            height=5,
            needs_rules=True,
            colours=STATES,
            none="no gateway is scraped",
            link=WHAT_TO_DO,
            unruled=[SEEN, *(Query(expression, "{{alertname}}") for expression in would_fire().values())],
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
                "Of the chats that held a ticket and were not ended by their caller; promised are 99 %.",
                6,
                6,
                bounds=SHARES,
                none="no chats",
                names="value",
            ),
            Panel(
                "First token within 5 s, last hour",
                [Query(share_kept("first_token"))],
                "percentunit",
                "stat",
                "From arrival, the wait included; promised are 95 %.",
                6,
                6,
                bounds=((0, "red"), (0.9, "orange"), (0.95, "green")),
                none="no chats",
                names="value",
            ),
            Panel(
                "How fast the allowance burns",
                [
                    Query("paddock:slo_burn:rate5m", "{{slo}} 5 min"),
                    Query("paddock:slo_burn:rate1h", "{{slo}} 1 h"),
                    Query("paddock:slo_burn:rate6h", "{{slo}} 6 h"),
                ],
                about="How many times faster than promised chats go wrong: below the line at 1 the "
                "promise is kept, "
                "at 14.4 a month's allowance lasts two days. No line: no chats.",
                width=12,
                height=6,
                bounds=((0, "green"), (1, "orange"), (14.4, "red")),
                none="no chats",
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
                about="What the person at the keyboard waits: queue and engine together. Promised: "
                "within the line.",
                bounds=((0, "green"), (5, "red")),
            ),
            Panel(
                "Wait in the backlog",
                quantiles("paddock_wait_seconds"),
                "s",
                about="The queue's part of it; 0 where a slot was free.",
            ),
            Panel(
                "First token, from grant",
                quantiles("paddock_first_token_seconds"),
                "s",
                about="The engine's part of it: reading the prompt.",
            ),
            Panel(
                "Gap between tokens",
                quantiles("paddock_gap_seconds"),
                "s",
                about="100 ms, the line, is slower than reading; 2.5 s is a stall.",
                bounds=((0, "green"), (0.1, "orange")),
            ),
            Panel(
                "Tokens a second, one chat",
                quantiles("paddock_chat_tokens_per_second", of=(0.05, 0.5, 0.95)),
                "none",
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
                about="From arrival. A dot is one chat; its request id finds it in the gateway's log.",
                width=24,
            ),
        ],
    ),
    Row(
        "Traffic",
        [
            Panel(
                "Chats by outcome",
                [Query(per_minute("paddock_chats_total", by="outcome"), "{{outcome}}")],
                PER_MINUTE,
                about="Chats that held a ticket, when they ended; refused ones are on the Queue board.",
                width=12,
                is_stacked=True,
                colours=(
                    ("finished", "green"),
                    ("cancelled", "blue"),
                    ("expired", "orange"),
                    ("failed", "red"),
                ),
            ),
            Panel(
                "Tokens a second",
                [
                    Query(rate("paddock_generated_tokens_total"), "generated"),
                    Query(rate("paddock_prompt_tokens_total"), "prompts"),
                ],
                "none",
                about="Generated ones as they arrive, prompts when their chat ends.",
                width=12,
            ),
            Panel(
                "Ended early, by whom",
                [Query(per_minute("paddock_cancels_total", by="by"), "{{by}}")],
                PER_MINUTE,
                about="left: the connection closed; stopped: asked to; drain: the gateway was stopped.",
                width=6,
                is_stacked=True,
            ),
            Panel(
                "How soon that freed the engine",
                quantiles("paddock_cancel_seconds", by="by", of=(0.95,)),
                "s",
                about="From leaving or stopping to the end of the engine's connection; the line is "
                "what is promised.",
                width=6,
                bounds=((0, "green"), (0.25, "red")),
            ),
            Panel(
                "Streams followed again",
                [Query(per_minute("paddock_resumes_total"), "resumes")],
                PER_MINUTE,
                about="Readers that came back to an answer, as after a reload.",
                width=6,
            ),
            Panel(
                "Special-token texts neutralised",
                [Query(per_minute("paddock_neutralised_total"), "neutralised")],
                PER_MINUTE,
                about="Callers' texts that would have become control tokens.",
                width=6,
            ),
        ],
    ),
]
