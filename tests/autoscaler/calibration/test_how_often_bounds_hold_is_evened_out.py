"""Who held too seldom is widened, who held too often is narrowed, in proportion and within limits.

Quantiles are given, so that nothing but the share of outcomes below them decides.
"""

from __future__ import annotations

import numpy as np
import pytest

from autoscaler.calibration.balance import Balance
from autoscaler.calibration.settings import CalibrationSettings
from gpu_fleet.forecasts import Target

DAY = 144
LEVELS = (0.05, 0.5, 0.95)
SAID = np.array([[80.0, 100.0, 120.0]])
UNKNOWN = np.array([np.nan])
NO_FLOOR = -np.inf


def balance(ahead: int = 1) -> Balance:
    """Of one target."""
    return Balance([Target(ahead)], LEVELS, DAY, CalibrationSettings())


def after(percent_above: int, ahead: int = 1, steps: int = 5 * DAY) -> np.ndarray:
    """What is answered when so many of the outcomes were far above the bound, the rest within."""
    one, answer = balance(ahead), SAID
    for step in range(steps):
        above = (step * percent_above) % 100 < percent_above
        answer = one.step(SAID, np.array([1e6 if above else 100.0]), NO_FLOOR)
    widened: np.ndarray = answer[0]
    return widened


REMEMBERED = 5 / np.log(2) * DAY
"""With a half-life of five days as much is known as in so many steps."""


def test_a_bound_that_holds_too_seldom_is_widened_in_proportion() -> None:
    """Each outcome that it lacks, and still remembers, is a hundredth of its distance."""
    lacking = 0.10 * REMEMBERED

    assert after(15, steps=60 * DAY)[2] == pytest.approx(120.0 + 20.0 * lacking / 100, rel=0.01)


def test_little_is_changed_while_little_is_known() -> None:
    """One miss in the first ten outcomes may be chance."""
    assert after(10, steps=11)[2] == pytest.approx(120.0, abs=0.2)


def test_a_bound_that_always_holds_is_narrowed_to_its_limit() -> None:
    """To six tenths of its distance from the median."""
    assert after(0, steps=20 * DAY)[2] == pytest.approx(112.0)


def test_the_lower_bound_is_judged_by_what_falls_below_it() -> None:
    """Nothing ever does, so it moves in; the median stays."""
    low, middle, _ = after(0, steps=20 * DAY)

    assert low == pytest.approx(88.0)
    assert middle == 100.0


def test_outcomes_that_overlap_count_as_one() -> None:
    """Six steps ahead the same share of misses moves a bound by a sixth as much."""
    next_step, later = (after(15, ahead, steps=60 * DAY)[2] - 120.0 for ahead in (1, 6))

    assert later == pytest.approx(next_step / 6, rel=0.05)


def test_it_never_leaves_its_limits() -> None:
    """Even if nothing held, a bound is three times as far from the median, not more."""
    assert after(100)[2] == pytest.approx(160.0)


def test_what_is_not_known_moves_nothing() -> None:
    """Before an outcome, and where outcomes are stand-ins, the answer is what was said."""
    one = balance()

    for _ in range(DAY):
        assert one.step(SAID, UNKNOWN, NO_FLOOR).tolist() == SAID.tolist()


def test_a_mute_answer_stays_mute_and_teaches_nothing() -> None:
    """Not-a-number in, not-a-number out."""
    one = balance()
    for _ in range(10):
        assert np.isnan(one.step(np.full((1, 3), np.nan), np.array([1e6]), 0.0)).all()

    assert one.step(SAID, np.array([1e6]), 0.0).tolist() == SAID.tolist()


def test_demand_that_was_never_negative_has_no_negative_bound() -> None:
    """Widened far below the floor, the lower bound is the floor."""
    one, said = balance(), np.array([[1.0, 100.0, 120.0]])
    for _ in range(DAY):
        answer = one.step(said, np.array([0.0]), 0.0)

    assert answer[0, 0] == 0.0
