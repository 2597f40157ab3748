"""The colours of states, and the picture of an engine's phases that two boards show.

Knows: the words of phases and breakers. Knows nothing of: why an engine is in one.
"""

from monitoring.boards.queries import REPLICA
from monitoring.panel import Panel, Query

# States by the last word of a line's name; what is in neither group is trouble, and red.
STATES = (
    ("ready|closed|complete|seen", "green"),
    ("starting|loading|stopping|half_open|checking|downloading|verifying", "yellow"),
    ("stopped", "blue"),
)

PHASES = Panel(
    "Engine phase, and why it failed",
    [
        Query(f"paddock_replica_phase{{{REPLICA}}} == 1", "{{replica}} {{phase}}"),
        Query(f"paddock_replica_failed{{{REPLICA}}} == 1", "{{replica}} {{cause}}"),
    ],
    kind="state-timeline",
    about="As the gateway sees it. Why one failed the alert says in words, and GET /ready in a sentence.",
    width=12,
    none="no gateway is scraped",
    colours=STATES,
)
