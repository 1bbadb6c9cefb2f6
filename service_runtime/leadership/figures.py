"""What electors tell in numbers: who leads, how often that changes, how long a renewal takes.

Declared once for a process and passed to each elector, which is one value of the label `lease`.
Many reigns in an hour are a leader that flaps: `increase(synthscale_leadership_reigns_total[1h])`
over all replicas is what an alert on flapping reads. This module must not decide anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service_runtime.telemetry.metrics import AtMost

if TYPE_CHECKING:
    from service_runtime.telemetry.metrics import Metrics

__all__ = ["LeadershipMetrics"]

_MOST_LEASES = 8
_OUTCOMES = ("ok", "conflict", "failed")


class LeadershipMetrics:
    """The metrics of every elector of this process."""

    __slots__ = ("epoch", "leading", "reigns", "requests")

    def __init__(self, metrics: Metrics) -> None:
        lease = AtMost(_MOST_LEASES)
        self.leading = metrics.gauge(
            "synthscale_leadership_leading",
            "Whether this process leads now, 1 or 0, asked at each scrape.",
            {"lease": lease},
        )
        self.epoch = metrics.gauge(
            "synthscale_leadership_highest_epochs",
            "The highest epoch this process has seen, its own included.",
            {"lease": lease},
        )
        self.reigns = metrics.counter(
            "synthscale_leadership_reigns_total",
            "How often this process began to lead.",
            {"lease": lease},
        )
        self.requests = metrics.histogram(
            "synthscale_leadership_write_seconds",
            "How long the API server took to store a word of this candidate.",
            {"lease": lease, "outcome": _OUTCOMES},
        )
