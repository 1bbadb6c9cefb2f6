"""A world of several electors on virtual time: clocks that differ, pauses, a network that fails.

It runs the shipped `Elector` on an event loop whose time is only ever stepped, so minutes of faults
take milliseconds and every run repeats. What happened is written into a history, and
`contradictions` judges it from that alone. Nothing here may know how an election is decided.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import selectors
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from gpu_fleet.clock import NS_PER_S
from gpu_fleet.draws import draw
from gpu_fleet.errors import KubeConflict, KubeNotFound, KubeUnreachable, LeadershipLost
from service_runtime.leadership import Elector, LeadershipMetrics, LeadershipSettings, LeaseName
from service_runtime.telemetry.log import RecordedLog
from service_runtime.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from service_runtime.kube.api import Resource
    from service_runtime.leadership import Reign

__all__ = [
    "LEASE",
    "Acted",
    "Began",
    "Fault",
    "History",
    "LeaseStore",
    "Plan",
    "World",
    "contradictions",
    "first_leader_s",
    "on_virtual_time",
]

LEASE = LeaseName("fleet", "autoscaler")
_FOR_EVER_S = 1e6
_ROUND_TRIP_S = 0.01
_SLOW_ANSWER_S = 4.0
_T = TypeVar("_T")


class _Stepping(selectors.SelectSelector):
    """Instead of waiting for a descriptor, lets the time pass that would have been waited."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits for another one, and no time would help")
        self.now_s += timeout
        return []


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._stepping = _Stepping()
        super().__init__(self._stepping)

    def time(self) -> float:
        return self._stepping.now_s


