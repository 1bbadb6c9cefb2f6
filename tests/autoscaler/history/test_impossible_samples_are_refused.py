"""What no series can be made of is refused in one line that names file, line and column.

The texts are compared to the letter, since a person acts on them.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoscaler.history.assembly import series_of
from autoscaler.history.settings import HistorySettings, Kind
from gpu_fleet.errors import FleetError, InputError
from tests.autoscaler.history.made import NAN, sampled

if TYPE_CHECKING:
    from autoscaler.history.samples import Samples


@pytest.mark.parametrize(
    ("samples", "settings", "said"),
    [
        (
            sampled([3, -2, -1]),
            HistorySettings(kind=Kind.COUNT),
            "load.csv:3: gpus: -2 is not possible for a count; give 0 or more, or --kind gauge",
        ),
        (
            sampled([3, 4, -1]),
            HistorySettings(kind=Kind.COUNTER),
            "load.csv:4: gpus: -1 is not possible for a counter; give 0 or more, or --kind gauge",
        ),
        (
            sampled([3, 1e300]),
            HistorySettings(),
            "load.csv:3: gpus: 1e+300 was never measured; give at most 1e+18",
        ),
        (
            sampled([3]),
            HistorySettings(),
            "load.csv: one sample has no step; give the step, such as --step 10min",
        ),
        (
            sampled([3, NAN]),
            HistorySettings(kind=Kind.COUNTER),
            "load.csv: gpus: one sample of a counter is no rate; give a longer range",
        ),
        (
            sampled([NAN, NAN]),
            HistorySettings(),
            "load.csv: gpus: no sample has a value; check the column or the query",
        ),
        (
            sampled([]),
            HistorySettings(),
            "load.csv: gpus: there is no sample; give a longer range or another file",
        ),
        (
            sampled([1, 2, 3], at_s=[0, 1, 1e9]),
            HistorySettings(step_s=1),
            (
                "load.csv: 1,000,000,001 steps of 1 s from the first to the last sample;"
                " look for a wrong date, or give a larger --step"
            ),
        ),
    ],
    ids=range(8),
)
def test_the_line_says_what_and_where(
    samples: Samples, settings: HistorySettings, said: str
) -> None:
    """And what to do about it."""
    with pytest.raises(InputError) as caught:
        series_of(samples, settings)

    assert str(caught.value) == said
    assert caught.value.exit_code == 2


def test_one_sample_with_a_step_is_a_series() -> None:
    """Little, and honest."""
    series = series_of(sampled([3.0]), HistorySettings(step_s=600))

    assert series.values.tolist() == [3.0]


def test_a_step_of_nothing_is_refused() -> None:
    """Where the setting is made."""
    with pytest.raises(InputError, match=r"^--step: 0 s is no step; give 1 s or more$"):
        HistorySettings(step_s=0)


def test_infinite_samples_are_absent() -> None:
    """Prometheus answers them for a division by zero."""
    series = series_of(sampled([1.0, float("inf"), 3.0]), HistorySettings())

    assert series.values.tolist() == [1.0, 1.0, 3.0]
    assert series.measured.tolist() == [True, False, True]


def test_samples_of_unequal_length_are_a_mistake_of_the_source() -> None:
    """Not of a person."""
    with pytest.raises(FleetError, match="one time, one value and one place"):
        dataclasses.replace(sampled([1.0, 2.0]), values=np.zeros(3))
