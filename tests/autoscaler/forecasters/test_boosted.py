"""Boosted trees: the same for any thread count, silent, quick, and never revived when damaged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from autoscaler.forecasters.boosted import Boosted
from gpu_fleet.errors import InputError
from gpu_fleet.forecasts import NotForecastable, Target
from tests.autoscaler.contract.demand import demand, series_of

if TYPE_CHECKING:
    from collections.abc import Callable

LEVELS = (0.05, 0.5, 0.95)
HOURS = (Target(1), Target(6))


@pytest.mark.prove
def test_threads_change_nothing() -> None:
    """Two threads give the bytes that one gives; on a busy machine they wait for each other."""
    series = demand()
    origins = np.arange(600, 700, dtype=np.int64)
    said = [
        Boosted(threads=threads).fit(series, HOURS[:1], LEVELS).quantiles(series, origins).tobytes()
        for threads in (1, 2)
    ]

    assert said[0] == said[1]


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither learning, nor answering, nor trees that cannot be read print a word."""
    fitted = Boosted().fit(demand(), HOURS, LEVELS)
    fitted.quantiles(demand(), np.array([700], dtype=np.int64))
    state = json.loads(json.dumps(fitted.state()))
    with pytest.raises(InputError):
        Boosted().revive({**state, "models": [{"centre": "tree\nnonsense\nend of trees\n"}] * 2})

    assert capfd.readouterr() == ("", "")


def _other_level(models: list[Any]) -> None:
    models[0]["level"] += 1.0


def _cut_trees(models: list[Any]) -> None:
    models[0]["centre"] = models[0]["centre"][:-4_000]


def _swapped(models: list[Any]) -> None:
    models.reverse()


@pytest.mark.parametrize("harm", [_other_level, _cut_trees, _swapped])
def test_a_damaged_model_is_refused(harm: Callable[[list[Any]], None]) -> None:
    """One number changed, a text cut short or models in another order are noticed."""
    state = json.loads(json.dumps(Boosted().fit(demand(), HOURS, LEVELS).state()))
    harm(state["models"])

    with pytest.raises(InputError, match="not what was stored"):
        Boosted().revive(state)


def test_a_model_of_other_columns_is_refused() -> None:
    """A model whose digest is right but which saw other rhythms is refused all the same."""
    state = json.loads(json.dumps(Boosted().fit(demand(), HOURS, LEVELS).state()))

    with pytest.raises(InputError, match="columns"):
        Boosted().revive({**state, "rhythm": {"week": 1, "weekday": 0}})


def test_a_flat_past_is_left_to_the_last_value() -> None:
    """Where nothing ever moved there is nothing to learn, and the refusal says what to use."""
    with pytest.raises(NotForecastable, match="use last-value"):
        Boosted().fit(series_of(np.full(900, 7.0)), HOURS, LEVELS)


def test_a_target_with_few_outcomes_is_not_a_number() -> None:
    """Six days teach the next hours; what comes in four days is left unsaid."""
    series = demand(days=6)
    answer = (
        Boosted()
        .fit(series, [Target(1), Target(96)], LEVELS)
        .quantiles(series, np.array([143], dtype=np.int64))
    )

    assert np.isfinite(answer[0, 0]).all()
    assert np.isnan(answer[0, 1]).all()


def test_a_broken_sample_does_not_widen_all_bounds() -> None:
    """One sample a million times too high, weeks ago, leaves the bounds as wide as they were."""
    series = demand()
    values = series.values.copy()
    values[300] *= 1e6
    broken = series_of(values)
    origins = np.arange(700, 800, dtype=np.int64)
    widths = [
        np.median(np.ptp(Boosted().fit(one, HOURS, LEVELS).quantiles(one, origins), axis=2))
        for one in (series, broken)
    ]

    assert widths[1] < 1.5 * widths[0]
