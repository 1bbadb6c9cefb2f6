"""Walks through one decision log and contradicts it wherever it can.

Every pod's life is followed from its number: it arrives in turn, is placed, waits or is rejected,
and departs at most once, from where it is, when its lifetime is over. Every placement is booked,
and every refusal is proved by looking for a node that would have taken the pod.
This module must not decide anything, and must not trust a word of the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from gpu_fleet.clock import NS_PER_S
from gpu_fleet.errors import InvariantBroken
from simulations.checker.accounts import Account
from simulations.checker.admitted import obstacle
from simulations.decision_log import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpu_fleet.admission import Admission
    from gpu_fleet.pods import PodShape
    from simulations.decision_log import Entry
    from simulations.workload import Inventory, Workload

__all__ = ["Verdict", "check_run"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a log that holds amounts to: every arrived pod is in one of the last four."""

    events: int
    arrived: int
    running: int
    waiting: int
    rejected: int
    departed: int
    refusals_proved: int
    """How often the log said that a pod fits nowhere, and it was true."""

    def __str__(self) -> str:
        return (
            f"{self.events} events hold: {self.arrived} pods arrived, {self.running} run, "
            f"{self.waiting} wait, {self.rejected} were rejected, {self.departed} departed"
        )


def check_run(inventory: Inventory, workload: Workload, log_text: str) -> Verdict:
    """Recompute the run that `log_text` tells; raise `InvariantBroken` at the first contradiction.

    The message names the sequence, the pod and the node.
    """
    return _Check(inventory, workload).run(log_text)


@dataclass(slots=True)
class _Life:
    """A pod that arrived: what became of it, and where it is while it runs."""

    shape: PodShape
    lifetime_ns: int | None
    arrived_ns: int
    state: str = "arrived"
    node: str = ""
    devices: tuple[int, ...] = ()
    since_ns: int = 0


