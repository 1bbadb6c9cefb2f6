"""How fast bounds are corrected, and how long what came true is remembered.

Each number has its reason beside it; all were chosen on made-up series and on the first parts of
public ones, never on what a report is about. This module must not compute.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CalibrationSettings"]


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    """Settings of `Tracking` and `Balance`."""

    rates: tuple[float, ...] = (0.0, 0.05, 0.1, 0.2, 0.4)
    """How far a bound of the next step moves when it was wrong, in usual errors; further ahead,
    where outcomes overlap, less by the root of the steps. All are tried at once; the one that would
    have lost least lately is used. 0 leaves the forecaster's own bound."""
    final_rates: tuple[float, ...] = (0.02, 0.1, 0.3)
    """The same for what is answered in the end: whoever made it, the bound has to hold, so none
    is 0."""
    final_root: float = 0.75
    """Its rates fall faster with the steps ahead: a day ahead nothing is known of a correction
    before a day has passed, and one that goes on until then goes too far."""
    final_aim: float = 0.01
    """It is aimed this much further out: at 96 % for 95 %. Where few outcomes are known, or demand
    drifts, a bound holds less often than it is aimed at, and missing is what hurts."""
    balance_gain: float = 0.01
    """How much wider a bound gets for each outcome that it did not hold and should have, those that
    overlap counting as one: by a tenth, where of 1,000 outcomes of the next step 940 were held and
    not 950."""
    balance_limits: tuple[float, float] = (0.6, 3.0)
    """It becomes no narrower and no wider than this, measured from the median."""
    memory_days: float = 5.0
    """Half-life of a loss, and of whether a bound held: a working week says more than the weekend
    that came last."""
    scale_half_life_days: float = 2.0
    """Half-life of an error in what counts as usual."""
    least_outcomes: int = 20
    """With fewer outcomes the forecaster's own bound stands."""
    shift_slack: float = 1.5
    """Errors up to this many usual ones are no sign that the forecaster has lost its way."""
    shift_limit: float = 20.0
    """It is told once errors beyond the slack add up to this, and to `shift_limit_ahead` for each
    step ahead: errors of forecasts that overlap lean to one side together."""
    shift_limit_ahead: float = 6.0
    kept_at_shift: float = 0.05
    """What is left of the weight of older errors after that, and of what each speed lost. What a
    candidate lost stays: it is compared with others, who may have forgotten nothing."""
