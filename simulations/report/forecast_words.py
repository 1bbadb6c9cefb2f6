"""What a planner should believe of a forecast, in plain words: a verdict, and each horizon's case.

Three questions are answered, each from figures of the backtest: does forecasting beat the naive
guess by more than chance, does the bound hold as often as it says, and what does that cost.
This module must not soften: what is not met is said, with by how much.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from gpu_fleet.words import counted, listed
from simulations.report.forecast_times import span_words
from simulations.report.numbers import figure, interval, with_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.report.forecast_figures import Figures, Judged

__all__ = ["Gain", "Held", "beliefs", "gain_of", "held_of", "percent", "verdict"]

ASKED: Final = 0.95
NEAR_S: Final = 3_600
HELD_NEAR: Final = 0.93
HELD_FAR: Final = 0.90
"""Up to an hour ahead a bound counts as held from 93 % on, farther from 90 %: farther outcomes
overlap, so that fewer of them are evidence."""
HELD_TOO_OFTEN: Final = 0.97
LITTLE_WIDTH: Final = 1.0
AS_GOOD: Final = 0.05
"""Where the whole interval lies this near to zero, the two are alike whatever chance did."""
LITTLE_SHARE: Final = 0.01
"""A bound within one unit or one percent of the middle costs nothing, however often it holds."""


class Gain(Enum):
    """Whether forecasting beats the best naive guess, by more than chance."""

    PAYS = "yes"
    EVEN = "no, it is as good"
    LOSES = "no, it loses more"
    UNPROVEN = "not proven"
    UNTOLD = "too few days to tell"
    IDLE = "nothing to gain"


class Held(Enum):
    """Whether the bound held as often as it says."""

    HELD = "yes"
    MISSED = "not met"
    WIDE = "more than asked"
    MUTE = "no answer"


def gain_of(figures: Figures) -> Gain:
    """The interval decides, not the mean."""
    if figures.skill is None:
        return Gain.IDLE
    if figures.skill_ci is None:
        return Gain.UNTOLD
    lo, hi = figures.skill_ci
    if lo > 0:
        return Gain.PAYS
    if hi < 0:
        return Gain.LOSES
    return Gain.EVEN if max(-lo, hi) <= AS_GOOD else Gain.UNPROVEN


def held_of(figures: Figures) -> Held:
    """By the share of outcomes at or below the bound."""
    if figures.coverage is None:
        return Held.MUTE
    least = HELD_NEAR if figures.horizon_s <= NEAR_S else HELD_FAR
    if figures.coverage < least:
        return Held.MISSED
    is_narrow = (figures.width or 0.0) <= LITTLE_WIDTH or (
        figures.width_share is not None and figures.width_share <= LITTLE_SHARE
    )
    return Held.WIDE if figures.coverage > HELD_TOO_OFTEN and not is_narrow else Held.HELD


def percent(share: float | None, places: int = 1) -> str:
    """A share as a percentage."""
    return with_unit(figure(None if share is None else 100 * share, places), "%")


def verdict(series: Sequence[Judged]) -> str:
    """The answer, at the horizon that the charts show."""
    first = series[0]
    horizon_s = first.horizons_s[first.shown]
    if len(series) > 1:
        return _verdict_on_many(series, horizon_s)
    said = first.selected(horizon_s)
    if held_of(said) is Held.MUTE:
        return f"Nothing was forecast {span_words(horizon_s)} ahead: every forecaster was mute."
    words = (
        f"{span_words(horizon_s)} ahead the bound held {percent(said.coverage)} of the time and "
        f"{_lost(said)}; a planner {_advice(said)}."
    )
    return f"{words}{_also_missed(first, horizon_s)}"


def _lost(said: Figures) -> str:
    if said.skill is None:
        return "there was nothing to lose, since the naive guess was never wrong"
    more = "more" if said.skill < 0 else "less"
    return f"lost {percent(abs(said.skill), 0)} {more} than the best naive one"


def _advice(said: Figures) -> str:
    held, gain = held_of(said), gain_of(said)
    if held is Held.MISSED:
        return f"should hold more ready than it says, since {percent(ASKED, 0)} was asked for"
    if gain is Gain.LOSES:
        return f"should take that one, {said.naive}"
    if held is Held.WIDE:
        return "can rely on it, but holds more ready than need be"
    if gain is Gain.EVEN:
        return f"can rely on it, and would do as well with {said.naive}"
    if gain in {Gain.UNPROVEN, Gain.UNTOLD}:
        return f"can rely on it, though {_days(said)} do not prove that it beats {said.naive}"
    return "can rely on it"


def _also_missed(one: Judged, but_s: int) -> str:
    missed = [
        f"{span_words(horizon_s)} ahead ({percent(one.selected(horizon_s).coverage)})"
        for horizon_s in one.horizons_s
        if horizon_s != but_s and held_of(one.selected(horizon_s)) is Held.MISSED
    ]
    return f" It does not hold as often as it says {' and '.join(missed)}." if missed else ""


def _verdict_on_many(series: Sequence[Judged], horizon_s: int) -> str:
    said = [one.selected(horizon_s) for one in series if horizon_s in one.horizons_s]
    held = sum(held_of(one) in {Held.HELD, Held.WIDE} for one in said)
    pays = sum(gain_of(one) is Gain.PAYS for one in said)
    of = f"of {counted(len(said), 'series', 'series')}"
    advice = "can rely on it" if held == len(said) else "should look at the others first"
    return (
        f"{span_words(horizon_s)} ahead the bound held as often as it says in {held} {of}, and "
        f"beat the best naive one beyond chance in {pays}; a planner {advice}."
    )


def beliefs(series: Sequence[Judged]) -> str:
    """A paragraph for each horizon, the nearest first, and one for each that is left out."""
    if len(series) == 1:
        (one,) = series
        told = [_belief(one, horizon_s) for horizon_s in one.horizons_s]
    else:
        every = sorted({horizon_s for one in series for horizon_s in one.horizons_s})
        told = [_belief_on_many(series, horizon_s) for horizon_s in every]
    return "\n\n".join((*told, *_left_out(series)))


def _belief(one: Judged, horizon_s: int) -> str:
    said, ahead = one.selected(horizon_s), span_words(horizon_s)
    if held_of(said) is Held.MUTE:
        return f"{ahead} ahead, nothing was said: every forecaster was mute. Hold the naive guess."
    return f"{ahead} ahead, {_gain(said)} {_held(said)} {_width(said, one.unit)} {_off(one, said)}"


def _gain(said: Figures) -> str:
    gain, naive = gain_of(said), said.naive
    if gain is Gain.IDLE:
        return f"there is nothing to gain: {naive} was never wrong."
    assert said.skill is not None  # noqa: S101 - else it is idle
    more = "more" if said.skill < 0 else "less"
    by = f"{percent(abs(said.skill))} {more} than that of {naive}"
    if gain is Gain.UNTOLD:
        return f"the bound lost {by}, but {_days(said)} are too few to tell that from chance."
    lo, hi = said.skill_ci or (0.0, 0.0)
    between = with_unit(interval(100 * lo, 100 * hi, 1), "%")
    if gain is Gain.PAYS:
        return (
            f"forecasting pays: the bound lost {by}, the best naive guess (95 % interval of what "
            f"is saved: {between})."
        )
    known = f"the bound lost {by} (95 % interval of what is saved: {between})."
    if gain is Gain.LOSES:
        return f"forecasting does not pay: {known} Take {naive}."
    if gain is Gain.EVEN:
        return f"forecasting is as good as {naive}, and no better: {known}"
    return f"{_days(said)} do not prove that forecasting pays: {known}"


def _days(said: Figures) -> str:
    return f"{figure(said.days, 0)} days" if said.days >= 2 else "so few hours"  # noqa: PLR2004 - plural


def _held(said: Figures) -> str:
    between = (
        ""
        if said.coverage_ci is None
        else f" ({interval(100 * said.coverage_ci[0], 100 * said.coverage_ci[1], 1)})"
    )
    told = f"{percent(said.coverage)}{between}"
    held = held_of(said)
    if held is Held.MISSED:
        return (
            f"The bound does not hold as often as it says: {told} of the time where "
            f"{percent(ASKED, 0)} was asked for, {_short_of(said)}. Hold more ready than it says."
        )
    if held is Held.WIDE:
        return f"The bound held {told} of the time, more than asked for: it is wider than need be."
    return f"The bound held {told} of the time, as asked for."


def _short_of(said: Figures) -> str:
    points = f"{figure(100 * (ASKED - (said.coverage or 0.0)), 1)} points too rarely"
    if said.coverage_ci is None or said.coverage_ci[1] < ASKED:
        return points
    return f"{points}, though {_days(said)} do not tell that from chance"


def _width(said: Figures, unit: str) -> str:
    share = "" if said.width_share is None else f", {percent(said.width_share)} of mean demand"
    wide = with_unit(figure(said.width), unit)
    idle = with_unit(figure(said.over_provision), unit)
    return (
        f"On average it lies {wide} above the middle forecast{share}, and {idle} of what it holds "
        "ready are not needed."
    )


def _off(one: Judged, said: Figures) -> str:
    naive = one.best_naive(said.horizon_s)
    if said.accuracy is None or naive.accuracy is None:
        return "Demand was 0 throughout."
    return (
        f"The middle forecast is off by {percent(1 - said.accuracy)} of demand, {said.naive} by "
        f"{percent(1 - naive.accuracy)}."
    )


def _belief_on_many(series: Sequence[Judged], horizon_s: int) -> str:
    judged = {one.name: one.selected(horizon_s) for one in series if horizon_s in one.horizons_s}
    by_gain = {gain: [n for n, f in judged.items() if gain_of(f) is gain] for gain in Gain}
    missed = [name for name, said in judged.items() if held_of(said) is Held.MISSED]
    told = (
        f"{span_words(horizon_s)} ahead, forecasting pays in {len(by_gain[Gain.PAYS])} of "
        f"{counted(len(judged), 'series', 'series')}"
    )
    unproven = len(by_gain[Gain.UNPROVEN]) + len(by_gain[Gain.UNTOLD])
    if unproven:
        told += f"; that is not proven in {unproven}"
    if by_gain[Gain.EVEN]:
        told += f"; it is as good as a naive guess, and no better, in {len(by_gain[Gain.EVEN])}"
    if by_gain[Gain.LOSES]:
        told += f"; the naive guess is better for {listed(by_gain[Gain.LOSES], 6)}"
    if not missed:
        return f"{told}. The bound held as often as it says in all of them."
    return f"{told}. The bound does not hold as often as it says for {listed(missed, 6)}."


def _left_out(series: Sequence[Judged]) -> tuple[str, ...]:
    said = (
        f"{span_words(horizon.horizon_s)} ahead is left out for {one.name}: {horizon.too_short}."
        for one in series
        for horizon in one.result.plan.horizons
        if horizon.too_short
    )
    return tuple(dict.fromkeys(said))
