"""Who may lead: everything an elector decides, as functions of what it has seen and of its clock.

The rules are those of client-go's `leaderelection`, so that both kinds share one Lease, with three
differences that fencing asks for. Every acquisition raises `leaseTransitions`, also over a record
of our own that we no longer lead under (client-go keeps the number then), so an epoch names one
reign. A record is known for ours by what we wrote, not by the name on it, so two processes with
one identity never lead together. And a Lease that vanishes is waited for like one that is held,
unless none was ever seen.

What follows, as long as nobody else edits or deletes the Lease: epochs strictly grow from reign to
reign, and no two electors lead at one instant while their clocks' rates stay within
`LeadershipSettings.drift_bound`. A deletion lets `leaseTransitions` start over. An elector that
has seen a higher epoch, in the Lease or in an object that carries one (`learnt`), goes on above
it; a fresh process that has seen neither starts at 0, and then what it writes is refused by
objects of a higher epoch until it has learnt theirs. That is the limit of a fence kept in one
object, and it fails closed.

Nothing here may read a clock, compare a wall time or send anything: times come in as readings of
one clock that never stops (`Timing.now_ns`), and a Lease's own times are only written, and noticed
to have changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from gpu_fleet.clock import seconds_to_ns

if TYPE_CHECKING:
    from service_runtime.leadership.settings import LeadershipSettings

__all__ = [
    "HIGHEST_EPOCH",
    "Acquire",
    "Candidate",
    "Claim",
    "Create",
    "Decision",
    "Follow",
    "LeaseRecord",
    "Reign",
    "Release",
    "Renew",
    "Seen",
    "StepDown",
    "Write",
    "acknowledged",
    "decide",
    "learnt",
    "release",
    "saw",
    "sent",
    "stepped_down",
]

HIGHEST_EPOCH: Final = 2**31 - 2
"""`leaseTransitions` is an int32, and there must be room for one more."""


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """What a Lease's spec says of who leads; times as written, for they are never compared."""

    holder: str
    """Empty when it was released."""
    duration_s: int | None
    acquired: str
    renewed: str
    transitions: int


@dataclass(frozen=True, slots=True)
class Seen:
    """The Lease as it was last seen, and since when it has been just so by our clock."""

    record: LeaseRecord | None
    """None: there is no such Lease."""
    version: str
    since_ns: int


@dataclass(frozen=True, slots=True)
class Claim:
    """An acquisition we asked for, whether or not we heard what became of it."""

    epoch: int
    acquired: str
    """Stays in the record through all renewals, and tells it from another's with our name."""


@dataclass(frozen=True, slots=True)
class Reign:
    """Leadership: the epoch that every write carries, and until when it may be acted on."""

    epoch: int
    resource_version: str
    """Of the Lease when the reign began."""
    deadline_ns: int

    def lasts(self, now_ns: int) -> bool:
        """Whether it may still be acted on."""
        return now_ns < self.deadline_ns


@dataclass(frozen=True, slots=True)
class Candidate:
    """One elector: what it knows and what it holds."""

    identity: str
    seen: Seen | None = None
    claim: Claim | None = None
    reign: Reign | None = None
    highest_epoch: int | None = None
    """Of any Lease record or object it ever saw; None: it knows of no reign at all."""


@dataclass(frozen=True, slots=True)
class Create:
    """Make the Lease that is not there."""

    record: LeaseRecord
    at_ns: int
    reason: str


@dataclass(frozen=True, slots=True)
class Acquire:
    """Write ourselves over exactly the version that was seen."""

    record: LeaseRecord
    version: str
    at_ns: int
    reason: str


@dataclass(frozen=True, slots=True)
class Renew:
    """Give our word again, over exactly the version that we know."""

    record: LeaseRecord
    version: str
    at_ns: int
    reason: str = "we lead"


@dataclass(frozen=True, slots=True)
class Follow:
    """Somebody else may be leading; nothing can be taken before `until_ns`."""

    leader: str
    """Empty where it is not known."""
    until_ns: int
    reason: str


@dataclass(frozen=True, slots=True)
class StepDown:
    """Our reign is over."""

    reason: str


@dataclass(frozen=True, slots=True)
class Release:
    """Give the Lease away, so that the next one need not wait."""

    record: LeaseRecord
    version: str
    reason: str = "we leave"


Write: TypeAlias = Create | Acquire | Renew
Decision: TypeAlias = Create | Acquire | Renew | Follow | StepDown


def saw(candidate: Candidate, record: LeaseRecord | None, version: str, now_ns: int) -> Candidate:
    """The candidate after a look at the Lease; the same version was there all the while.

    The version decides, not the record: a leader whose wall clock stands still renews all the same.
    """
    if candidate.seen is not None and candidate.seen.version == version:
        return candidate
    known = replace(candidate, seen=Seen(record, version, now_ns))
    return known if record is None else learnt(known, record.transitions)


def learnt(candidate: Candidate, epoch: int) -> Candidate:
    """The candidate after it met an epoch, wherever it stood; it will never lead in or below it."""
    highest = epoch if candidate.highest_epoch is None else max(candidate.highest_epoch, epoch)
    return replace(candidate, highest_epoch=highest)


def decide(
    candidate: Candidate, settings: LeadershipSettings, now_ns: int, wall: datetime
) -> Decision:
    """What to do now; `wall` is written into the record and used for nothing else."""
    if candidate.seen is None:
        return Follow("", now_ns, "the Lease has not been looked at yet")
    if candidate.reign is not None:
        return _lead(candidate, candidate.reign, candidate.seen, settings, now_ns, wall)
    return _stand(candidate, candidate.seen, settings, now_ns, wall)


