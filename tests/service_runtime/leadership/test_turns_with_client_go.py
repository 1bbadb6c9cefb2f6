"""Our elector and client-go's take turns on one Lease of a real API server, in both directions.

Both are processes, ended by SIGTERM (they release) or SIGKILL (they do not). What is compared is
their own event streams and the Lease as the API server shows it. Nothing here is simulated.
"""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest

from service_runtime.leadership import LeadershipSettings
from service_runtime.leadership.settings import JITTER_FACTOR
from tests.figures import record
from tests.service_runtime.leadership.turns import (
    LEASE_DURATION_S,
    RETRY_PERIOD_S,
    Turns,
)
from tests.service_runtime.leadership.world import Fault, Plan, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.cluster.control_plane import ControlPlane
    from tests.service_runtime.leadership.turns import Peer

MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
LONGEST_LOOK_S = (1 + JITTER_FACTOR) * RETRY_PERIOD_S
BUSY_S = 5.0
"""What a busy machine may add before a process is scheduled and an answer is there."""


@pytest.fixture
def turns(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[Turns]:
    """Electors on a Lease of this test's own."""
    made = Turns(control_plane, namespace, tmp_path)
    try:
        yield made
    finally:
        made.close()


def hand_over(
    turns: Turns, leader: Peer, heir: Peer, how: signal.Signals
) -> tuple[dict[str, object], float]:
    """The Lease's spec in the heir's reign, and how long nobody led."""
    turns.follows(heir, leader)
    turns.end(leader, how)
    spec = turns.leads(heir)
    return spec, turns.takeover_s(leader, heir)


def test_both_kinds_take_turns_on_one_lease(turns: Turns) -> None:
    """Released or left to expire, the Lease goes from one kind to the other and never to two."""
    first = turns.client_go("go-1")
    turns.leads(first)
    second = turns.ours("py-1")
    spec, released_s = hand_over(turns, first, second, signal.SIGTERM)
    third = turns.client_go("go-2")
    _, expired_s = hand_over(turns, second, third, signal.SIGKILL)
    fourth = turns.ours("py-2")
    _, expired_again_s = hand_over(turns, third, fourth, signal.SIGKILL)
    fifth = turns.client_go("go-3")
    turns.follows(fifth, fourth)
    _, released_again_s = hand_over(turns, fourth, fifth, signal.SIGTERM)

    assert spec["holderIdentity"] == "py-1"
    assert spec["leaseDurationSeconds"] == LEASE_DURATION_S
    assert MICRO_TIME.fullmatch(str(spec["acquireTime"]))
    assert MICRO_TIME.fullmatch(str(spec["renewTime"]))
    assert turns.overlaps() == []
    assert sorted(set(turns.transitions)) == turns.transitions
    assert max(released_s, released_again_s) < LONGEST_LOOK_S + BUSY_S
    assert max(expired_s, expired_again_s) < LEASE_DURATION_S + LONGEST_LOOK_S + BUSY_S


def test_a_frozen_leader_finds_its_reign_over_on_waking(turns: Turns) -> None:
    """Stopped for longer than a lease, ours wakes beside a client-go leader and steps aside."""
    frozen = turns.ours("py-1")
    turns.leads(frozen)
    heir = turns.client_go("go-1")
    turns.follows(heir, frozen)
    frozen.process.send_signal(signal.SIGSTOP)
    turns.leads(heir)
    frozen.process.send_signal(signal.SIGCONT)
    turns.follows(frozen, heir)

    assert len(frozen.lines("stopped leading")) == 1
    assert frozen.lines("leadership_lost")
    assert turns.spec()["holderIdentity"] == "go-1"


def spread(
    case: str, where: str, settings: LeadershipSettings, gaps_s: Sequence[float]
) -> dict[str, object]:
    """One row of the figure: how long nobody led."""
    ordered = sorted(gaps_s)
    return {
        "case": case,
        "where": where,
        "lease_duration_s": settings.lease_duration_s,
        "renew_deadline_s": settings.renew_deadline_s,
        "retry_period_s": settings.retry_period_s,
        "count": len(ordered),
        "median_s": round(ordered[len(ordered) // 2], 2),
        "p99_s": round(ordered[len(ordered) * 99 // 100], 2),
        "max_s": round(ordered[-1], 2),
    }


def simulated_gaps_s(end: Callable[[str, float], Plan], count: int) -> list[float]:
    """From the leader's end to the heir's first epoch, over phases of the leader's renewals."""
    gaps_s = []
    for seed in range(count):
        ends_s = 30 + 4 * seed / count
        plans = [end("ann", ends_s), Plan("bob", starts_s=1), Plan("cem", starts_s=2)]
        began = World(plans, seed=seed).run(70).began
        gaps_s.append(began[1].at_s - ends_s)
    return gaps_s


@pytest.mark.prove
def test_takeover_times_are_recorded(turns: Turns) -> None:
    """A crash costs a lease and a look, a release one look: simulated by default, and real."""
    ends: dict[str, Callable[[str, float], Plan]] = {
        "crash": lambda name, at_s: Plan(name, killed_s=at_s),
        "release": lambda name, at_s: Plan(name, leaves_s=at_s),
        "cut off": lambda name, at_s: Plan(name, outages=(Fault(at_s, 60),)),
    }
    default = LeadershipSettings()
    rows = [
        spread(case, "simulated, 3 of ours", default, simulated_gaps_s(end, 300))
        for case, end in ends.items()
    ]
    short = LeadershipSettings(
        lease_duration_s=LEASE_DURATION_S,
        renew_deadline_s=3.0,
        retry_period_s=RETRY_PERIOD_S,
        request_timeout_s=1.5,
    )
    for case, how in (("crash", signal.SIGKILL), ("release", signal.SIGTERM)):
        gaps_s = []
        leader = turns.ours(f"{case}-0")
        turns.leads(leader)
        for number in range(1, 7):
            start = turns.client_go if number % 2 else turns.ours
            heir = start(f"{case}-{number}")
            _, gap_s = hand_over(turns, leader, heir, how)
            gaps_s.append(gap_s)
            leader = heir
        turns.end(leader, signal.SIGTERM)
        rows.append(spread(case, "real API server, ours and client-go's in turn", short, gaps_s))
    record("leadership_takeover", rows)

    assert turns.overlaps() == []
