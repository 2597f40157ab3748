"""The forms that most queries have.

Knows: PromQL, the boards' variables. Knows nothing of: which metrics there are.
"""

from collections.abc import Sequence

from monitoring.panel import Query

# The shortest window that has a rate whatever the scrape's interval is.
WINDOW = "$__rate_interval"
# The unit of what is counted by the minute.
PER_MINUTE = "suffix: /min"
# Series of the engine's and its supervisor's own pages, and those that the gateway has of each replica.
ENGINE = 'instance=~"$replica"'
REPLICA = 'replica=~"$replica"'
# Of all processes those that are gateways, whatever they are called where they are scraped.
GATEWAY = " and on (job, instance) paddock_build_info"


def chosen(metric: str, where: str = "") -> str:
    """Name the series of a metric, all of them or some."""
    return f"{metric}{{{where}}}" if where else metric


def quantiles(
    metric: str, where: str = "", by: str = "", of: Sequence[float] = (0.5, 0.95, 0.99)
) -> list[Query]:
    """Draw quantiles of a histogram, one line each."""
    group, name = (f"{by}, le", f"{{{{{by}}}}} ") if by else ("le", "")
    rates = f"sum by ({group}) (rate({chosen(f'{metric}_bucket', where)}[{WINDOW}]))"
    return [Query(f"histogram_quantile({q}, {rates})", f"{name}p{q * 100:g}") for q in of]


def rate(metric: str, where: str = "", by: str = "") -> str:
    """Sum a counter's rate."""
    group = f" by ({by})" if by else ""
    return f"sum{group}(rate({chosen(metric, where)}[{WINDOW}]))"


def per_minute(metric: str, where: str = "", by: str = "") -> str:
    """Count what happens too seldom for a number in a second."""
    return f"60 * {rate(metric, where, by)}"


def or_zero(expression: str) -> str:
    """Take a metric that does not exist before its first event as zero."""
    return f"{expression} or vector(0)"
