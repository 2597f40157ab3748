"""The Machine board: GPU, disk and the gateway's process.

Knows: the fields of NVIDIA's exporter, a process's own figures. Knows nothing of: chats.
"""

from monitoring.board import PAGE, RUNBOOKS, Row
from monitoring.boards.queries import GATEWAY, WINDOW, quantiles
from monitoring.panel import Panel, Query

# Instead of a line: what to start, or that this card does not tell it.
NO_EXPORTER = "no GPU exporter is scraped"
NOT_TOLD = "this card does not tell it"

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
                about="TGI takes what CUDA_MEMORY_FRACTION allows at its start and keeps it; a full "
                "card is usual.",
                none=NO_EXPORTER,
            ),
            Panel(
                "Utilisation",
                [Query("DCGM_FI_DEV_GPU_UTIL", "GPU {{gpu}}")],
                "percent",
                about="Share of time in which any kernel ran: decoding shows 100 % long before the "
                "card is full.",
                most=100,
                none=NO_EXPORTER,
            ),
            Panel(
                "Memory traffic",
                [Query("DCGM_FI_DEV_MEM_COPY_UTIL", "GPU {{gpu}}")],
                "percent",
                about="Share of time in which memory was read or written. Decoding is bound by it.",
                most=100,
                none=NO_EXPORTER,
            ),
            Panel(
                "Power",
                [
                    Query("DCGM_FI_DEV_POWER_USAGE", "GPU {{gpu}}"),
                    Query("paddock:gpu_power:watts", "all, five minutes' mean"),
                ],
                "watt",
                about="Flat at the card's limit under load is as it should be.",
                none=NO_EXPORTER,
            ),
            Panel(
                "Temperature",
                [Query("DCGM_FI_DEV_GPU_TEMP", "GPU {{gpu}}")],
                "celsius",
                about="Most cards slow down between 83 and 90 degrees; look at the clock beside it.",
                bounds=((0, "green"), (83, "orange")),
                none=NO_EXPORTER,
            ),
            Panel(
                "Clock",
                [Query("DCGM_FI_DEV_SM_CLOCK", "GPU {{gpu}}")],
                "rotmhz",
                about="Falling under load: the card is too hot or at its power limit.",
                none=NO_EXPORTER,
            ),
            Panel(
                "Energy per thousand tokens",
                [Query("paddock:energy_per_thousand_tokens:joules", "all GPUs")],
                "joule",
                about="All GPUs' energy over generated tokens, five minutes; what they take while "
                "nobody chats counts, so "
                "few tokens look dear. No line: no tokens.",
                none="no tokens, or no GPU exporter",
            ),
            Panel(
                "Last Xid",
                [Query("DCGM_FI_DEV_XID_ERRORS", "GPU {{gpu}}")],
                "none",
                "stat",
                "The driver's last error. 0 is none; GpuXid among the runbooks says which ones need "
                "a new card.",
                bounds=((0, "green"), (1, "red")),
                none=NOT_TOLD,
                names="value_and_name",
                link=("What to do about it", f"{PAGE}/{RUNBOOKS}#GpuXid"),
            ),
            Panel(
                "Memory rows remapped",
                [
                    Query("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "GPU {{gpu}} uncorrectable"),
                    Query("DCGM_FI_DEV_ROW_REMAP_FAILURE", "GPU {{gpu}} failed"),
                ],
                "none",
                "stat",
                "Cards with ECC alone tell it; a GeForce has none.",
                bounds=((0, "green"), (1, "red")),
                none=NOT_TOLD,
                names="value_and_name",
                link=("What to do about it", f"{PAGE}/{RUNBOOKS}#GpuMemoryErrors"),
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
                about="Of the file system that the models are on; an alert comes at a twentieth free.",
                none="no gateway knows the cache",
            ),
            Panel(
                "Gateway's CPU",
                [Query(f"rate(process_cpu_seconds_total[{WINDOW}]){GATEWAY}", "{{instance}}")],
                "percentunit",
                about="It uses one core; at 100 % it is full.",
                bounds=((0, "green"), (0.8, "orange")),
            ),
            Panel(
                "Event loop's lag",
                quantiles("paddock_loop_lag_seconds"),
                "s",
                about="What every token of every stream waits behind; beyond the line readers see it.",
                bounds=((0, "green"), (0.1, "red")),
            ),
            Panel(
                "Gateway's memory",
                [Query(f"process_resident_memory_bytes{GATEWAY}", "{{instance}}")],
                "bytes",
                about="Resident. Kept streams are bounded by GATEWAY_STREAM_MEMORY_BYTES.",
                width=6,
            ),
            Panel(
                "Gateway's open files, of its limit",
                [Query(f"(process_open_fds / process_max_fds){GATEWAY}", "{{instance}}")],
                "percentunit",
                about="Each stream takes one or two.",
                width=6,
                bounds=((0, "green"), (0.8, "orange")),
            ),
            Panel(
                "What is scraped",
                [Query("up", "{{job}} {{instance}}")],
                kind="state-timeline",
                about="An engine that rests or loads is not read, which is well.",
                width=12,
                words=((1, "read", "green"), (0, "not read", "orange")),
            ),
        ],
    ),
]
