"""Series out of Prometheus: one query over a range, asked in parts that a server answers.

Each series of the answer is one of its own, named by its labels; a step without an answer is an
absent value. This module must not fill, sum or judge: PromQL sums, and repairs are made elsewhere.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.history.samples import Samples
from autoscaler.history.steps import MOST_STEPS
from autoscaler.sources.columns import printable
from autoscaler.sources.prometheus_api import PrometheusApi, query_words
from gpu_fleet.clock import NS_PER_S
from gpu_fleet.errors import InputError
from gpu_fleet.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from autoscaler.sources.prometheus_api import Answer, PrometheusServer

__all__ = ["STEPS_A_REQUEST", "PrometheusRange"]

STEPS_A_REQUEST = 10_000
"""Prometheus refuses more than 11,000 points of a series in one answer."""
MOST_SERIES = 1_000
"""More than these show a query that has lost its sum."""

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class PrometheusRange:
    """A query over a range as a source of history."""

    server: PrometheusServer
    query: str
    start_s: int
    end_s: int
    """The last moment, included where a step falls on it."""
    step_s: int
    name: str = ""
    """What to call the answer where it is one series; empty takes its labels, or the query."""
    unit: str = ""

    def __post_init__(self) -> None:
        if self.step_s < 1:
            raise self._complaint(f"a step of {self.step_s} s", "give 1 s or more")
        if self.end_s < self.start_s:
            raise self._complaint("the range ends before it begins", "swap its ends")
        if len(self._moments_s) > MOST_STEPS:
            problem = f"{len(self._moments_s):,} steps in the range"
            raise self._complaint(problem, f"ask for {MOST_STEPS:,} or fewer")

    def read(self) -> tuple[Samples, ...]:
        """All series of the answer that hold a number, by name."""
        found: dict[str, NDArray[np.float64]] = {}
        with closing(PrometheusApi(self.server)) as api:
            for part in self._parts():
                for answer in api.query_range(self.query, part[0], part[-1], self.step_s):
                    name = _series_name(answer.labels)
                    if name not in found:
                        self._refuse_many(len(found) + 1)
                        found[name] = np.full(len(self._moments_s), np.nan)
                    self._note(found[name], answer)
        return self._samples(found)

    @property
    def _moments_s(self) -> range:
        """Multiples of the step, so that asking again later meets the same moments."""
        first = -(-self.start_s // self.step_s) * self.step_s
        return range(first, self.end_s + 1, self.step_s)

    def _parts(self) -> Iterator[range]:
        moments = self._moments_s
        for begin in range(0, len(moments), STEPS_A_REQUEST):
            yield moments[begin : begin + STEPS_A_REQUEST]

    def _note(self, values: NDArray[np.float64], answer: Answer) -> None:
        """Put the points of one part in their steps."""
        if not answer.points:
            return
        at_s, numbers = np.array(answer.points, dtype=np.float64).T
        steps = np.rint((at_s - self._moments_s[0]) / self.step_s).astype(np.int64)
        values[steps] = np.where(np.isfinite(numbers), numbers, np.nan)

    def _samples(self, found: Mapping[str, NDArray[np.float64]]) -> tuple[Samples, ...]:
        """Each series from its first number to the end of the range."""
        if not found:
            raise self._complaint(
                "answers no series in that range", "check the metric, its labels and the range"
            )
        known = {name: values for name, values in found.items() if np.isfinite(values).any()}
        if not known:
            raise self._complaint(
                "answers no number in that range, only NaN", "check what the query divides by"
            )
        empty = len(found) - len(known)
        notes = (f"{counted(empty, 'series', 'series')} without a number left out",) * bool(empty)
        return tuple(self._one(name, known[name], len(known), notes) for name in sorted(known))

    def _one(
        self, name: str, values: NDArray[np.float64], siblings: int, notes: tuple[str, ...]
    ) -> Samples:
        first = int(np.flatnonzero(np.isfinite(values))[0])
        moments_s = np.asarray(self._moments_s[first:], dtype=np.int64)
        named = self.name if siblings == 1 else ""
        return Samples(
            name=named or name or query_words(self.query),
            times_ns=moments_s * NS_PER_S,
            values=values[first:],
            unit=self.unit,
            source=f"{self.server.address}: {query_words(self.query)}",
            column=name,
            notes=notes,
        )

    def _refuse_many(self, count: int) -> None:
        if count > MOST_SERIES:
            raise self._complaint(
                f"answers more than {MOST_SERIES:,} series", "sum them, as in sum(...) or sum by"
            )

    def _complaint(self, problem: str, remedy: str) -> InputError:
        return InputError(
            problem, remedy=remedy, file=self.server.address, field=query_words(self.query)
        )


def _series_name(labels: Mapping[str, str]) -> str:
    """Labels as PromQL writes them, in one order."""
    pairs = (
        f'{name}="{value.translate(_ESCAPES)}"'
        for name, value in sorted(labels.items())
        if name != "__name__"
    )
    inside = ",".join(pairs)
    return printable(labels.get("__name__", "") + (f"{{{inside}}}" if inside else ""))
