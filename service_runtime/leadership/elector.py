"""The loop around the election: looks, asks what to do, writes, and says whether we lead now.

It polls at the retry period, as client-go does, and does not watch: a watch is one more connection
that can hang unnoticed, a follower needs a fresh look before it writes anyway, and at three
requests in ten seconds a poll costs nothing. Whoever acts as a leader asks `require` at each
action, for between two awaits any time may have passed; what still slips through (a pause between
the question and the deed) is refused where the epoch is compared, see `fencing`.
This module must not judge a Lease: `election` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import uuid
from typing import TYPE_CHECKING, Any, Final, Protocol

from gpu_fleet.errors import (
    KubeConflict,
    KubeError,
    KubeNotFound,
    KubeUnreachable,
    LeadershipLost,
)
from service_runtime.kube.api import LEASES
from service_runtime.leadership import election
from service_runtime.leadership.election import (
    Acquire,
    Candidate,
    Create,
    Follow,
    Release,
    Renew,
    StepDown,
)
from service_runtime.leadership.lease import Lease, LeaseName, read_lease, write_lease
from service_runtime.leadership.settings import JITTER_FACTOR, LeadershipSettings
from service_runtime.timing import elapsed_s, within

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from service_runtime.kube.api import Resource
    from service_runtime.leadership.election import Decision, Reign
    from service_runtime.leadership.figures import LeadershipMetrics
    from service_runtime.telemetry.log import Log
    from service_runtime.timing import Timing

__all__ = ["Elector", "LeaseApi", "unique_identity"]

_RELEASE_ATTEMPTS: Final = 3
"""A conflict on release is our own renewal that came through late; more than once is somebody."""


class LeaseApi(Protocol):
    """What an elector needs of a `KubeApi`."""

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> bytes:
        """See `KubeApi.get`."""
        ...

    async def create(self, resource: Resource, body: bytes, namespace: str | None = None) -> bytes:
        """See `KubeApi.create`."""
        ...

    async def replace(
        self, resource: Resource, name: str, body: bytes, namespace: str | None = None
    ) -> bytes:
        """See `KubeApi.replace`."""
        ...


def unique_identity() -> str:
    """A holder's name as client-go's users write it: the host, then what no other process has."""
    return f"{socket.gethostname()}_{uuid.uuid4()}"


class Elector:
    """A part that stands for one Lease; everybody else asks it whether we lead."""

    def __init__(
        self,
        api: LeaseApi,
        lease: LeaseName,
        identity: str,
        *,
        settings: LeadershipSettings,
        timing: Timing,
        log: Log,
        metrics: LeadershipMetrics,
        draw: Callable[[], float],
    ) -> None:
        """`draw` is uniform in [0, 1) and spreads the followers' looks."""
        self.name = "leadership"
        self._api = api
        self._lease_name = lease
        self._settings = settings
        self._timing = timing
        self._log = log
        self._metrics = metrics
        self._draw = draw
        if not identity:
            raise ValueError(f"Lease {lease}: a candidate needs a name; take unique_identity()")
        self._candidate = Candidate(identity)
        self._lease: Lease | None = None
        self._unsure = True
        """Whether the version we know may not be the one that stands; then look before writing."""
        self._leaving = False
        self._leader: str | None = None
        self._works = 0
        self._changed = asyncio.Event()
        metrics.leading.read(lambda: float(self.reign() is not None), lease=str(lease))

    def reign(self) -> Reign | None:
        """Our leadership, if it may be acted on at this very moment."""
        reign = self._candidate.reign
        if reign is None or self._leaving or not reign.lasts(self._timing.now_ns()):
            return None
        return reign

    def require(self, epoch: int | None = None) -> Reign:
        """`reign()`, or `LeadershipLost`; with an epoch, only that reign will do.

        Ask at each action, and give the action the epoch.
        """
        reign = self.reign()
        if reign is None:
            raise LeadershipLost(
                f"Lease {self._lease_name}: {self._candidate.identity} does not lead now; drop "
                "this work, whoever leads will do it"
            )
        if epoch is not None and reign.epoch != epoch:
            raise LeadershipLost(
                f"Lease {self._lease_name}: the reign of epoch {epoch} is over, we lead again in "
                f"epoch {reign.epoch}; begin this work anew"
            )
        return reign

    def learn(self, epoch: int) -> None:
        """Take note of an epoch that an object carries, so as to lead above it or not at all.

        A service tells every epoch it reads: it is what heals the fence after the Lease itself was
        deleted and its count began anew.
        """
        if not 0 <= epoch <= election.HIGHEST_EPOCH:
            raise ValueError(f"an epoch is 0 to {election.HIGHEST_EPOCH}, not {epoch}")
        self._candidate = election.learnt(self._candidate, epoch)

    async def lead(self, work: Callable[[Reign], Awaitable[None]]) -> None:
        """Do `work` once in every reign of ours, until cancelled.

        The work is cancelled when its reign ends and has ended before the next begins; a
        `LeadershipLost` it raises is an end like any other, and other errors are raised here.
        """
        done: int | None = None
        while True:
            reign = self.reign()
            if reign is None or reign.epoch == done:
                await self._changed.wait()
                continue
            await self._work(reign, work)
            done = reign.epoch

    async def run(self, ready: Callable[[], None]) -> None:
        """Stand for the Lease until cancelled, then release it if it is ours.

        Ready once it is known who leads, for a follower is as ready as a leader.
        """
        try:
            while True:
                begun_ns = self._timing.now_ns()
                await self._attempt()
                if self._candidate.seen is not None:
                    ready()
                await self._timing.sleep(self._pause_s(begun_ns))
        finally:
            await self._leave()

    async def _attempt(self) -> None:
        """One try, as client-go's: a leader renews what it knows and looks only if that fails."""
        for _ in range(2):
            if (self._unsure or self._candidate.reign is None) and not await self._look():
                break
            decision = self._decide()
            await self._carry_out(decision)
            if not (isinstance(decision, Renew) and self._unsure):
                return
        if isinstance(decision := self._decide(), StepDown):
            await self._carry_out(decision)

    def _decide(self) -> Decision:
        timing = self._timing
        return election.decide(self._candidate, self._settings, timing.now_ns(), timing.wall())

    async def _carry_out(self, decision: Decision) -> None:
        match decision:
            case Create() | Acquire() | Renew():
                await self._write(decision)
            case Follow(leader=leader):
                self._meet(leader)
            case StepDown(reason=reason):
                self._candidate = election.stepped_down(self._candidate)
                self._end(reason)

    async def _look(self) -> bool:
        """Whether the Lease, or its absence, was seen."""
        name = self._lease_name
        try:
            body = await self._ask(self._api.get(LEASES, name.name, name.namespace))
            lease = read_lease(body, name)
        except KubeNotFound:
            self._keep(None)
            return True
        except KubeError as error:
            self._log.warn("lease_unreadable", lease=str(name), error=error)
            return False
        self._keep(lease)
        return True

    def _keep(self, lease: Lease | None) -> None:
        self._lease = lease
        self._unsure = False
        record, version = (None, "") if lease is None else (lease.record, lease.version)
        now_ns = self._timing.now_ns()
        self._candidate = election.saw(self._candidate, record, version, now_ns)

    async def _write(self, decision: election.Write) -> None:
        self._candidate = election.sent(self._candidate, decision)
        # Until there is an answer, nothing is sure; and not even then, unless it is a yes.
        self._unsure = True
        try:
            lease = await self._store(decision)
        except KubeError as error:
            name = str(self._lease_name)
            self._log.warn("lease_not_written", lease=name, wanted=decision.reason, error=error)
            return
        self._unsure = False
        self._lease = lease
        led = self._candidate.reign is not None
        now_ns = self._timing.now_ns()
        self._candidate = election.acknowledged(
            self._candidate, decision, lease.version, self._settings, now_ns
        )
        reign = self._candidate.reign
        if reign is not None and not led:
            self._begin(reign, decision.reason)
        if reign is None and led:
            self._end("the renewal was acknowledged too late")

    async def _store(self, decision: election.Write | Release) -> Lease:
        name = self._lease_name
        begun_ns, outcome = self._timing.now_ns(), "failed"
        try:
            if isinstance(decision, Create):
                body = write_lease(decision.record, name, None)
                call = self._api.create(LEASES, body, name.namespace)
            else:
                body = write_lease(decision.record, name, self._lease)
                call = self._api.replace(LEASES, name.name, body, name.namespace)
            lease = read_lease(await self._ask(call), name)
            outcome = "ok"
        except KubeConflict:
            outcome = "conflict"
            raise
        finally:
            took_s = elapsed_s(begun_ns, self._timing.now_ns())
            self._metrics.requests.observe(took_s, lease=str(name), outcome=outcome)
        return lease

    async def _ask(self, call: Coroutine[Any, Any, bytes]) -> bytes:
        limit_s = self._settings.request_timeout_s
        reign = self._candidate.reign
        if reign is not None and not self._leaving:
            limit_s = min(limit_s, self._left_s(reign))
        try:
            return await within(self._timing, limit_s, call)
        except TimeoutError as error:
            raise KubeUnreachable(
                f"Lease {self._lease_name}: no answer within {limit_s:g} s; see whether the API "
                "server is overloaded or cut off"
            ) from error

    def _left_s(self, reign: Reign) -> float:
        return max(0.0, elapsed_s(self._timing.now_ns(), reign.deadline_ns))

    def _pause_s(self, begun_ns: int) -> float:
        """Leaders keep an even pace, so that one slow answer costs none; followers spread out."""
        reign = self._candidate.reign
        period_s = self._settings.retry_period_s
        if reign is None:
            return period_s * (1 + JITTER_FACTOR * self._draw())
        due_s = max(0.0, period_s - elapsed_s(begun_ns, self._timing.now_ns()))
        return min(due_s, self._left_s(reign))

    def _begin(self, reign: Reign, reason: str) -> None:
        name = str(self._lease_name)
        self._leader = self._candidate.identity
        self._metrics.reigns.add(lease=name)
        self._log.event("leadership_gained", lease=name, epoch=reign.epoch, reason=reason)
        self._announce()

    def _end(self, reason: str) -> None:
        self._log.warn("leadership_lost", lease=str(self._lease_name), reason=reason)
        self._announce()

    def _meet(self, leader: str) -> None:
        if leader == self._leader:
            return
        self._leader = leader
        self._log.event("leader_seen", lease=str(self._lease_name), leader=leader)

    def _announce(self) -> None:
        """Wake whoever waits for a change of any kind."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _work(self, reign: Reign, work: Callable[[Reign], Awaitable[None]]) -> None:
        self._works += 1
        task = asyncio.ensure_future(work(reign))
        over = asyncio.ensure_future(self._over(reign.epoch))
        try:
            await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
            over.cancel()
            await asyncio.gather(task, over, return_exceptions=True)
            self._works -= 1
            self._announce()
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, LeadershipLost):
            raise error

    async def _over(self, epoch: int) -> None:
        """Returns when the reign is over, by the clock even if nobody says so."""
        while (reign := self.reign()) is not None and reign.epoch == epoch:
            with contextlib.suppress(TimeoutError):
                await within(self._timing, self._left_s(reign), self._changed.wait())

    async def _leave(self) -> None:
        """Let nobody act any more, wait for who still does, and only then give the Lease away."""
        reign, self._leaving = self._candidate.reign, True
        self._announce()
        name = str(self._lease_name)
        try:
            if reign is not None:
                await within(self._timing, self._left_s(reign), self._idle())
            await within(self._timing, self._settings.request_timeout_s, self._release())
        except TimeoutError:
            self._log.warn("lease_left_to_expire", lease=name, works_left=self._works)

    async def _idle(self) -> None:
        while self._works:
            await self._changed.wait()

    async def _release(self) -> None:
        for _ in range(_RELEASE_ATTEMPTS):
            if self._unsure and not await self._look():
                return
            given = election.release(self._candidate, self._timing.wall())
            if given is None:
                return
            try:
                await self._store(given)
            except KubeConflict:
                self._unsure = True
                continue
            except KubeError as error:
                name = str(self._lease_name)
                self._log.warn("lease_left_to_expire", lease=name, error=error)
                return
            self._candidate = election.stepped_down(self._candidate)
            self._log.event("lease_released", lease=str(self._lease_name))
            return
