"""Each figure of a row by its definition, on series small enough to be worked out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from simulations.forecasts.hours import by_hour
from simulations.forecasts.result import BEST_NAIVE, SELECTED
from simulations.forecasts.rows import best_naive, day_error, json_rows, scores_of
from tests.simulations.forecasts.made import HOUR_S, NAIVE_SPEC, days, series_of, studied

if TYPE_CHECKING:
    from simulations.forecasts.result import SeriesResult

SPLIT = int(0.6 * 20 * 24)


@pytest.fixture(scope="module")
def result() -> SeriesResult:
    """20 days of hours; at the end of the 15th day three hours were not measured."""
    values = days()
    measured = np.ones(len(values), dtype=np.bool_)
    measured[15 * 24 - 3 : 15 * 24] = False
    return studied(series_of(values, measured))


def row_of(result: SeriesResult, model: str, horizon_s: int = HOUR_S) -> dict[str, object]:
    """One row."""
    return next(
        row
        for row in json_rows([result])
        if row["model"] == model and row["horizon_s"] == horizon_s
    )


def test_each_horizon_has_the_answer_the_best_naive_and_every_model(result: SeriesResult) -> None:
    """In this order, the nearest horizon first."""
    rows = json_rows([result])

    assert [row["model"] for row in rows] == 2 * [SELECTED, BEST_NAIVE, *NAIVE_SPEC.models]
    assert [row["horizon_s"] for row in rows] == 5 * [HOUR_S] + 5 * [24 * HOUR_S]


def test_only_measured_outcomes_after_the_split_count(result: SeriesResult) -> None:
    """From origin t an hour ahead is judged by the value at t + 1."""
    scores = scores_of(result, "last-value", 0)
    expected = [t for t in range(SPLIT, 20 * 24 - 1) if not 15 * 24 - 3 <= t + 1 < 15 * 24]

    assert scores.origins.tolist() == expected
    assert scores.came.tolist() == result.series.values[np.array(expected) + 1].tolist()
    assert row_of(result, "last-value")["origins"] == len(expected)


def test_errors_are_what_their_names_say(result: SeriesResult) -> None:
    """WAPE, MASE, pinball loss, coverage, width and what was held ready for nothing."""
    at = scores_of(result, "last-value", 0).origins
    came, said = result.series.values[at + 1], result.walked.raw[at - result.plan.walk.first, 0, 0]
    before = result.series.values[:SPLIT]
    row = row_of(result, "last-value")
    off, over = np.abs(came - said[:, 1]), came - said[:, 2]

    assert row["wape"] == pytest.approx(off.sum() / came.sum())
    assert row["accuracy"] == pytest.approx(1 - off.sum() / came.sum())
    assert row["mase"] == pytest.approx(off.mean() / np.abs(before[24:] - before[:-24]).mean())
    assert row["pinball95"] == pytest.approx(np.where(over > 0, 0.95 * over, -0.05 * over).mean())
    assert row["coverage95"] == pytest.approx((over <= 0).mean())
    assert row["mean_width"] == pytest.approx((said[:, 2] - said[:, 1]).mean())
    assert row["mean_over_provision"] == pytest.approx(np.maximum(-over, 0).mean())


def test_naive_models_are_shown_as_they_are_and_others_corrected(result: SeriesResult) -> None:
    """A naive guess with its own errors is what anybody would build; the rest is ours."""
    pretended = replace(result, walked=replace(result.walked, naive=(False, True, True)))

    assert result.said("last-value") is not result.said(SELECTED)
    assert np.array_equal(result.said("last-value"), result.walked.raw[:, 0], equal_nan=True)
    assert np.array_equal(
        pretended.said("last-value"), result.followed.calibrated[:, 0], equal_nan=True
    )


def test_the_best_naive_one_is_the_one_that_lost_least(result: SeriesResult) -> None:
    """In hindsight, by the pinball loss of its bound."""
    losses = {
        name: row_of(result, name, 24 * HOUR_S)["pinball95"]
        for name in ("last-value", "seasonal-naive")
    }
    best = best_naive(result, 1)
    named, itself = row_of(result, BEST_NAIVE, 24 * HOUR_S), row_of(result, best, 24 * HOUR_S)

    assert best == min(losses, key=lambda name: str(losses[name]))
    assert named["naive"] == best
    assert named == itself | {"model": BEST_NAIVE}
    assert named["skill"] == 0.0


def test_skill_is_what_is_lost_less_than_by_the_best_naive_one(result: SeriesResult) -> None:
    """Where both spoke; a model that loses more has less than none."""
    selected, naive = row_of(result, SELECTED), row_of(result, BEST_NAIVE)
    assert isinstance(selected["pinball95"], float)
    assert isinstance(naive["pinball95"], float)
    ratio = selected["pinball95"] / naive["pinball95"]

    assert selected["skill"] == pytest.approx(1 - ratio)


def test_choices_add_up_to_all_of_the_time(result: SeriesResult) -> None:
    """Only `selected` chooses."""
    choices = row_of(result, SELECTED)["choices"]
    assert isinstance(choices, dict)

    assert sum(choices.values()) == pytest.approx(1.0)
    assert set(choices) <= set(NAIVE_SPEC.models)
    assert row_of(result, BEST_NAIVE)["choices"] is None


def test_a_series_of_zeros_has_no_relative_error_and_no_skill() -> None:
    """Nothing is divided by zero, and nothing that is unknown is called 0."""
    row = row_of(studied(series_of(np.zeros(480))), SELECTED)

    assert (row["wape"], row["accuracy"], row["mase"]) == (None, None, None)
    assert (row["skill"], row["skill_ci95"]) == (None, None)
    assert (row["pinball95"], row["coverage95"], row["mean_width"]) == (0.0, 1.0, 0.0)


def test_a_model_that_never_spoke_has_no_figures() -> None:
    """A week of hours holds no second week to learn the first one's errors from."""
    row = row_of(studied(series_of(days(10))), "seasonal-naive-week")

    assert row["origins"] == 0
    assert (row["pinball95"], row["coverage95"], row["skill"]) == (None, None, None)
    assert row_of(studied(series_of(days(10))), BEST_NAIVE)["naive"] != "seasonal-naive-week"


