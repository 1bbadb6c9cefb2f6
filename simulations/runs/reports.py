"""A report document into its file, rendered only when there is one to write.

It exists so that commands share one way to do it, and pay for the template engine only then.
This module must not know what a report says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulations.report.document import Report

__all__ = ["write_report"]


def write_report(path: str, report: Report) -> None:
    """Render and write, whole or not at all; raises `InputError` where the path cannot be used."""
    # Imported here: the template engine costs 0.1 s that a run without a report need not pay.
    from simulations.report.render import render  # noqa: PLC0415
    from simulations.report.write import write_whole  # noqa: PLC0415

    write_whole(path, render(report))