class _Check:
    def __init__(self, inventory: Inventory, workload: Workload) -> None:
        self.accounts = {node.name: Account(node) for node in inventory.nodes}
        if len(self.accounts) != len(inventory.nodes):
            raise InvariantBroken("two nodes of the inventory have one name")
        self.empty = [Account(node) for node in inventory.nodes]
        self.shapes = _shapes(workload)
        self.lifetimes_ns = _lifetimes_ns(workload)
        self.lives: dict[str, _Life] = {}
        self.obstacles: dict[Admission, dict[str, str | None]] = {}
        self.freed: list[str] = []
        """Nodes in the order in which something left them: where room may have come back."""
        self.proved: dict[PodShape, int] = {}
        """By shape that fits nowhere: how much of `freed` had happened when that was proved."""
        self.ever: dict[PodShape, bool] = {}
        self.refusals = 0
        self._occupy(inventory)

    def run(self, log_text: str) -> Verdict:
        entries = list(_entries(log_text))
        # Only a run in which pods depart or wait lets them wait; elsewhere a pod is given up.
        self.patient = any(entry.event in {"wait", "depart"} for entry in entries)
        follow = {
            "place": self._place,
            "wait": self._wait,
            "reject": self._reject,
            "depart": self._depart,
        }
        now_ns = 0
        for expected, entry in enumerate(entries):
            if entry.sequence != expected:
                _broken(entry, f"a line is missing or repeated, {expected} should come")
            if entry.t_ns < now_ns:
                _broken(entry, f"time goes back from {now_ns} ns to {entry.t_ns} ns")
            if entry.event not in follow:
                _broken(entry, f"unknown event '{entry.event}'")
            now_ns = entry.t_ns
            follow[entry.event](entry)
        self._nobody_overstays(now_ns)
        return self._verdict(entries)

    # -- events --------------------------------------------------------------------------------

    def _place(self, entry: Entry) -> None:
        life = self._life(entry)
        if life.state not in {"arrived", "waiting"}:
            _broken(entry, f"placed although it {_history(life)}")
        account = self._account(entry)
        why = self._obstacles(life.shape.admission)[entry.node]
        if why is None:
            why = account.lack(life.shape, entry.devices)
        if why is not None:
            _broken(entry, why)
        if entry.score is None:
            _broken(entry, "placed without a score")
        account.take(life.shape, entry.devices)
        life.state, life.node, life.devices = "running", entry.node, entry.devices
        life.since_ns = entry.t_ns

    def _wait(self, entry: Entry) -> None:
        life = self._life(entry)
        if life.state != "arrived":
            _broken(entry, f"begins to wait although it {_history(life)}")
        if not self._ever_fits(life.shape):
            _broken(entry, "waits although it fits on no node even when all are empty")
        self._prove_refusal(entry, life.shape)
        life.state = "waiting"

    def _reject(self, entry: Entry) -> None:
        life = self._life(entry)
        if life.state != "arrived":
            _broken(entry, f"rejected although it {_history(life)}")
        if self.patient and self._ever_fits(life.shape):
            _broken(entry, "rejected although it could wait: an empty node would take it")
        self._prove_refusal(entry, life.shape)
        life.state = "rejected"

    def _depart(self, entry: Entry) -> None:
        life = self.lives.get(entry.pod)
        if life is None:
            _broken(entry, "departs although it never arrived")
        if life.state != "running":
            _broken(entry, f"departs although it {_history(life)}")
        if life.node != entry.node:
            _broken(entry, f"departs from a node where it is not: it runs on {life.node}")
        self._check_stay(entry, life)
        self.accounts[life.node].give_back(life.shape, life.devices)
        self.freed.append(life.node)
        life.state = "departed"

    # -- what the log must not get wrong -------------------------------------------------------

    def _life(self, entry: Entry) -> _Life:
        """The life of this pod; a new one begins when its number is the next to arrive."""
        known = self.lives.get(entry.pod)
        if known is not None:
            return known
        name, _, number = entry.pod.rpartition("#")
        if name not in self.shapes:
            _broken(entry, "is no pod of the workload")
        if number != str(len(self.lives)):
            _broken(entry, f"arrives as number {number}, but number {len(self.lives)} comes next")
        life = _Life(self.shapes[name], self.lifetimes_ns.get(name), entry.t_ns)
        self.lives[entry.pod] = life
        return life

    def _account(self, entry: Entry) -> Account:
        account = self.accounts.get(entry.node)
        if account is None:
            _broken(entry, "placed on a node that is not in the inventory")
        return account

    def _check_stay(self, entry: Entry, life: _Life) -> None:
        """It stays as long as the trace says; one that was there at time 0 may be half-way."""
        if life.lifetime_ns is None:
            return
        stayed_ns = entry.t_ns - life.since_ns
        early = stayed_ns < life.lifetime_ns and life.arrived_ns > 0
        if early or stayed_ns > life.lifetime_ns:
            _broken(entry, f"departs after {stayed_ns} ns, its lifetime is {life.lifetime_ns} ns")

    def _nobody_overstays(self, now_ns: int) -> None:
        for pod, life in self.lives.items():
            if life.state != "running" or life.lifetime_ns is None:
                continue
            due_ns = life.since_ns + life.lifetime_ns
            if due_ns < now_ns:
                raise InvariantBroken(
                    f"pod {pod} on node {life.node}: its departure at {due_ns} ns is lost, "
                    f"the log goes on to {now_ns} ns"
                )

    def _prove_refusal(self, entry: Entry, shape: PodShape) -> None:
        """Look for a node with room; where there was none, only a departure can have made some."""
        before = self.proved.get(shape)
        names = self.accounts if before is None else dict.fromkeys(self.freed[before:])
        obstacles = self._obstacles(shape.admission)
        for name in names:
            if obstacles[name] is None and self.accounts[name].has_room(shape):
                _broken(entry, f"refused although it fits on node {name}")
        self.proved[shape] = len(self.freed)
        self.refusals += 1

    def _obstacles(self, rule: Admission) -> dict[str, str | None]:
        found = self.obstacles.get(rule)
        if found is None:
            found = {a.node.name: obstacle(a.node, rule) for a in self.empty}
            self.obstacles[rule] = found
        return found

    def _ever_fits(self, shape: PodShape) -> bool:
        if shape not in self.ever:
            obstacles = self._obstacles(shape.admission)
            self.ever[shape] = any(
                obstacles[a.node.name] is None and a.has_room(shape) for a in self.empty
            )
        return self.ever[shape]

    def _occupy(self, inventory: Inventory) -> None:
        for bound in inventory.bound:
            account, shape = self.accounts.get(bound.node_name), bound.pod.shape
            if account is None:
                raise InvariantBroken(
                    f"bound pod {bound.pod.name}: no node {bound.node_name} in the inventory"
                )
            devices = bound.device_indices
            if devices is None:
                devices = account.host_choice(shape)
            why = account.lack(shape, devices)
            if why is not None:
                raise InvariantBroken(
                    f"bound pod {bound.pod.name} on node {bound.node_name}: {why}"
                )
            account.take(shape, devices)

    def _verdict(self, entries: list[Entry]) -> Verdict:
        states = [life.state for life in self.lives.values()]
        verdict = Verdict(
            events=len(entries),
            arrived=len(states),
            running=states.count("running"),
            waiting=states.count("waiting"),
            rejected=states.count("rejected"),
            departed=sum(entry.event == "depart" for entry in entries),
            refusals_proved=self.refusals,
        )
        rest = verdict.running + verdict.waiting + verdict.rejected + verdict.departed
        if rest != verdict.arrived:
            raise InvariantBroken(f"{verdict.arrived} pods arrived, {rest} are accounted for")
        return verdict


