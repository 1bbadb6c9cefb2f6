"""The middle of several forecasters: no single one is best on all series, the middle is seldom bad.

Each quantile is the median of what the members say, so one that is far off does not count. A member
that refuses a past is left out; the ensemble refuses only where all do. It must not weigh members
by how good they were: choosing is for whoever watches them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.forecasters import stored
from autoscaler.forecasters.asked import Asked, nothing_yet
from gpu_fleet.errors import FleetError
from gpu_fleet.forecasts import NotForecastable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gpu_fleet.forecasts import Fitted, Forecaster, Target
    from gpu_fleet.series import Series

__all__ = ["Ensemble", "FittedEnsemble", "middle"]


@dataclass(frozen=True, slots=True)
class FittedEnsemble:
    """The members that did not refuse, by name."""

    asked: Asked
    members: Mapping[str, Fitted]

    def quantiles(self, series: Series, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """The median of the members' quantiles as seen from each origin; see `Fitted`."""
        known = self.asked.known_at(series, origins)
        return middle([member.quantiles(known, origins) for member in self.members.values()])

    def state(self) -> Mapping[str, object]:
        """What each member learned."""
        members = {name: dict(fitted.state()) for name, fitted in self.members.items()}
        return {**self.asked.state(), "kind": "ensemble", "members": members}


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The median of some forecasters."""

    members: tuple[Forecaster, ...]
    name: str = "ensemble"

    def fit(
        self, past: Series, targets: Sequence[Target], levels: Sequence[float]
    ) -> FittedEnsemble:
        """Fit each member; refuses where every member does, with the first one's reason."""
        refusals: list[NotForecastable] = []
        fitted: dict[str, Fitted] = {}
        for member in self.members:
            try:
                fitted[member.name] = member.fit(past, targets, levels)
            except NotForecastable as refusal:
                refusals.append(refusal)
        if not fitted:
            raise refusals[0]
        return self.of(past, targets, levels, fitted)

    def of(
        self,
        past: Series,
        targets: Sequence[Target],
        levels: Sequence[float],
        fitted: Mapping[str, Fitted],
    ) -> FittedEnsemble:
        """The ensemble of members that were fitted before, so that nothing is learned twice."""
        mine = {
            member.name: fitted[member.name] for member in self.members if member.name in fitted
        }
        if not mine:
            raise NotForecastable(
                f"series {past.name}: no member of the ensemble was fitted; fit one of "
                f"{', '.join(member.name for member in self.members)}"
            )
        return FittedEnsemble(Asked.of(past, targets, levels), mine)

    def revive(self, state: Mapping[str, object]) -> FittedEnsemble:
        """What was fitted before."""
        if stored.text(state, "kind") != "ensemble":
            raise stored.bad_part("kind", "this model was not fitted by an ensemble")
        asked = Asked.revive(state)
        members = stored.part(state, "members")
        known = {member.name: member for member in self.members}
        if not members or not known.keys() >= members.keys():
            raise stored.bad_part("members", f"an ensemble of {', '.join(known)} is needed here")
        revived = {name: known[name].revive(stored.part(members, name)) for name in members}
        for name, member in revived.items():
            _check_same_question(asked, name, member)
        return FittedEnsemble(asked, revived)


def _check_same_question(asked: Asked, name: str, member: Fitted) -> None:
    """A member must answer in the shape that the ensemble was asked for."""
    nothing, nowhere = nothing_yet(asked.step_s), np.zeros(0, dtype=np.int64)
    try:
        shape = member.quantiles(nothing, nowhere).shape
    except FleetError as error:
        raise stored.bad_part("members", f"{name} was fitted on another step") from error
    if shape != asked.blank(nowhere).shape:
        raise stored.bad_part("members", f"{name} was asked for something else")


def middle(answers: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The median of answers, number by number; a member that says nothing does not count."""
    ordered = np.sort(np.stack(answers), axis=0)
    counts = (~np.isnan(ordered)).sum(axis=0)[np.newaxis]
    low = np.take_along_axis(ordered, np.maximum(counts - 1, 0) // 2, axis=0)[0]
    high = np.take_along_axis(ordered, counts // 2, axis=0)[0]
    return np.asarray(0.5 * low + 0.5 * high)
