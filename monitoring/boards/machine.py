"""The Machine board: GPU, disk and the gateway's process.

Knows: the fields of NVIDIA's exporter, a process's own figures. Knows nothing of: chats.
"""

from monitoring.board import Panel, Query, Row
from monitoring.boards.queries import GATEWAY, WINDOW, quantiles

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
                [Query(f"rate(process_cpu_seconds_total[{WINDOW}]){GATEWAY}", "{{instance}}")],
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
