"""Gradient-boosted quantiles (lightgbm): one small model for each target of a series.

The centre of a forecast is the mean of what a straight line and boosted trees say, drawn towards
the habit of earlier days where the past holds few independent outcomes. Its quantiles are learned
from the errors of that centre on stretches it was not fitted on, for errors on what was learned by
heart are too small. This module must not read a clock, and must say the same for any thread count.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.forecasters import stored
from autoscaler.forecasters.asked import Asked
from autoscaler.forecasters.lightgbm_trees import Growth, Rows, Trees
from autoscaler.forecasters.outcomes import outcomes
from autoscaler.forecasters.sight import FARTHEST, Rhythm, Sight, Units
from gpu_fleet.forecasts import NotForecastable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from autoscaler.forecasters.sight import Ahead
    from gpu_fleet.forecasts import Target
    from gpu_fleet.series import Series

    Column = NDArray[np.float64]

__all__ = ["Boosted"]

# These were chosen together on the first 60 % of two shared traces (taxi, NASA), on their first ten
# days, and on drawn series, by eye among some thirty variants; not all were varied alone.
MOST_DAYS = 56
LEAST_HORIZON = 3_000
"""Where steps are long, more than the most days are learned from, up to this many steps."""
MOST_ROWS = 8_000
"""Of a longer past every second, third ... moment is learned from."""
FEWEST_OUTCOMES = 100
FEWEST_IN_A_FOLD = 60
FOLDS = 4

CENTRE = Growth(rounds=50, leaves=7, least_rows=60, objective="huber")
TAIL_ROUNDS = 24
TAIL_LEAVES = 6
TAIL_EVENTS = 20
"""How many events beyond its quantile a leaf of a tail should hold."""
FEW = 40
"""So many independent outcomes are few: with them half the rounds are spent on a tail."""
SCARCE = 8
"""So many are scarce: the centre is drawn to the habit of earlier days."""
LEAST_SPREAD = 1e-9
"""A clue that varies by less than this share of its size varies by rounding."""
LINE_PULL = 150.0
"""How strongly the line's weights are pulled to zero, in rows' worth of evidence."""


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What was seen from some origins of one target, and how it moved from there."""

    origins: NDArray[np.int64]
    seen: Ahead
    labels: Column
    """Outcome less the value at the origin, in units of the scale."""
    ahead: int

    @property
    def independent(self) -> float:
        """How many outcomes do not overlap: what a long horizon teaches in a short past."""
        return float(self.origins[-1] - self.origins[0] + 1) / self.ahead

    @property
    def habit(self) -> float:
        """How much the centre is drawn to the habit of earlier days."""
        return (SCARCE / (SCARCE + self.independent)) ** 2

    def tail(self, level: float, rows: int) -> Growth:
        """How the trees of one quantile are grown; the rarer it is, the more rows a leaf needs."""
        rounds = max(1, round(TAIL_ROUNDS * self.independent / (self.independent + FEW)))
        least = int(max(TAIL_EVENTS, min(rows / 5, TAIL_EVENTS / min(level, 1 - level))))
        return Growth(rounds, TAIL_LEAVES, least, "quantile", level)

    def only(self, kept: NDArray[np.bool_]) -> _Lesson:
        """Some of it."""
        return _Lesson(self.origins[kept], self.seen.only(kept), self.labels[kept], self.ahead)

    def away_from(self, first: int, stop: int) -> NDArray[np.bool_]:
        """The moments whose outcomes do not overlap those of a stretch."""
        before: NDArray[np.bool_] = self.origins <= self.origins[first] - self.ahead
        after: NDArray[np.bool_] = self.origins >= self.origins[stop - 1] + self.ahead
        return np.logical_or(before, after)


def _spread(clue: Column) -> float:
    """How much a clue varies; endless for one that hardly does, so that it says nothing.

    Beside a spike of many orders of magnitude what varies is the rounding alone.
    """
    spread = float(clue.std())
    return math.inf if spread < LEAST_SPREAD * float(np.abs(clue).max()) else spread + 1e-9