def on_virtual_time(main: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """What `main` returns, when waiting costs nothing."""
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(main())


def _now_s() -> float:
    return asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Fault:
    """From when until when, in true seconds."""

    at_s: float
    for_s: float

    def covers(self, now_s: float) -> bool:
        """Whether it is on."""
        return self.at_s <= now_s < self.at_s + self.for_s


@dataclass(frozen=True, slots=True)
class Plan:
    """One process: how its clocks go and what befalls it. Times are true seconds."""

    name: str
    identity: str = ""
    """What it writes into the Lease; empty: its name. Two processes may be given one by mistake."""
    rate: float = 1.0
    """Of its clock, against true time."""
    wall_rate: float = 1.0
    """Of its wall clock; at 0 it stands still, as if it were stepped back all the time."""
    wall_steps: tuple[tuple[float, float], ...] = ()
    """At which time by how many seconds."""
    starts_s: float = 0.0
    leaves_s: float | None = None
    """SIGTERM."""
    killed_s: float | None = None
    """SIGKILL: nothing of it runs after this."""
    pauses: tuple[Fault, ...] = ()
    clock_stops: bool = False
    """Whether its clock stands still in a pause, as CLOCK_MONOTONIC does in a suspend."""
    outages: tuple[Fault, ...] = ()
    """The API server refuses the connections of this process."""
    slow_answers: tuple[Fault, ...] = ()
    """What it asks for is done at once, and it hears of it almost a request's limit later."""


@dataclass(frozen=True, slots=True)
class Began:
    """A process came to believe that it leads, while `others` believed it too."""

    at_s: float
    who: str
    epoch: int
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acted:
    """A leader's action arrived where it is fenced."""

    at_s: float
    who: str
    epoch: int
    accepted: bool
    others: tuple[str, ...]
    """Who else believed to lead when the leader asked whether it may."""


@dataclass(slots=True)
class History:
    """All that happened, in the order of true time."""

    began: list[Began] = field(default_factory=list)
    acted: list[Acted] = field(default_factory=list)


def contradictions(history: History) -> list[str]:
    """Everything in a history that the election promises never to let happen."""
    seen: list[Began | Acted] = [*history.began, *history.acted]
    found = [
        f"{one.at_s:.3f} s: {one.who} leads beside {', '.join(one.others)}"
        for one in seen
        if one.others
    ]
    owners: dict[int, str] = {}
    for deed in history.acted:
        owner = owners.setdefault(deed.epoch, deed.who)
        if owner != deed.who:
            found.append(f"{deed.at_s:.3f} s: {deed.who} acts in epoch {deed.epoch} of {owner}")
    reigns = [(one.epoch, one.who) for one in history.began]
    found += [
        f"epoch {later[0]} of {later[1]} came after epoch {earlier[0]} of {earlier[1]}"
        for earlier, later in itertools.pairwise(reigns)
        if later[0] <= earlier[0]
    ]
    return found


def first_leader_s(history: History, since_s: float) -> float | None:
    """When a leader first acted after a moment."""
    return next((one.at_s for one in history.acted if one.at_s >= since_s and one.accepted), None)


class LeaseStore:
    """One Lease as an API server keeps it: versions, conflicts, and no write where none is made."""

    def __init__(self) -> None:
        self._version = 0
        self.document: dict[str, Any] | None = None
        self.checks_versions = True

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> bytes:
        """The Lease."""
        return msgspec.json.encode(self._found(resource, name, namespace))

    async def create(self, resource: Resource, body: bytes, namespace: str | None = None) -> bytes:
        """Refused when it is there."""
        if self.document is not None:
            raise KubeConflict(f"{resource.plural} in {namespace} already exists", status=409)
        return self._keep(msgspec.json.decode(body))

    async def replace(
        self, resource: Resource, name: str, body: bytes, namespace: str | None = None
    ) -> bytes:
        """Compare and swap; an object that is not changed keeps its version, as on a real one."""
        old, new = self._found(resource, name, namespace), msgspec.json.decode(body)
        version = old["metadata"]["resourceVersion"]
        if self.checks_versions and new["metadata"]["resourceVersion"] != version:
            raise KubeConflict(f"{resource.plural} {name} has changed", status=409)
        new["metadata"]["resourceVersion"] = version
        return msgspec.json.encode(old) if new == old else self._keep(new)

    def delete(self) -> None:
        """As `kubectl delete lease` does."""
        self.document = None

    def _found(self, resource: Resource, name: str, namespace: str | None) -> dict[str, Any]:
        if self.document is None:
            raise KubeNotFound(f"{resource.plural} {namespace}/{name} not found", status=404)
        return self.document

    def _keep(self, document: dict[str, Any]) -> bytes:
        self._version += 1
        metadata = {**document["metadata"], "resourceVersion": str(self._version)}
        self.document = {**document, "metadata": metadata}
        return msgspec.json.encode(self.document)


class _Process:
    """One elector with its clocks, its network and its leader-only work."""

    def __init__(self, plan: Plan, world: World, draw_unit: Callable[[], float]) -> None:
        self.plan = plan
        self._world = world
        self._draw = draw_unit
        self.log = RecordedLog()
        self.elector = world.elector(
            self, plan.identity or plan.name, _Watching(self.log, self._noted), draw_unit
        )

    # ------------------------------------------------------------------ its Timing

    def now_ns(self) -> int:
        """Its own clock, which goes on while it is paused, unless it was planned otherwise."""
        now_s = _now_s()
        if self.plan.clock_stops:
            now_s -= sum(min(f.for_s, max(0.0, now_s - f.at_s)) for f in self.plan.pauses)
        return round(now_s * self.plan.rate * NS_PER_S)

    def wall(self) -> datetime:
        """Its wall clock, as wrong as planned."""
        now_s = _now_s()
        steps_s = sum(by_s for at_s, by_s in self.plan.wall_steps if at_s <= now_s)
        start = datetime(2026, 1, 1, tzinfo=UTC)
        return start + timedelta(seconds=now_s * self.plan.wall_rate + steps_s)

    async def sleep(self, seconds: float) -> None:
        """By its own clock, and later if it is paused then."""
        await asyncio.sleep(seconds / self.plan.rate)
        await self.runs()

    async def runs(self) -> None:
        """Return when the process is not paused; never, once it was killed."""
        while (until_s := self._stopped_until_s()) > _now_s():  # noqa: ASYNC110  # pauses may adjoin
            await asyncio.sleep(until_s - _now_s())

    def _stopped_until_s(self) -> float:
        now_s = _now_s()
        if self.plan.killed_s is not None and now_s >= self.plan.killed_s:
            return _FOR_EVER_S
        return max((f.at_s + f.for_s for f in self.plan.pauses if f.covers(now_s)), default=0.0)

    # ------------------------------------------------------------------ its LeaseApi

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> bytes:
        """Over the network."""
        return await self._send(lambda: self._world.store.get(resource, name, namespace))

    async def create(self, resource: Resource, body: bytes, namespace: str | None = None) -> bytes:
        """Over the network."""
        return await self._send(lambda: self._world.store.create(resource, body, namespace))

    async def replace(
        self, resource: Resource, name: str, body: bytes, namespace: str | None = None
    ) -> bytes:
        """Over the network."""
        return await self._send(lambda: self._world.store.replace(resource, name, body, namespace))

    async def _send(self, call: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        await self.runs()
        if any(outage.covers(_now_s()) for outage in self.plan.outages):
            raise KubeUnreachable("connection refused")
        # What is on its way arrives, whether or not anybody waits for the answer any more.
        under_way = self._world.begin(self._carried(call))
        answer = await asyncio.shield(under_way)
        await self.runs()
        return answer

    async def _carried(self, call: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        there_s, back_s = self._world.delays_s()
        if any(fault.covers(_now_s()) for fault in self.plan.slow_answers):
            back_s = _SLOW_ANSWER_S
        await asyncio.sleep(there_s)
        try:
            return await call()
        finally:
            await asyncio.sleep(back_s)

    # ------------------------------------------------------------------ its work

    async def live(self) -> None:
        """Start when planned, stand for the Lease, act while leading, leave or die when planned."""
        await asyncio.sleep(self.plan.starts_s)
        standing = asyncio.ensure_future(self.elector.run(lambda: None))
        working = asyncio.ensure_future(self.elector.lead(self._act))
        try:
            await asyncio.sleep((self.plan.leaves_s or _FOR_EVER_S) - self.plan.starts_s)
            await self.runs()
        finally:
            for task in (working, standing):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _act(self, reign: Reign) -> None:
        while True:
            self.elector.require(reign.epoch)
            others = self._world.leading(besides=self)
            # Between the question and the deed the process may be paused, and the deed may be late.
            self._world.begin(self._deed(reign.epoch, others))
            await self.sleep(0.5 + self._draw())

    async def _deed(self, epoch: int, others: tuple[str, ...]) -> None:
        await self.runs()
        await asyncio.sleep(self._world.delays_s()[0])
        self._world.act(self.plan.name, epoch, others)

    def _noted(self, event: str, fields: dict[str, object]) -> None:
        if event == "leadership_gained":
            epoch = fields["epoch"]
            assert isinstance(epoch, int)
            others = self._world.leading(besides=self)
            self._world.history.began.append(Began(_now_s(), self.plan.name, epoch, others))


class _Watching:
    """A log that also tells the world."""

    def __init__(self, log: RecordedLog, note: Callable[[str, dict[str, object]], None]) -> None:
        self._log = log
        self._note = note

    def event(self, name: str, /, **fields: object) -> None:
        """Keep it, and tell."""
        self._log.event(name, **fields)
        self._note(name, fields)

    def warn(self, name: str, /, **fields: object) -> None:
        """Keep it."""
        self._log.warn(name, **fields)

    def error(self, name: str, /, **fields: object) -> None:
        """Keep it."""
        self._log.error(name, **fields)

    def component(self, name: str, /) -> _Watching:
        """The same; electors have no parts."""
        return _Watching(self._log.component(name), self._note)


class World:
    """Processes, one Lease, and a place where leaders' actions are fenced by their epoch."""

    def __init__(
        self,
        plans: Sequence[Plan],
        *,
        seed: int = 0,
        settings: LeadershipSettings | None = None,
        worst_delay_s: float = 0.0,
        losses: float = 0.0,
        faults_end_s: float = 0.0,
        elector: type[Elector] = Elector,
    ) -> None:
        """Until `faults_end_s`, messages take up to `worst_delay_s`; `losses` of them for ever."""
        self.settings = settings or LeadershipSettings()
        self.store = LeaseStore()
        self.history = History()
        self._worst_delay_s = worst_delay_s
        self._losses = losses
        self._faults_end_s = faults_end_s
        self._elector = elector
        self._seed = seed
        self._drawn = 0
        self._highest = -1
        self._under_way: set[asyncio.Future[Any]] = set()
        self.processes = [_Process(plan, self, self._unit) for plan in plans]

    def run(self, for_s: float, *happenings: tuple[float, Callable[[], None]]) -> History:
        """Let so much true time pass, with what happens meanwhile, and return what came of it."""
        return on_virtual_time(lambda: self._live(for_s, happenings))

    def delete_if_known(self) -> None:
        """Delete the Lease, if every process has seen it: only then anything is promised."""
        if all(one.elector._candidate.highest_epoch is not None for one in self.processes):
            self.store.delete()

    async def _live(
        self, for_s: float, happenings: Sequence[tuple[float, Callable[[], None]]]
    ) -> History:
        lives = [asyncio.ensure_future(one.live()) for one in self.processes]
        for at_s, happening in happenings:
            asyncio.get_running_loop().call_at(at_s, happening)
        await asyncio.wait(lives, timeout=for_s)
        history = History(list(self.history.began), list(self.history.acted))
        for task in (*lives, *self._under_way):
            task.cancel()
        ends = await asyncio.gather(*lives, *self._under_way, return_exceptions=True)
        broken = [end for end in ends if isinstance(end, Exception)]
        known = (KubeConflict, KubeNotFound, KubeUnreachable, LeadershipLost)
        assert not [error for error in broken if not isinstance(error, known)], broken
        return history

    def elector(
        self,
        process: _Process,
        identity: str,
        log: _Watching,
        draw_unit: Callable[[], float],
    ) -> Elector:
        """The elector of one process, of the kind this world is made of."""
        return self._elector(
            process,
            LEASE,
            identity,
            settings=self.settings,
            timing=process,
            log=log,
            metrics=LeadershipMetrics(Metrics()),
            draw=draw_unit,
        )

    def begin(self, call: Coroutine[Any, Any, _T]) -> asyncio.Future[_T]:
        """Set something on its way that nobody can call back."""
        task = asyncio.ensure_future(call)
        self._under_way.add(task)
        task.add_done_callback(self._arrived)
        return task

    def _arrived(self, task: asyncio.Future[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()

    def delays_s(self) -> tuple[float, float]:
        """How long a message takes there, and its answer back."""
        if _now_s() >= self._faults_end_s:
            return _ROUND_TRIP_S / 2, _ROUND_TRIP_S / 2
        return self._delay_s(), self._delay_s()

    def _delay_s(self) -> float:
        if self._unit() < self._losses:
            return _FOR_EVER_S
        # Most are quick; the cube makes a few as slow as can be.
        return _ROUND_TRIP_S / 2 + self._worst_delay_s * self._unit() ** 3

    def leading(self, besides: _Process) -> tuple[str, ...]:
        """Who else believes to lead, each by its own clock, at this true instant."""
        return tuple(
            one.plan.name
            for one in self.processes
            if one is not besides and one.elector.reign() is not None
        )

    def act(self, who: str, epoch: int, others: tuple[str, ...]) -> None:
        """An action arrives; it is refused when one of a higher epoch came before."""
        accepted = epoch >= self._highest
        self._highest = max(self._highest, epoch)
        self.history.acted.append(Acted(_now_s(), who, epoch, accepted, others))

    def _unit(self) -> float:
        self._drawn += 1
        return draw(self._seed, self._drawn) / 2**64