def sent(candidate: Candidate, decision: Write) -> Candidate:
    """The candidate once the write is on its way: if the answer is lost, the claim remains."""
    if isinstance(decision, Renew):
        return candidate
    claim = Claim(decision.record.transitions, decision.record.acquired)
    return replace(candidate, claim=claim)


def acknowledged(
    candidate: Candidate,
    decision: Write,
    version: str,
    settings: LeadershipSettings,
    now_ns: int,
) -> Candidate:
    """The candidate once the API server has said yes.

    The reign lasts from when the request was begun, not from when the answer came: the server may
    have stored it at any time between. A reign that has ended meanwhile stays ended.
    """
    known = saw(candidate, decision.record, version, now_ns)
    deadline_ns = decision.at_ns + seconds_to_ns(settings.renew_deadline_s)
    old = candidate.reign
    if now_ns >= deadline_ns or (old is not None and not old.lasts(now_ns)):
        return stepped_down(known)
    if old is None:
        return replace(known, reign=Reign(decision.record.transitions, version, deadline_ns))
    return replace(known, reign=replace(old, deadline_ns=deadline_ns))


def stepped_down(candidate: Candidate) -> Candidate:
    """The candidate without a reign; the claim stays, so that the record is known for ours."""
    return replace(candidate, reign=None)


def release(candidate: Candidate, wall: datetime) -> Release | None:
    """What to write on leaving; None when the Lease, as last seen, is not ours to give away.

    The record is client-go's: no holder, one second, the transitions as they were.
    """
    seen = candidate.seen
    if seen is None or seen.record is None or not _is_ours(candidate, seen.record):
        return None
    now = _stamp(wall, seen.record)
    given = LeaseRecord("", 1, now, now, seen.record.transitions)
    return Release(given, seen.version)


def _lead(
    candidate: Candidate,
    reign: Reign,
    seen: Seen,
    settings: LeadershipSettings,
    now_ns: int,
    wall: datetime,
) -> Decision:
    if not reign.lasts(now_ns):
        return StepDown(f"no renewal succeeded for {settings.renew_deadline_s:g} s")
    if seen.record is not None and not _is_ours(candidate, seen.record):
        holder = seen.record.holder or "nobody"
        return StepDown(f"{holder} holds the Lease in epoch {seen.record.transitions}")
    if candidate.highest_epoch is not None and candidate.highest_epoch > reign.epoch:
        return StepDown(f"epoch {candidate.highest_epoch} was seen, above ours ({reign.epoch})")
    acquired = candidate.claim.acquired if candidate.claim is not None else ""
    record = _record(candidate, seen, settings, wall, reign.epoch, acquired)
    if seen.record is None:
        return Create(record, now_ns, "the Lease vanished while we lead")
    return Renew(record, seen.version, now_ns)


def _stand(
    candidate: Candidate, seen: Seen, settings: LeadershipSettings, now_ns: int, wall: datetime
) -> Decision:
    epoch = 0 if candidate.highest_epoch is None else candidate.highest_epoch + 1
    wanted = _record(candidate, seen, settings, wall, epoch, "")
    duration_s = _duration_s(seen.record, settings)
    until_ns = seen.since_ns + seconds_to_ns(duration_s)
    if seen.record is None:
        if candidate.highest_epoch is None:
            return Create(wanted, now_ns, "there is no Lease, and none was ever seen")
        if now_ns < until_ns:
            return Follow("", until_ns, "the Lease vanished; whoever held it may act for a while")
        return Create(wanted, now_ns, "the Lease vanished, and nobody made it again")
    if _is_free(candidate, seen.record):
        return Acquire(wanted, seen.version, now_ns, "the Lease is nobody's, or still our own")
    holder = seen.record.holder or "nobody"
    if now_ns < until_ns:
        return Follow(seen.record.holder, until_ns, "the last word in the Lease still counts")
    return Acquire(wanted, seen.version, now_ns, f"{holder} renewed nothing for {duration_s} s")


def _is_free(candidate: Candidate, record: LeaseRecord) -> bool:
    """Released, or left over from a reign of ours, which can only go on as a new one.

    Not when a higher epoch is known: then the Lease was deleted meanwhile, nothing in it speaks for
    the leader of that epoch, and it may still act.
    """
    if candidate.highest_epoch is not None and record.transitions < candidate.highest_epoch:
        return False
    return not record.holder or _is_ours(candidate, record)


def _is_ours(candidate: Candidate, record: LeaseRecord) -> bool:
    claim = candidate.claim
    return (
        claim is not None
        and record.holder == candidate.identity
        and record.transitions == claim.epoch
        and record.acquired == claim.acquired
    )


def _duration_s(record: LeaseRecord | None, settings: LeadershipSettings) -> int:
    """The holder's own word counts; where there is no holder, what we would have given ours."""
    if record is None or not record.holder or not record.duration_s:
        return settings.lease_duration_s
    return record.duration_s


def _record(
    candidate: Candidate,
    seen: Seen,
    settings: LeadershipSettings,
    wall: datetime,
    epoch: int,
    acquired: str,
) -> LeaseRecord:
    now = _stamp(wall, seen.record)
    return LeaseRecord(candidate.identity, settings.lease_duration_s, acquired or now, now, epoch)


def _stamp(wall: datetime, over: LeaseRecord | None) -> str:
    """The wall time as a MicroTime, and never the one that stands there already.

    The API server stores nothing when nothing changes, and then nobody sees a renewal: with a wall
    clock that was stepped back to the very microsecond, a living leader would look dead.
    """
    stamp = _micro_time(wall)
    if over is not None and stamp == over.renewed:
        return _micro_time(wall + timedelta(microseconds=1))
    return stamp


def _micro_time(wall: datetime) -> str:
    return wall.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
