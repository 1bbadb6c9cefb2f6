"""A service's whole telemetry, opened together and closed together.

It spares every service the same ten lines; a part still gets only what it uses. This module must
not keep anything open after its block, nor be used by a part.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service_runtime.telemetry.libraries import libraries_tell
from service_runtime.telemetry.metrics import Metrics
from service_runtime.telemetry.own import LoopLag, declare_process
from service_runtime.telemetry.structured import StructuredLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from service_runtime.telemetry.settings import LogSettings
    from service_runtime.timing import Timing

__all__ = ["Telemetry", "open_telemetry"]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What a service tells through."""

    log: StructuredLog
    metrics: Metrics
    loop_lag: LoopLag
    """A part for the service to run; it also writes counts of repetitions when they are due."""


@contextmanager
def open_telemetry(
    service: str, settings: LogSettings, timing: Timing, stream: TextIO | None = None
) -> Iterator[Telemetry]:
    """Log to `stream` (stderr by default), libraries too, and measure the process itself."""
    metrics = Metrics()
    declare_process(metrics, service)
    log = StructuredLog(settings, timing, stream or sys.stderr, metrics)
    with libraries_tell(log, settings.library_level):
        try:
            yield Telemetry(log, metrics, LoopLag(metrics, timing, tick=log.flush))
        finally:
            log.close()
