"""The Starts board: download, loading, resting and waking.

Knows: phases of downloads and engines. Knows nothing of: chats.
"""

from monitoring.board import Row
from monitoring.boards.queries import ENGINE, GATEWAY, REPLICA
from monitoring.boards.states import PHASES, STATES
from monitoring.panel import Panel, Query

# Also where the model is a file of one's own.
NOTHING_FETCHED = "nothing was downloaded"

STARTS = [
    Row(
        "Now",
        [
            Panel(
                "Engines ready",
                [Query(f"sum(paddock_replica_ready{{{REPLICA}}})")],
                "none",
                "stat",
                "Those that have generated a token since their last start. One that rests is none.",
                4,
                5,
                none="no gateway",
                names="value",
            ),
            Panel(
                "Begin-of-text tokens",
                [Query(f"paddock_begin_of_text_tokens{{{REPLICA}}}", "{{replica}}")],
                "none",
                "stat",
                "What the tokenizer was seen to add by itself; 1 is right.",
                5,
                5,
                bounds=((0, "red"), (1, "green"), (2, "red")),
                none="not asked yet",
            ),
            Panel(
                "Model",
                [Query(f"paddock_replica_info{{{REPLICA}}}", "{{replica}}: {{model}}")],
                "none",
                "stat",
                "What each engine says that it serves.",
                7,
                5,
                names="name",
            ),
            Panel(
                "Gateway",
                [Query("count by (version, python) (paddock_build_info)", "{{version}}, Python {{python}}")],
                "none",
                "stat",
                "How many run which version.",
                4,
                5,
                names="value_and_name",
            ),
            Panel(
                "Gateway has run for",
                [Query(f"time() - process_start_time_seconds{GATEWAY}", "{{instance}}")],
                "s",
                "stat",
                "Since its process was started.",
                4,
                5,
                names="value",
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
                about="Of the model, whoever fetches it: the download job, or the embedded engine itself.",
                none=NOTHING_FETCHED,
            ),
            Panel(
                "Rate",
                [Query("paddock_download_rate_bytes_per_second", "now")],
                "Bps",
                about="The mean of the last 15 seconds; 0 once it is complete.",
                none=NOTHING_FETCHED,
            ),
            Panel(
                "Phase",
                [Query("paddock_download_phase == 1", "{{phase}}")],
                kind="state-timeline",
                about="stopped: whoever fetched it was ended before it was complete.",
                none=NOTHING_FETCHED,
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
                about="Of the program itself. It is ready there before the gateway has proven it.",
                none="no supervisor is scraped",
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
                about="By phase. A new height is a new start; what a download took is told apart.",
                none="no start was measured yet",
            ),
            Panel(
                "Starts in an hour",
                [
                    Query(
                        f"round(increase(paddock_engine_starts_total{{{ENGINE}}}[1h]))", "{{instance}} starts"
                    ),
                    Query(
                        f"round(increase(paddock_engine_restarts_total{{{ENGINE}}}[1h]))",
                        "{{instance}} after a crash",
                    ),
                ],
                "none",
                about="Starts without a crash are wakes from rest, or somebody's own.",
            ),
            Panel(
                "Last exit code",
                [Query(f"paddock_engine_last_exit_code{{{ENGINE}}}", "{{instance}}")],
                "none",
                "stat",
                "0: ended as asked. Above 128: killed by the signal that is left after taking 128 away.",
                none="it has not ended yet",
            ),
        ],
    ),
]
