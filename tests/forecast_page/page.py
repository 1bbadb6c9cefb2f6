"""The page as text, out of the recorded figures of every series.

This module must not judge: what was asked for stands beside what was reached, met or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from tests.figures import FIGURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PAGE", "page", "recorded"]

PAGE: Final = Path(__file__).parents[2] / "docs/explanation/forecasts-of-public-demand.md"
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
_PREFIX: Final = "forecast_"
_INTERVALS: Final = "forecast_intervals"
_TEMPLATE: Final = Path(__file__).with_name("template.md")
_COLUMNS: Final = (
    "| series | days judged | accuracy % | skill % | holds % |\n|---|---|---|---|---|\n"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was recorded of one series at one horizon."""

    series: str
    days: float
    accuracy: float | None
    naive_accuracy: float | None
    skill: float | None
    held: float
    interval: tuple[float, float] | None


def recorded(folder: Path = FIGURES) -> dict[int, list[Figures]]:
    """By horizon in seconds, the series in order."""
    found: dict[int, list[Figures]] = {}
    for file in sorted(folder.glob(f"{_PREFIX}*.json")):
        if file.stem == _INTERVALS:
            continue
        rows = msgspec.json.decode(file.read_bytes())["rows"][1:]
        by_model = {(row["model"], row["horizon_s"]): row for row in rows}
        for (model, horizon_s), row in by_model.items():
            if model == "selected":
                naive = by_model["best_naive", horizon_s]
                made = _figures(file.stem.removeprefix(_PREFIX), row, naive)
                found.setdefault(horizon_s, []).append(made)
    return found


def _figures(series: str, row: Mapping[str, object], naive: Mapping[str, object]) -> Figures:
    interval = row["coverage95_ci95"]
    ends = (interval[0], interval[1]) if isinstance(interval, list) else None
    return Figures(
        series=series,
        days=float(str(row["days"])),
        accuracy=_number(row["accuracy"]),
        naive_accuracy=_number(naive["accuracy"]),
        skill=_number(row["skill"]),
        held=float(str(row["coverage95"])),
        interval=ends,
    )


def _number(value: object) -> float | None:
    return value if isinstance(value, float) else None


def page(figures: Mapping[int, Sequence[Figures]]) -> str:
    """All of it."""
    near = [
        one for horizon_s in sorted(figures) if horizon_s < HOUR_S for one in figures[horizon_s]
    ]
    template = _TEMPLATE.read_text(encoding="utf-8")
    return template.format(
        near=_table(near), hour=_table(figures[HOUR_S]), day=_table(figures[DAY_S])
    )


def _table(rows: Sequence[Figures]) -> str:
    ordered = sorted(rows, key=lambda one: one.series)
    return _COLUMNS + "".join(f"{_line(one)}\n" for one in ordered)


def _line(one: Figures) -> str:
    accuracy = f"{_percent(one.accuracy)} ({_percent(one.naive_accuracy)})"
    between = "" if one.interval is None else " ({}..{})".format(*map(_percent, one.interval))
    skill = "-" if one.skill is None else f"{100 * one.skill:+.1f}"
    held = f"{_percent(one.held)}{between}"
    return f"| {one.series} | {one.days:.1f} | {accuracy} | {skill} | {held} |"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
