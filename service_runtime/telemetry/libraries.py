"""Leads what libraries tell through Python's own logging, and warnings, into the service's log.

One process writes one kind of line, whoever speaks. This is the only place that touches Python's
process-wide logging, and it must put back what it found.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service_runtime.telemetry.log import Level
    from service_runtime.telemetry.structured import StructuredLog

__all__ = ["libraries_tell"]


class _Bridge(logging.Handler):
    def __init__(self, log: StructuredLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record as the event `library_told` of the library's component."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - a library's arguments may not fit its own format
            message = str(record.msg)
        fields: dict[str, object] = {"message": message}
        if record.exc_info and record.exc_info[1]:
            fields["cause"] = record.exc_info[1]
        self._log.component(record.name).tell(_level(record.levelno), "library_told", fields)


def _level(number: int) -> Level:
    if number >= logging.ERROR:
        return "error"
    return "warning" if number >= logging.WARNING else "info"


@contextmanager
def libraries_tell(log: StructuredLog, least: Level) -> Iterator[None]:
    """While this is open, records of at least this level go to `log` and nowhere else."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = [_Bridge(log)]
    root.setLevel(least.upper())
    logging.captureWarnings(capture=True)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        root.setLevel(level)
        root.handlers[:] = handlers