def test_a_step_longer_than_a_day_has_no_yesterday() -> None:
    """MASE is unknown there, and the rest is told."""
    series = series_of(days(20), step_s=2 * 86_400)
    spec = replace(NAIVE_SPEC, horizons_s=(2 * 86_400,))
    row = row_of(studied(series, spec), SELECTED, 2 * 86_400)

    assert day_error(series, 100) is None
    assert row["mase"] is None
    assert row["wape"] is not None


def test_hours_are_those_of_the_people(result: SeriesResult) -> None:
    """The moment that is forecast, in local time; together they are the row."""
    hours = by_hour(result, SELECTED, 0)
    row = row_of(result, SELECTED)
    held = sum((hour.coverage or 0.0) * hour.outcomes for hour in hours)
    later = replace(result, series=replace(result.series, utc_offset_s=2 * HOUR_S))

    assert [hour.hour for hour in hours] == list(range(24))
    assert held / sum(hour.outcomes for hour in hours) == pytest.approx(row["coverage95"])
    # The three hours that were not measured are the last ones of a day.
    assert [hour.outcomes for hour in hours][-4:] == [8, 7, 7, 7]
    assert by_hour(later, SELECTED, 0)[1].coverage == hours[23].coverage


def test_an_hour_that_never_was_is_unknown() -> None:
    """Steps of a day begin at one hour; of the others nothing is known."""
    spec = replace(NAIVE_SPEC, horizons_s=(86_400,))
    hours = by_hour(studied(series_of(days(10), step_s=86_400), spec), SELECTED, 0)

    assert hours[0].outcomes > 0
    assert (hours[5].outcomes, hours[5].coverage, hours[5].wape) == (0, None, None)
