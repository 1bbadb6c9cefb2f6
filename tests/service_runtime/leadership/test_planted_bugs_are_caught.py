"""The checker bites: each mistake an elector can make is planted, and contradicts its story.

Every story is told twice, to the elector that ships, which comes through, and to one with the bug,
which must not; so a story shows that its bug matters, and that the checker sees it. The bugs are
those that shipped somewhere: wall clocks compared, a name taken for a proof, a release that is not
checked. Nothing here may reach into the checker.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.clock import seconds_to_ns
from service_runtime.leadership import Elector, election
from tests.service_runtime.leadership.world import Fault, Plan, World, contradictions

if TYPE_CHECKING:
    from collections.abc import Callable

    from service_runtime.leadership import LeadershipSettings
    from service_runtime.leadership.lease import Lease

_RUN_S = 90.0


@dataclass(frozen=True, slots=True)
class Story:
    """What happens, and how many seeds of delays it is told with."""

    plans: tuple[Plan, ...]
    worst_delay_s: float = 0.0
    seeds: int = 1
    deleted_s: float | None = None

    def contradictions(self, elector: type[Elector] = Elector) -> list[str]:
        """What the checker finds, over all seeds."""
        return [text for seed in range(self.seeds) for text in self._told(seed, elector)]

    def _told(self, seed: int, elector: type[Elector]) -> list[str]:
        world = World(
            self.plans,
            seed=seed,
            worst_delay_s=self.worst_delay_s,
            faults_end_s=_RUN_S,
            elector=elector,
        )
        deletion = [] if self.deleted_s is None else [(self.deleted_s, world.store.delete)]
        return contradictions(world.run(_RUN_S, *deletion))


class Overwriting(Elector):
    """Takes the version to write over from a look just before, instead of from what it judged."""

    async def _store(self, decision: election.Write | election.Release) -> Lease:
        if not isinstance(decision, election.Create):
            await self._look()
        return await super()._store(decision)


def _compares_wall_clocks(patch: pytest.MonkeyPatch) -> None:
    right = election.decide

    def decide(
        candidate: election.Candidate, settings: LeadershipSettings, now_ns: int, wall: datetime
    ) -> election.Decision:
        seen = candidate.seen
        if candidate.reign is None and seen is not None and seen.record is not None:
            age_s = (wall - datetime.fromisoformat(seen.record.renewed)).total_seconds()
            since_ns = now_ns - seconds_to_ns(age_s)
            candidate = replace(candidate, seen=replace(seen, since_ns=since_ns))
        return right(candidate, settings, now_ns, wall)

    patch.setattr(election, "decide", decide)


def _counts_from_the_answer(patch: pytest.MonkeyPatch) -> None:
    right = election.acknowledged

    def acknowledged(
        candidate: election.Candidate,
        decision: election.Write,
        version: str,
        settings: LeadershipSettings,
        now_ns: int,
    ) -> election.Candidate:
        late = replace(decision, at_ns=now_ns)
        return right(candidate, late, version, settings, now_ns)

    patch.setattr(election, "acknowledged", acknowledged)


def _keeps_the_epoch(patch: pytest.MonkeyPatch) -> None:
    right = election.decide

    def decide(
        candidate: election.Candidate, settings: LeadershipSettings, now_ns: int, wall: datetime
    ) -> election.Decision:
        decision = right(candidate, settings, now_ns, wall)
        if not isinstance(decision, election.Acquire):
            return decision
        record = decision.record
        return replace(decision, record=replace(record, transitions=record.transitions - 1))

    patch.setattr(election, "decide", decide)


def _forgets_the_deadline(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(election.Reign, "lasts", lambda _reign, _now_ns: True)
    patch.setattr(Elector, "_left_s", lambda _elector, _reign: 10.0)


def _renews_without_a_change(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(election, "_stamp", lambda wall, _over: election._micro_time(wall))


def _trusts_a_name(patch: pytest.MonkeyPatch) -> None:
    def is_ours(candidate: election.Candidate, record: election.LeaseRecord) -> bool:
        return record.holder == candidate.identity

    patch.setattr(election, "_is_ours", is_ours)


def _releases_what_another_holds(patch: pytest.MonkeyPatch) -> None:
    def release(candidate: election.Candidate, wall: datetime) -> election.Release | None:
        seen = candidate.seen
        if seen is None or seen.record is None:
            return None
        now = election._micro_time(wall)
        given = election.LeaseRecord("", 1, now, now, seen.record.transitions)
        return election.Release(given, seen.version)

    patch.setattr(election, "release", release)


def _counts_from_the_first_look_ever(patch: pytest.MonkeyPatch) -> None:
    right = election.saw

    def saw(
        candidate: election.Candidate,
        record: election.LeaseRecord | None,
        version: str,
        now_ns: int,
    ) -> election.Candidate:
        known = right(candidate, record, version, now_ns)
        if candidate.seen is None or known.seen is None:
            return known
        return replace(known, seen=replace(known.seen, since_ns=candidate.seen.since_ns))

    patch.setattr(election, "saw", saw)


def _fills_a_gap_at_once(patch: pytest.MonkeyPatch) -> None:
    right = election.decide

    def decide(
        candidate: election.Candidate, settings: LeadershipSettings, now_ns: int, wall: datetime
    ) -> election.Decision:
        seen = candidate.seen
        if seen is not None and seen.record is None:
            candidate = replace(candidate, seen=replace(seen, since_ns=-(10**12)))
        return right(candidate, settings, now_ns, wall)

    patch.setattr(election, "decide", decide)


def _acts_without_asking(patch: pytest.MonkeyPatch) -> None:
    def reign(elector: Elector) -> election.Reign | None:
        return elector._candidate.reign

    patch.setattr(Elector, "reign", reign)


CUT_OFF = (Plan("ann", outages=(Fault(20, 60),)), Plan("bob", starts_s=1))
PAUSED = (Plan("ann", pauses=(Fault(20, 30),)), Plan("bob", starts_s=1))

CASES: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], Story]] = {
    "wall clocks are compared, and one is a minute ahead": (
        _compares_wall_clocks,
        Story((Plan("ann"), Plan("bob", starts_s=1, wall_steps=((0, 60),)))),
    ),
    "a reign is counted from the answer, which may be seconds after the write": (
        _counts_from_the_answer,
        Story(
            (
                Plan("ann", rate=0.82, slow_answers=(Fault(10, 20),), outages=(Fault(30, 60),)),
                Plan("bob", starts_s=1, rate=1.18),
            ),
            seeds=6,
        ),
    ),
    "an acquisition keeps the epoch of the one before": (
        _keeps_the_epoch,
        Story((Plan("ann", leaves_s=20), Plan("bob", starts_s=1))),
    ),
    "a leader that is cut off never stops": (_forgets_the_deadline, Story(CUT_OFF)),
    "a leader on waking acts before it asks": (_acts_without_asking, Story(PAUSED)),
    "a renewal with a standing wall clock changes nothing, so nobody sees it": (
        _renews_without_a_change,
        Story((Plan("ann", wall_rate=0), Plan("bob", starts_s=1))),
    ),
    "a name is taken for a proof, and two were given the same": (
        _trusts_a_name,
        Story((Plan("ann", identity="one"), Plan("bob", identity="one", starts_s=1))),
    ),
    "a release is written over whoever leads by now": (
        _releases_what_another_holds,
        Story(
            (
                Plan("ann", outages=(Fault(20, 30),), leaves_s=60),
                Plan("bob", starts_s=1),
                Plan("cem", starts_s=2),
            )
        ),
    ),
    "a lease is counted from when it was first looked at, not from its last change": (
        _counts_from_the_first_look_ever,
        Story((Plan("ann"), Plan("bob", starts_s=1))),
    ),
    "a lease that vanished is made again at once, while its leader still acts": (
        _fills_a_gap_at_once,
        Story(CUT_OFF, deleted_s=20),
    ),
}


@pytest.mark.parametrize(("plant", "story"), CASES.values(), ids=CASES.keys())
def test_a_planted_bug_contradicts_its_story(
    monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], story: Story
) -> None:
    """The elector that ships comes through the story, the one with the bug is found out."""
    sound = story.contradictions()
    plant(monkeypatch)
    buggy = story.contradictions()

    assert sound == []
    assert buggy != []


def test_writing_over_a_version_that_was_not_judged_is_caught() -> None:
    """Two followers that both find the Lease free, and overwrite each other, are found out."""
    story = Story(
        (Plan("ann", leaves_s=20), Plan("bob", starts_s=1), Plan("cem", starts_s=1)),
        worst_delay_s=3,
        seeds=20,
    )

    assert story.contradictions() == []
    assert story.contradictions(Overwriting) != []


def test_a_server_that_compares_no_versions_is_caught() -> None:
    """The promise rests on compare and swap: without it, the same stories have two leaders."""
    found: list[str] = []
    for seed in range(20):
        plans = (Plan("ann", leaves_s=20), Plan("bob", starts_s=1), Plan("cem", starts_s=1))
        world = World(plans, seed=seed, worst_delay_s=3, faults_end_s=_RUN_S)
        world.store.checks_versions = False
        found += contradictions(world.run(_RUN_S))

    assert found != []


def test_a_clock_that_stands_still_in_a_suspend_is_caught() -> None:
    """With CLOCK_MONOTONIC, a leader that wakes from a suspend believes to lead beside another."""
    asleep = replace(PAUSED[0], clock_stops=True)

    assert Story(PAUSED).contradictions() == []
    assert Story((asleep, PAUSED[1])).contradictions() != []
