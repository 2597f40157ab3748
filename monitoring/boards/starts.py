"""The Starts board: download, loading, resting and waking.

Knows: phases of downloads and engines. Knows nothing of: chats.
"""

from monitoring.board import Panel, Query, Row
from monitoring.boards.queries import ENGINE, GATEWAY, REPLICA
from monitoring.boards.states import PHASES, STATES

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
                colours=(("complete", "green"), ("checking|downloading|verifying", "yellow")),
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