@dataclass(frozen=True, slots=True)
class _Line:
    """A straight line through the clues."""

    weights: tuple[float, ...]
    level: float

    @classmethod
    def through(cls, clues: Sequence[Column], labels: Column, ahead: int) -> _Line:
        """The line of least squares with weights pulled to zero, the more the further ahead."""
        spread = np.array([_spread(clue) for clue in clues])
        told = np.stack(clues) / spread[:, np.newaxis]
        level = float(labels.mean())
        # einsum adds in one order on every machine; a product by BLAS depends on its threads.
        pull = LINE_PULL * np.sqrt(ahead) * np.eye(len(clues))
        square = np.einsum("in,jn->ij", told, told) + pull
        weights = np.linalg.solve(square, np.einsum("in,n->i", told, labels - level)) / spread
        return cls(tuple(weights.tolist()), level)

    def say(self, clues: Sequence[Column]) -> Column:
        """What the line says, added in one order."""
        total = np.full(len(clues[0]), self.level)
        for weight, clue in zip(self.weights, clues, strict=True):
            total += weight * clue
        return total


@dataclass(frozen=True, slots=True)
class _Centre:
    """The middle of a forecast, in units of the scale, relative to now."""

    line: _Line
    trees: Trees
    habit: float
    """How much of it is the habit of earlier days."""

    @classmethod
    def of(cls, lesson: _Lesson, threads: int) -> _Centre:
        """Learn from outcomes, of which the wildest are cut."""
        tame = np.clip(lesson.labels, *np.quantile(lesson.labels, [0.01, 0.99]))
        line = _Line.through(lesson.seen.clues, tame, lesson.ahead)
        return cls(line, Rows(lesson.seen.rows, tame, threads).grow(CENTRE), lesson.habit)

    def say(self, seen: Ahead) -> Column:
        """The mean of line and trees, drawn to half the habit."""
        learned = 0.5 * self.line.say(seen.clues) + 0.5 * self.trees.say(seen.rows)
        return (1 - self.habit) * learned + self.habit * 0.5 * seen.profile


@dataclass(frozen=True, slots=True)
class _OneTarget:
    """What was learned of one target."""

    centre: _Centre
    tails: tuple[Trees, ...]

    def say(self, seen: Ahead) -> NDArray[np.float64]:
        """The quantiles in units of the scale, relative to now: [origin, level]."""
        centre = self.centre.say(seen)
        rows = np.column_stack([seen.rows, centre])
        return np.column_stack([centre + tail.say(rows) for tail in self.tails])

    def state(self) -> dict[str, object]:
        """As JSON could hold it."""
        return {
            "weights": list(self.centre.line.weights),
            "level": self.centre.line.level,
            "habit": self.centre.habit,
            "centre": self.centre.trees.text,
            "tails": {str(i): tail.text for i, tail in enumerate(self.tails)},
        }

    @classmethod
    def revive(cls, state: Mapping[str, object], seen: Ahead, levels: int) -> _OneTarget:
        """Out of `state`, for what is seen of the target today."""
        line = _Line(tuple(stored.numbers(state, "weights")), stored.number(state, "level"))
        centre = Trees(stored.text(state, "centre"))
        tails = stored.part(state, "tails")
        grown = tuple(Trees(stored.text(tails, str(i))) for i in range(levels))
        columns = [trees.columns for trees in grown]
        width = seen.rows.shape[1]
        if centre.columns != width or columns != [width + 1] * levels:
            raise stored.bad_part("tails", "these trees learned from other columns than are seen")
        if len(line.weights) != len(seen.clues):
            raise stored.bad_part("weights", "this line learned from other clues than are seen")
        return cls(_Centre(line, centre, stored.number(state, "habit")), grown)


