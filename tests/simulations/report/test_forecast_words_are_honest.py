"""What a planner is told follows from the figures, also where they are not what anybody wished."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulations.report.forecast_words import Gain, Held, beliefs, gain_of, held_of, verdict
from tests.simulations.forecasts.made import HOUR_S, NAIVE_SPEC, days, series_of, studied
from tests.simulations.report.forecasts import (
    a_backtest,
    figures,
    judged_of,
    named,
    with_figures,
    zeros,
)


@pytest.mark.parametrize(
    ("skill", "between", "gain"),
    [
        pytest.param(0.25, (0.2, 0.3), Gain.PAYS, id="all of the interval is a gain"),
        pytest.param(0.25, (-0.1, 0.5), Gain.UNPROVEN, id="a gain that may be chance"),
        pytest.param(0.01, (-0.02, 0.04), Gain.EVEN, id="alike whatever chance did"),
        pytest.param(-0.2, (-0.3, -0.1), Gain.LOSES, id="the naive guess is better"),
        pytest.param(0.25, None, Gain.UNTOLD, id="too few days for an interval"),
        pytest.param(None, None, Gain.IDLE, id="the naive guess lost nothing"),
    ],
)
def test_forecasting_pays_only_beyond_chance(
    skill: float | None, between: tuple[float, float] | None, gain: Gain
) -> None:
    """The interval decides, not the mean."""
    assert gain_of(figures(skill=skill, skill_ci=between)) is gain


@pytest.mark.parametrize(
    ("coverage", "horizon_s", "width", "held"),
    [
        pytest.param(0.95, HOUR_S, 10.0, Held.HELD, id="as asked for"),
        pytest.param(0.92, HOUR_S, 10.0, Held.MISSED, id="too rarely an hour ahead"),
        pytest.param(0.92, 24 * HOUR_S, 10.0, Held.HELD, id="enough a day ahead"),
        pytest.param(0.89, 24 * HOUR_S, 10.0, Held.MISSED, id="too rarely a day ahead"),
        pytest.param(0.99, HOUR_S, 10.0, Held.WIDE, id="more than asked, and wide"),
        pytest.param(1.0, HOUR_S, 1.0, Held.HELD, id="more than asked, at the cost of a unit"),
        pytest.param(None, HOUR_S, 10.0, Held.MUTE, id="nobody spoke"),
    ],
)
def test_a_bound_holds_as_often_as_it_says_or_not(
    coverage: float | None, horizon_s: int, width: float, held: Held
) -> None:
    """Two points are forgiven an hour ahead, five farther ahead."""
    assert held_of(figures(coverage=coverage, horizon_s=horizon_s, width=width)) is held


@pytest.mark.parametrize(
    ("coverage", "skill", "between", "words"),
    [
        (0.951, 0.27, (0.2, 0.3), "lost 27 % less than the best naive one; a planner can rely on"),
        (0.951, 0.02, (-0.02, 0.04), "would do as well with last-value"),
        (0.951, 0.2, (-0.2, 0.4), "though 10 days do not prove that it beats last-value"),
        (0.951, -0.2, (-0.3, -0.1), "lost 20 % more than the best naive one; a planner should"),
        (0.88, 0.27, (0.2, 0.3), "a planner should hold more ready than it says, since 95"),
        (0.99, 0.27, (0.2, 0.3), "but holds more ready than need be"),
        (None, None, None, "Nothing was forecast 1 h ahead"),
    ],
)
def test_the_verdict_is_what_the_figures_say(
    coverage: float | None,
    skill: float | None,
    between: tuple[float, float] | None,
    words: str,
) -> None:
    """Held or not, better or not: each case has its advice."""
    told = verdict([with_figures(figures(coverage=coverage, skill=skill, skill_ci=between))])

    assert words in told.replace("\u00a0", " ")


def test_a_missed_bound_is_told_with_how_far() -> None:
    """By how many points, and what to do."""
    told = beliefs([with_figures(figures(coverage=0.88))]).replace("\u00a0", " ")

    assert "does not hold as often as it says: 88.0 % (87.0 to 89.0)" in told
    assert "7.0 points too rarely. Hold more ready than it says." in told


def test_a_missed_bound_that_may_be_chance_is_told_so() -> None:
    """Where the interval reaches what was asked for, few days are no proof."""
    missed = replace(figures(coverage=0.88), coverage_ci=(0.5, 0.98))

    assert "7.0 points too rarely, though 10 days do not tell that from chance." in beliefs(
        [with_figures(missed)]
    )


def test_another_horizon_that_is_missed_is_in_the_verdict() -> None:
    """A good hour must not hide a bad day."""
    far = with_figures(figures(coverage=0.7, horizon_s=24 * HOUR_S))

    assert "It does not hold as often as it says 24 h ahead (70.0 %)." in verdict([far]).replace(
        "\u00a0", " "
    )


def test_each_horizon_is_told_with_what_it_costs() -> None:
    """Width in units and in % of mean demand, and the naive error beside the own."""
    told = beliefs([with_figures(figures())]).replace("\u00a0", " ").split("\n\n")

    assert len(told) == 2
    assert "On average it lies 10 GPUs above the middle forecast, 10.0 % of mean" in told[0]
    assert "10 GPUs of what it holds ready are not needed" in told[0]
    assert "The middle forecast is off by 10.0 % of demand, last-value by" in told[0]


def test_where_nothing_was_wanted_nothing_is_gained() -> None:
    """All zeros: the naive guess is never wrong, and no share of nothing is told."""
    told = beliefs(judged_of(zeros()))

    assert "there is nothing to gain" in told
    assert "Demand was 0 throughout." in told
    assert "n/a" not in told
    assert "nothing to lose" in verdict(judged_of(zeros()))


def test_naive_forecasters_alone_are_no_gain() -> None:
    """Choosing among naive guesses is not said to beat the best of them in hindsight."""
    (one,) = judged_of(a_backtest())
    gains = {gain_of(one.selected(horizon_s)) for horizon_s in one.horizons_s}

    assert Gain.PAYS not in gains


def test_a_horizon_that_is_too_far_is_told() -> None:
    """Left out with its reason, never silently."""
    spec = replace(NAIVE_SPEC, horizons_s=(HOUR_S, 4 * 24 * HOUR_S))
    told = beliefs(judged_of(studied(series_of(days(8)), spec)))

    assert "4\u00a0d ahead is left out for made: 192 steps" in told


def test_several_series_are_counted_and_the_bad_ones_named() -> None:
    """What is not met has a name."""
    good, bad = judged_of(named("good"), named("bad"))
    bad = replace(bad, figures={**bad.figures, ("selected", HOUR_S): figures(coverage=0.5)})
    good = replace(good, figures={**good.figures, ("selected", HOUR_S): figures()})
    told = beliefs([good, bad]).replace("\u00a0", " ")

    assert "1 h ahead, forecasting pays in 2 of 2 series" in told
    assert "The bound does not hold as often as it says for bad." in told
    assert "in 1 of 2 series" in verdict([good, bad])