_HISTORIES = {
    "arrived": "has not been placed",
    "running": "runs already",
    "waiting": "waits already",
    "rejected": "was rejected",
    "departed": "departed already",
}


def _history(life: _Life) -> str:
    where = f" on node {life.node}" if life.node else ""
    return f"{_HISTORIES[life.state]}{where}"


def _entries(log_text: str) -> Iterator[Entry]:
    """The log's lines, each of which must be readable."""
    for number, line in enumerate(log_text.splitlines()):
        try:
            yield from parse((line,))
        except ValueError as error:
            raise InvariantBroken(f"line {number + 1} of the log cannot be read: {line}") from error


def _shapes(workload: Workload) -> dict[str, PodShape]:
    """What each pod of the workload asks for, by name."""
    shapes: dict[str, PodShape] = {}
    for traced in workload.pods:
        known = shapes.setdefault(traced.pod.name, traced.pod.shape)
        if known != traced.pod.shape:
            raise InvariantBroken(f"two different pods of the workload are named {traced.pod.name}")
    return shapes


def _lifetimes_ns(workload: Workload) -> dict[str, int]:
    """How long each pod stays, where the trace knows: to its deletion, or to the trace's end."""
    ends = [traced.deleted_s for traced in workload.pods if traced.deleted_s is not None]
    if not ends or any(traced.created_s is None for traced in workload.pods):
        return {}
    last_s = max(*ends, *(traced.created_s or 0 for traced in workload.pods))
    lifetimes: dict[str, int] = {}
    for traced in workload.pods:
        end_s = last_s if traced.deleted_s is None else traced.deleted_s
        lifetimes[traced.pod.name] = max(1, end_s - (traced.created_s or 0)) * NS_PER_S
    return lifetimes


def _broken(entry: Entry, why: str) -> NoReturn:
    where = f" on node {entry.node}" if entry.node else ""
    raise InvariantBroken(f"sequence {entry.sequence}: pod {entry.pod}{where}: {why}")
