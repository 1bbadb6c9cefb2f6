"""Where a command's results go: words to the terminal, and JSON, a decision log, a report to files.

Every command publishes the same way and in the same order, so that a person who knows one knows
all. Places are looked at before anything is computed. This module must not word a result.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from simulations.runs.logs import write_log
from simulations.runs.outputs import check_writable, say, write_json
from simulations.runs.reports import write_report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from simulations.report.document import Report

__all__ = ["Destinations", "publish", "timed"]

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Destinations:
    """The paths of `--json`, `--report` and `--log`; None where it was not asked for."""

    json: str | None = None
    report: str | None = None
    log: str | None = None

    @classmethod
    def checked(cls, json: str | None, report: str | None, log: str | None = None) -> Destinations:
        """Raises `InputError` now for a place that cannot be written, not after the runs."""
        for path in (json, report, log):
            check_writable(path)
        return cls(json, report, log)

    def say(self, text: str) -> None:
        """Print for people, on stderr where stdout carries JSON."""
        say(text, self.json)


def publish(
    to: Destinations,
    content: Mapping[str, object],
    logs: Sequence[tuple[str, str]],
    report: Callable[[], Report],
    *,
    log_is: str = "decision log",
) -> None:
    """Write what was asked for: the log and its SHA-256, the JSON, the report."""
    if to.log is not None:
        to.say(f"{log_is} {to.log}, SHA-256 {write_log(to.log, logs)}")
    write_json(to.json, content)
    if to.report is not None:
        write_report(to.report, report())
        to.say(f"report {to.report}")


def timed(run: Callable[[Task], Result], task: Task) -> tuple[Result, float, float]:
    """What a task returns, with its wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = run(task)
    return result, time.perf_counter() - wall, time.process_time() - cpu
