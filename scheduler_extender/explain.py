"""The record of a decision: why this node, why not the others, and what was known then.

It is what `synthscale explain pod` prints, what `GET /explain` returns and what a refused pod's
event says in one line. Records are few (the latest of each pod, up to a bound) and complete enough
to be read after the process is gone. This module must not decide, and must not keep the view alive.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gpu_fleet.words import counted

if TYPE_CHECKING:
    from gpu_fleet.refusals import Refusal
    from gpu_fleet.scores import Score
    from scheduler_extender.regret import Regret

__all__ = ["DecisionRecord", "RecordStore"]

_NS_PER_S = 1_000_000_000
_LONGEST_LINE = 1_000
"""An event's note is cut at 1,024 characters."""


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One pod, asked about once."""

    pod: str
    uid: str
    entry: str
    at_ns: int
    """On the process's own clock."""
    shape: str
    policy: str
    mix: str
    """Which pod mix the policy had learned."""
    view_version: int
    view_age_ns: int | None
    asked: int
    """How many nodes the scheduler named."""
    kept: int
    why_not: tuple[tuple[Refusal, int], ...] = ()
    """How many nodes were refused for each reason, the most frequent first."""
    best: tuple[Score, ...] = ()
    """The winner and those that came next, taken apart."""
    devices: tuple[int, ...] = ()
    """The devices that the winner is expected to give."""
    stale: bool = False
    passed: str = ""
    problem: str = ""
    """What is wrong with the pod, in more words than a refusal may have."""
    times: int = 1
    """How often in a row this was the answer."""
    regrets: tuple[Regret, ...] = ()

    @property
    def winner(self) -> str | None:
        """The node that was named best."""
        return self.best[0].node if self.best else None

    @property
    def refused(self) -> bool:
        """No node was left."""
        return self.kept == 0

    def line(self) -> str:
        """The decision in one line; for a refusal the same words each time, for events."""
        return self._told()[:_LONGEST_LINE]

    def _told(self) -> str:
        if self.passed:
            return f"passed through: {self.passed}"
        if self.refused:
            reasons = ", ".join(f"{many} {why.phrase}" for why, many in self.why_not)
            problem = f" ({self.problem})" if self.problem else ""
            return f"0 of {counted(self.asked, 'node')} can take it: {reasons}{problem}"
        kept = f"{self.kept} of {counted(self.asked, 'node')} can take it"
        if not self.best:
            return kept
        where = f" GPU {', '.join(map(str, self.devices))} of" if self.devices else ""
        age = " by a stale view" if self.stale else ""
        return f"{kept}; best{age} is{where} {self.best[0]}"

    def is_like(self, other: DecisionRecord) -> bool:
        """Whether the answer is the same, whenever it was given."""
        return (
            (self.refused and other.refused)
            and self.why_not == other.why_not
            and (self.entry, self.shape, self.stale) == (other.entry, other.shape, other.stale)
        )


class RecordStore:
    """The latest record of each pod, the most recent `most` pods."""

    __slots__ = ("_by_name", "_most", "_records")

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._records: OrderedDict[str, DecisionRecord] = OrderedDict()
        self._by_name: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._records)

    def keep(self, record: DecisionRecord) -> DecisionRecord:
        """Keep a record and return it, counted on where the answer is the one before again."""
        before = self._records.pop(record.uid, None)
        if before is not None and record.is_like(before):
            record = replace(record, times=before.times + 1)
        self._records[record.uid] = record
        self._by_name[record.pod] = record.uid
        while len(self._records) > self._most:
            uid, old = self._records.popitem(last=False)
            if self._by_name.get(old.pod) == uid:
                del self._by_name[old.pod]
        return record

    def of(self, uid: str) -> DecisionRecord | None:
        """The record of a pod by its uid."""
        return self._records.get(uid)

    def named(self, pod: str) -> DecisionRecord | None:
        """The record of the pod that last had this `namespace/name`."""
        return self._records.get(self._by_name.get(pod, ""))
