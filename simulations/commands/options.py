"""Options that several commands share, called and explained the same everywhere.

This module must not read a file or run anything.
"""

from __future__ import annotations

from typing import Annotated

import typer

from gpu_fleet import compiled
from gpu_fleet.errors import InputError
from scheduler_extender.placement.choice import TieBreak

__all__ = [
    "CheckOption",
    "JsonPath",
    "Kernels",
    "LogPath",
    "NodesFile",
    "PodsFile",
    "Policies",
    "ReportPath",
    "Seeds",
    "TieBreakOption",
    "Workers",
    "kernels_choice",
    "tie_break_choice",
]

PodsFile = Annotated[
    str,
    typer.Option("--pods", help="Pods: CSV in openb's columns (.csv, .csv.gz), or kubectl's JSON."),
]
NodesFile = Annotated[
    str,
    typer.Option(
        "--nodes", help="Nodes: CSV in openb's columns (.csv, .csv.gz), or kubectl's JSON."
    ),
]
Policies = Annotated[str, typer.Option(help="Policies, separated by commas, or all.")]
Seeds = Annotated[str, typer.Option(help="Seeds, both ends included: 42..51.")]
TieBreakOption = Annotated[
    str,
    typer.Option(
        "--tie-break",
        help="Between equal scores: random, as kube-scheduler draws, or fixed, one order a run.",
    ),
]
JsonPath = Annotated[
    str | None, typer.Option("--json", help="Write the result as JSON; - is stdout.")
]
ReportPath = Annotated[
    str | None, typer.Option("--report", help="Write a self-contained HTML report.")
]
LogPath = Annotated[
    str | None, typer.Option("--log", help="Write every decision, and print the file's SHA-256.")
]
CheckOption = Annotated[
    bool,
    typer.Option("--check", help="Recompute every run from its log with an independent checker."),
]
Workers = Annotated[int, typer.Option(help="Processes that share the runs.")]
Kernels = Annotated[
    str,
    typer.Option(help="auto compiles when the extra 'fast' is installed; numpy, or compiled."),
]


def kernels_choice(text: str) -> bool | None:
    """What `--kernels` means to a policy."""
    if text == "auto":
        return None
    if text == "numpy":
        return False
    if text != "compiled":
        raise InputError(
            f"'{text}' is not known", remedy="say auto, numpy or compiled", field="--kernels"
        )
    if not compiled.is_available():
        raise InputError(
            "numba is not installed", remedy="pip install 'synthscale[fast]'", field="--kernels"
        )
    return True


def tie_break_choice(text: str) -> TieBreak:
    """What `--tie-break` means."""
    try:
        return TieBreak(text)
    except ValueError:
        raise InputError(
            f"'{text}' is not known", remedy="say random or fixed", field="--tie-break"
        ) from None
