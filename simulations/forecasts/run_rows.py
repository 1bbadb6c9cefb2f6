"""Forecasts row by row: docs/reference/forecast-run.schema.json in code.

This module must not forecast or print.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpu_fleet.forecasts import Answer, Forecast, Unanswered

__all__ = ["json_rows"]

Row = dict[str, object]


def json_rows(forecasts: Sequence[Forecast]) -> list[Row]:
    """For each series and target what is expected, or why nothing is."""
    return [
        row
        for made in forecasts
        for row in (
            *(_answered(made, answer) for answer in made.answers),
            *(_unanswered(made, one) for one in made.unanswered),
        )
    ]


def _answered(made: Forecast, answer: Answer) -> Row:
    return {
        **_asked(made, answer),
        "quantiles": list(answer.quantiles),
        "model": answer.parts[-1][0][0],
        "models": [parts[0][0] for parts in answer.parts],
        "parts": dict(answer.parts[-1]),
        "reason": answer.reason,
        "naive": answer.naive,
        "naive_quantiles": list(answer.naive_quantiles) or None,
        "coverage": answer.held,
        "outcomes": answer.outcomes,
        "model_age_s": answer.model_age_s,
        "unknown": None,
    }


def _unanswered(made: Forecast, one: Unanswered) -> Row:
    unknown = dict.fromkeys(
        ("quantiles", "model", "models", "parts", "reason", "naive", "naive_quantiles", "coverage")
    )
    return {
        **_asked(made, one),
        **unknown,
        "outcomes": 0,
        "model_age_s": None,
        "unknown": one.why,
    }


def _asked(made: Forecast, asked: Answer | Unanswered) -> Row:
    return {
        "series": made.series,
        "horizon_s": asked.horizon_s,
        "time_s": made.origin_s - made.step_s + asked.horizon_s,
        "peak": asked.target.peak,
    }
