"""What a candidate does, case by case: each row is a story, its decision and the reason it gives.

The machine is pure, so a case is a candidate and a time. What many candidates do together is told
in `test_never_two_leaders`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from gpu_fleet.clock import NS_PER_S
from service_runtime.leadership import LeadershipSettings, election
from service_runtime.leadership.election import (
    Acquire,
    Candidate,
    Claim,
    Create,
    Decision,
    Follow,
    LeaseRecord,
    Reign,
    Renew,
    Seen,
    StepDown,
)

SETTINGS = LeadershipSettings()
WALL = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
NOW = "2026-03-01T12:00:00.250000Z"
OLD = "2026-03-01T11:00:00.000000Z"
THEIRS = LeaseRecord("bob", 15, OLD, OLD, 4)
OURS = LeaseRecord("ann", 15, OLD, OLD, 4)
RELEASED = LeaseRecord("", 1, OLD, OLD, 4)
CLAIM = Claim(4, OLD)


def ns(seconds: float) -> int:
    """Whole nanoseconds."""
    return round(seconds * NS_PER_S)


REIGN = Reign(4, "7", ns(10))


@dataclass(frozen=True, slots=True)
class Case:
    """What is known, what time it is, and what shall be done."""

    then: type[Decision]
    because: str
    record: LeaseRecord | None
    at_s: float = 5.0
    claim: Claim | None = None
    reign: Reign | None = None
    highest: int | None = 4
    epoch: int | None = None
    """Of the record that is written."""


CASES = {
    "there never was a Lease": Case(Create, "none was ever seen", None, highest=None, epoch=0),
    "the Lease vanished a moment ago": Case(Follow, "may act for a while", None),
    "the Lease vanished long ago": Case(Create, "nobody made it", None, at_s=15, epoch=5),
    "another leads": Case(Follow, "still counts", THEIRS, at_s=14.9),
    "another's lease is over to the nanosecond": Case(
        Acquire, "bob renewed nothing for 15 s", THEIRS, at_s=15, epoch=5
    ),
    "another was promised longer than we give": Case(
        Follow, "still counts", replace(THEIRS, duration_s=60), at_s=59
    ),
    "another's record does not say for how long": Case(
        Acquire, "for 15 s", replace(THEIRS, duration_s=None), at_s=15, epoch=5
    ),
    "the Lease was released": Case(Acquire, "nobody's", RELEASED, at_s=0, epoch=5),
    "the Lease was released, but a higher epoch was seen": Case(
        Follow, "still counts", RELEASED, highest=9
    ),
    "it expired, and a higher epoch was seen": Case(
        Acquire, "bob renewed", THEIRS, at_s=15, highest=9, epoch=10
    ),
    "our own acquisition, whose answer was lost": Case(
        Acquire, "still our own", OURS, claim=CLAIM, epoch=5
    ),
    "our name on a record that we did not write": Case(Follow, "still counts", OURS),
    "we lead": Case(Renew, "we lead", OURS, claim=CLAIM, reign=REIGN, epoch=4),
    "we lead, until this nanosecond": Case(
        StepDown, "no renewal succeeded for 10 s", OURS, at_s=10, claim=CLAIM, reign=REIGN
    ),
    "another leads while we thought we did": Case(
        StepDown,
        "bob holds the Lease in epoch 5",
        replace(THEIRS, transitions=5),
        claim=CLAIM,
        reign=REIGN,
        highest=5,
    ),
    "somebody gave our Lease away": Case(
        StepDown, "nobody holds the Lease", RELEASED, claim=CLAIM, reign=REIGN
    ),
    "another of our name took the Lease": Case(
        StepDown, "ann holds the Lease", replace(OURS, acquired=NOW), claim=CLAIM, reign=REIGN
    ),
    "the Lease vanished while we lead": Case(
        Create, "while we lead", None, claim=CLAIM, reign=REIGN, epoch=4
    ),
    "an object carries a higher epoch than ours": Case(
        StepDown, "epoch 9 was seen, above ours (4)", OURS, claim=CLAIM, reign=REIGN, highest=9
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_candidate_decides(case: Case) -> None:
    """Each decision has its kind, its reason and, where it writes, its epoch."""
    seen = Seen(case.record, "7" if case.record else "", since_ns=0)
    candidate = Candidate("ann", seen, case.claim, case.reign, case.highest)
    decision = election.decide(candidate, SETTINGS, ns(case.at_s), WALL)

    assert case.then is type(decision)
    assert case.because in decision.reason
    if isinstance(decision, Create | Acquire | Renew):
        assert case.epoch == decision.record.transitions
        assert (
            decision.record.holder,
            decision.record.duration_s,
            decision.record.renewed,
        ) == ("ann", 15, NOW)


def test_nothing_is_decided_before_the_first_look() -> None:
    """A candidate that has not seen the Lease follows, whoever it may be."""
    decision = election.decide(Candidate("ann"), SETTINGS, 0, WALL)

    assert Follow("", 0, "the Lease has not been looked at yet") == decision


def test_a_renewal_keeps_when_the_reign_was_acquired_and_changes_its_time() -> None:
    """With a wall clock that shows the old time again, the renewal is written a microsecond on."""
    stood = replace(OURS, renewed=NOW)
    candidate = Candidate("ann", Seen(stood, "7", 0), CLAIM, REIGN, 4)
    decision = election.decide(candidate, SETTINGS, ns(5), WALL)

    assert isinstance(decision, Renew)
    assert decision.record.acquired == OLD
    assert decision.record.renewed == "2026-03-01T12:00:00.250001Z"


def test_a_reign_is_counted_from_when_its_renewal_was_begun() -> None:
    """An answer that took four seconds leaves six of the ten."""
    candidate = Candidate("ann", Seen(OURS, "7", 0), CLAIM, REIGN, 4)
    decision = election.decide(candidate, SETTINGS, ns(5), WALL)
    assert isinstance(decision, Renew)
    after = election.acknowledged(candidate, decision, "8", SETTINGS, ns(9))

    assert Reign(4, "7", ns(15)) == after.reign


def test_a_reign_that_is_over_is_not_raised_by_a_late_answer() -> None:
    """The renewal was stored in time and acknowledged too late: a new reign needs a new epoch."""
    candidate = Candidate("ann", Seen(OURS, "7", 0), CLAIM, REIGN, 4)
    decision = election.decide(candidate, SETTINGS, ns(5), WALL)
    assert isinstance(decision, Renew)
    after = election.acknowledged(candidate, decision, "8", SETTINGS, ns(11))
    again = election.decide(after, SETTINGS, ns(11), WALL)

    assert after.reign is None
    assert isinstance(again, Acquire)
    assert again.record.transitions == 5


def test_the_same_version_was_there_all_the_while() -> None:
    """Seen again unchanged, a record goes on ageing; with a new version it is new."""
    first = election.saw(Candidate("ann"), THEIRS, "7", ns(1))
    same = election.saw(first, THEIRS, "7", ns(9))
    fresh = election.saw(first, THEIRS, "8", ns(9))

    assert first == same
    assert Seen(THEIRS, "8", ns(9)) == fresh.seen


@pytest.mark.parametrize(
    ("record", "given"),
    [(OURS, True), (THEIRS, False), (replace(OURS, acquired=NOW), False), (None, False)],
    ids=["ours", "another's", "of another with our name", "none"],
)
def test_only_our_own_lease_is_released(record: LeaseRecord | None, *, given: bool) -> None:
    """The record says nobody, one second and the transitions as they were, as client-go's does."""
    candidate = Candidate("ann", Seen(record, "7", 0), CLAIM, REIGN, 4)
    found = election.release(candidate, WALL)

    assert given == (found is not None)
    if found is not None:
        assert LeaseRecord("", 1, NOW, NOW, 4) == found.record
