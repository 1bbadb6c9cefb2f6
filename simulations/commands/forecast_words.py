"""What `forecast backtest` prints: what was read, one table a planner understands, one sentence.

The table puts the answer beside the best naive guess, since no accuracy means anything alone.
This module must not compute a figure that the JSON lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet.words import counted
from simulations.commands.forecast_options import series_words
from simulations.forecasts.result import BEST_NAIVE, SELECTED
from simulations.runs.durations import in_words
from simulations.runs.outputs import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulations.commands.forecast_options import ReadSeries
    from simulations.forecasts.result import SeriesResult

__all__ = ["percent", "words"]

Row = dict[str, object]

_COLUMNS = (
    "series",
    "ahead",
    "accuracy",
    "naive's",
    "bound holds",
    "95 % CI",
    "naive's",
    "idle",
    "naive's",
    "skill",
    "95 % CI",
    "best naive",
    "made of",
)
_LEGEND = """\
judged is what comes after {split:.0%} of each series; nothing later was known to any forecast
  accuracy     1 - sum of |error| / sum of demand, of the middle forecast
  bound holds  share of outcomes at or below the 95 % bound; 95 is asked for
  idle         what the bound held ready and was not needed, on average
  skill        how much less the bound loses (pinball) than that of the best naive forecaster
  best naive   the naive forecaster with the least loss, in hindsight; its bound is from its own
               errors
  made of      the forecasters by their part in the bound, on average"""


def words(
    read: Sequence[ReadSeries],
    results: Sequence[SeriesResult],
    left_out: Sequence[tuple[ReadSeries, str]],
    resumed: Sequence[str],
    rows: Sequence[Row],
) -> str:
    """What the command prints for people."""
    by_model = {(row["series"], row["horizon_s"], row["model"]): row for row in rows}
    judged = [
        (row, by_model[row["series"], row["horizon_s"], BEST_NAIVE])
        for row in rows
        if row["model"] == SELECTED
    ]
    refusals = [line for result in results for line in _refusals(result)]
    lines = [
        *(line for one in read for line in series_words(one)),
        *(line for result in results for line in _horizons(result)),
        *(f"  left out: {why}" for _, why in left_out),
        *(f"  {line}" for line in resumed),
        *refusals,
        "",
        table(_COLUMNS, [_cells(selected, naive) for selected, naive in judged]),
        "",
        _LEGEND.format(split=results[0].spec.split),
        "",
        _verdict([selected for selected, _ in judged]),
    ]
    return "\n".join(lines)


def _horizons(result: SeriesResult) -> list[str]:
    """Horizons that are not what was asked."""
    rounded = [
        f"  {result.series.name}: {in_words(horizon.asked_s)} is less than whole steps; "
        f"{in_words(horizon.horizon_s)} is taken"
        for horizon in result.plan.horizons
        if horizon.asked_s != horizon.horizon_s
    ]
    too_short = [
        f"  {result.series.name}: {in_words(horizon.horizon_s)} ahead is left out: "
        f"{horizon.too_short}"
        for horizon in result.plan.horizons
        if horizon.too_short
    ]
    return rounded + too_short


def _refusals(result: SeriesResult) -> list[str]:
    """Models that could not learn from the series, in the end."""
    return [f"  {told.name} is mute: {told.refusal}" for told in result.told if told.refusal]


def _cells(selected: Mapping[str, object], naive: Mapping[str, object]) -> tuple[str, ...]:
    return (
        str(selected["series"]),
        in_words(int(str(selected["horizon_s"]))),
        percent(selected["accuracy"]),
        percent(naive["accuracy"]),
        percent(selected["coverage95"]),
        _between(selected["coverage95_ci95"]),
        percent(naive["coverage95"]),
        _amount(selected["mean_over_provision"]),
        _amount(naive["mean_over_provision"]),
        percent(selected["skill"], signed=True),
        _between(selected["skill_ci95"], signed=True),
        str(selected["naive"]),
        _made_of(selected["choices"]),
    )


def percent(share: object, *, signed: bool = False) -> str:
    """A share in percent, with one decimal; `-` where there is none."""
    if not isinstance(share, float):
        return "-"
    return f"{100 * share:+.1f}" if signed else f"{100 * share:.1f}"


def _between(interval: object, *, signed: bool = False) -> str:
    if not isinstance(interval, list):
        return "-"
    return f"{percent(interval[0], signed=signed)}..{percent(interval[1], signed=signed)}"


def _amount(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "-"


def _made_of(choices: object) -> str:
    """The models by their part in the bound, three at most."""
    if not isinstance(choices, dict) or not choices:
        return "-"
    ranked = sorted(choices.items(), key=lambda pair: (-pair[1], pair[0]))
    told = ", ".join(f"{name} {share:.0%}" for name, share in ranked[:3])
    return told if len(ranked) <= len(ranked[:3]) else f"{told}, others"


def _verdict(selected: Sequence[Row]) -> str:
    """The answer in a sentence."""
    pairs = [(row["skill"], row["skill_ci95"]) for row in selected]
    better = sum(isinstance(ci, list) and ci[0] > 0 for _, ci in pairs)
    worse = sum(isinstance(ci, list) and ci[1] < 0 for _, ci in pairs)
    told = [row["coverage95"] for row in selected if isinstance(row["coverage95"], float)]
    held = f"{100 * min(told):.1f} to {100 * max(told):.1f} %" if told else "an unknown share"
    cases = counted(len(pairs), "case")
    return (
        f"Of {cases} (a series, a time ahead) forecasts beat the best naive guess beyond chance in "
        f"{better}, lose to it in {worse}, and are its equal as far as can be told in "
        f"{len(pairs) - better - worse}; the 95 % bound held in {held} of the time."
    )