@dataclass(frozen=True, slots=True)
class FittedBoosted:
    """What was learned of each target; None where the past held too few of its outcomes."""

    asked: Asked
    units: Units
    rhythm: Rhythm
    models: tuple[_OneTarget | None, ...]

    def quantiles(self, series: Series, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """The quantiles of each target as seen from each origin; see `Fitted`."""
        known = self.asked.known_at(series, origins)
        answer = self.asked.blank(origins)
        if len(origins) == 0:
            return answer
        sight = Sight(known, origins, self.units, self.rhythm)
        now = known.values[origins][:, np.newaxis]
        for j, (target, model) in enumerate(zip(self.asked.targets, self.models, strict=True)):
            if model is not None:
                seen = sight.ahead(target)
                moves = model.say(seen) * (seen.scale * self.units.unit)[:, np.newaxis]
                answer[:, j] = np.sort(now + moves, axis=1)
        return answer

    def state(self) -> Mapping[str, object]:
        """All that was learned; trees as text."""
        models = [{} if model is None else model.state() for model in self.models]
        return {
            **self.asked.state(),
            "kind": "lightgbm",
            "units": self.units.state(),
            "rhythm": self.rhythm.state(),
            "models": models,
            "digest": _digest(models),
        }


@dataclass(frozen=True, slots=True)
class Boosted:
    """Quantiles by boosted trees; `threads` makes it faster and changes nothing else."""

    name: str = "lightgbm"
    threads: int = 1

    def fit(
        self, past: Series, targets: Sequence[Target], levels: Sequence[float]
    ) -> FittedBoosted:
        """Learn each target; refuses where no target has outcomes enough."""
        asked = Asked.of(past, targets, levels)
        units, rhythm = Units.of(past), Rhythm.of(past)
        origins = _learnable(past, rhythm)
        sight = Sight(past, origins, units, rhythm)
        models = tuple(self._learn(past, origins, sight, target, asked) for target in asked.targets)
        if not any(models):
            raise NotForecastable(
                f"series {past.name}: of {len(past)} steps fewer than {FEWEST_OUTCOMES} show how a "
                "forecast turned out; wait for more history"
            )
        return FittedBoosted(asked, units, rhythm, models)

    def revive(self, state: Mapping[str, object]) -> FittedBoosted:
        """What was fitted before."""
        if stored.text(state, "kind") != "lightgbm":
            raise stored.bad_part("kind", "this model was not fitted by lightgbm")
        asked = Asked.revive(state)
        units = Units.revive(stored.part(state, "units"))
        rhythm = Rhythm.revive(stored.part(state, "rhythm"), asked.step_s)
        models = stored.parts(state, "models")
        if len(models) != len(asked.targets) or _digest(models) != stored.text(state, "digest"):
            raise stored.bad_part("models", "these models are not what was stored")
        sight = Sight.of_nothing(units, rhythm)
        learned = (
            _OneTarget.revive(model, sight.ahead(target), len(asked.levels)) if model else None
            for target, model in zip(asked.targets, models, strict=True)
        )
        return FittedBoosted(asked, units, rhythm, tuple(learned))

    def _learn(
        self,
        past: Series,
        origins: NDArray[np.int64],
        sight: Sight,
        target: Target,
        asked: Asked,
    ) -> _OneTarget | None:
        """One target's model: its centre, and tails from errors on what it was not fitted on."""
        seen = sight.ahead(target)
        moved = (outcomes(past, target) - past.values)[origins] / sight.unit
        labels = np.clip(moved, -FARTHEST, FARTHEST) / seen.scale
        known = np.isfinite(labels)
        if known.sum() < FEWEST_OUTCOMES:
            return None
        lesson = _Lesson(origins[known], seen.only(known), labels[known], target.ahead)
        said = self._unprepared(lesson)
        heard = np.isfinite(said)
        if heard.sum() < FEWEST_OUTCOMES // 2:
            return None
        rows = np.column_stack([lesson.seen.rows, said])[heard]
        errors = Rows(rows, (lesson.labels - said)[heard], self.threads)
        tails = tuple(errors.grow(lesson.tail(level, len(rows))) for level in asked.levels)
        return _OneTarget(_Centre.of(lesson, self.threads), tails)

    def _unprepared(self, lesson: _Lesson) -> Column:
        """What a centre says of each stretch that it was not fitted on; nothing where it cannot."""
        said = np.full(len(lesson.labels), np.nan)
        cuts = np.linspace(0, len(said), FOLDS + 1).astype(int)
        for first, stop in pairwise(cuts.tolist()):
            others = lesson.away_from(first, stop)
            if others.sum() >= FEWEST_IN_A_FOLD:
                stretch = slice(first, stop)
                centre = _Centre.of(lesson.only(others), self.threads)
                said[stretch] = centre.say(lesson.seen.only(stretch))
        return said


def _learnable(past: Series, rhythm: Rhythm) -> NDArray[np.int64]:
    """The origins that are learned from: measured, recent, evenly thinned where there are many."""
    count = len(past)
    horizon = max(LEAST_HORIZON, MOST_DAYS * rhythm.day)
    first = max(min(rhythm.day, count // 4), count - horizon)
    every = -(-(count - first) // MOST_ROWS)
    origins = np.arange(first, count, every, dtype=np.int64)
    return origins[past.measured[origins]]


def _digest(models: object) -> str:
    """A short name of stored models, to tell a damaged one before its trees are read."""
    return hashlib.sha256(json.dumps(models, sort_keys=True).encode()).hexdigest()
