"""Time series as a test makes them and as Prometheus answers them, in one shape.

What a query over a range returns can be compared with the history that was put in. Pure: text in
OpenMetrics comes out, JSON of the query API goes in, nothing is asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Series", "every", "openmetrics", "read_answer"]

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Series:
    """One metric under one set of labels, over time."""

    name: str
    """Empty for the result of an expression."""
    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]
    """Unix seconds, to the millisecond, and a value."""


def every(
    step_s: float, values: Iterable[float], *, since_s: float
) -> tuple[tuple[float, float], ...]:
    """Points at a steady pace, the first at `since_s`."""
    return tuple((since_s + n * step_s, float(value)) for n, value in enumerate(values))


def openmetrics(history: Iterable[Series]) -> str:
    """The text that promtool makes blocks from."""
    lines = [
        f"{each.name}{{{_labels(each.labels)}}} {_number(value)} {at_s:.3f}\n"
        for each in history
        for at_s, value in each.points
    ]
    return "".join(lines) + "# EOF\n"


def read_answer(data: Mapping[str, Any]) -> list[Series]:
    """The series of a query's answer: an instant's, a range's, or one number that has no labels."""
    result = data["result"]
    if data["resultType"] in {"scalar", "string"}:
        return [Series("", {}, _points([result]))]
    return [
        Series(
            each["metric"].get("__name__", ""),
            {key: value for key, value in each["metric"].items() if key != "__name__"},
            _points(each["values"] if "values" in each else [each["value"]]),
        )
        for each in result
    ]


def _points(told: Iterable[tuple[float, str]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(at_s), float(value)) for at_s, value in told)


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{key}="{value.translate(_ESCAPES)}"' for key, value in labels.items())


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return f"{value:+}".replace("inf", "Inf") if math.isinf(value) else repr(float(value))
