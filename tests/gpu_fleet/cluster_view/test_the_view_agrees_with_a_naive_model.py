"""Any history of a fleet leaves the view where a plain recount of it would.

Hypothesis makes the history; the model keeps nodes and pods in dictionaries and counts anew at each
check. It must not share arithmetic with the view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gpu_fleet import admission
from gpu_fleet.cluster_view import UNKNOWN_MIB, ClusterView
from gpu_fleet.readings import Missing
from gpu_fleet.refusals import Refusal
from tests.fleets import fleets, nodes, shapes

if TYPE_CHECKING:
    from gpu_fleet.nodes import Node
    from gpu_fleet.pods import PodShape

NAMES = tuple(f"node-{at}" for at in range(6))


class Fleet(RuleBasedStateMachine):
    """A view beside the dictionaries that it must agree with."""

    def __init__(self) -> None:
        super().__init__()
        self.view = ClusterView()
        self.nodes: dict[str, Node] = {}
        self.pods: dict[str, tuple[PodShape, str, tuple[int, ...]]] = {}
        self.shapes: list[PodShape] = []
        self.held: set[tuple[str, str]] = set()
        self.seen = 0
        self.moved: set[str] = set()
        self.came = 0

    @initialize(some=fleets(most=4), asked=st.lists(shapes(), min_size=1, max_size=4))
    def begin(self, some: tuple[Node, ...], asked: list[PodShape]) -> None:
        """A few nodes, and the shapes that will be placed."""
        self.shapes = asked
        for each in some:
            self.view.add_node(each)
            self.nodes[each.name] = each

    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def add_or_update(self, data: st.DataObject, name: str) -> None:
        """A node comes, or becomes another one under the same name."""
        new = data.draw(nodes(name))
        if name in self.nodes:
            self.view.update_node(new)
        else:
            self.view.add_node(new)
        self.nodes[name] = new
        self.moved.add(name)

    @precondition(lambda self: self.nodes)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        """A node goes, and its pods with it."""
        name = data.draw(st.sampled_from(sorted(self.nodes)))
        gone = [pod for pod, (_, at, _) in self.pods.items() if at == name]

        assert self.view.remove_node(name) == gone

        del self.nodes[name]
        for pod in gone:
            del self.pods[pod]
        self.held = {(node, data) for node, data in self.held if node != name}
        self.moved.discard(name)

    @precondition(lambda self: self.nodes)
    @rule(data=st.data())
    def place(self, data: st.DataObject) -> None:
        """A pod is put on the first devices with room, wherever it fits."""
        asked = data.draw(st.sampled_from(self.shapes))
        name = data.draw(st.sampled_from(sorted(self.nodes)))
        free = self.devices_left(name)
        room = [
            at
            for at, (milli, mib) in enumerate(free)
            if milli >= asked.gpu_milli and (mib or 0) >= asked.gpu_memory_mib
        ]
        cpu, memory = self.left(name)
        if cpu < asked.cpu_milli or memory < asked.memory_mib or len(room) < asked.gpu_count:
            return
        pod, devices = f"pod-{self.came}", tuple(room[: asked.gpu_count])
        self.came += 1
        self.view.place(pod, self.view.intern(asked), self.view.slot(name), devices)
        self.pods[pod] = (asked, name, devices)
        self.moved.add(name)

    @precondition(lambda self: self.pods)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """A pod goes."""
        pod = data.draw(st.sampled_from(sorted(self.pods)))
        self.view.release(pod)
        self.moved.add(self.pods.pop(pod)[1])

    @precondition(lambda self: self.nodes)
    @rule(data=st.data(), dataset=st.sampled_from(("weights", "corpus")), held=st.booleans())
    def hold(self, data: st.DataObject, dataset: str, *, held: bool) -> None:
        """A node gets or loses a dataset."""
        name = data.draw(st.sampled_from(sorted(self.nodes)))
        number = self.view.define_dataset(dataset, 10)
        self.view.hold(self.view.slot(name), number, held=held)
        (self.held.add if held else self.held.discard)((name, dataset))

    @rule()
    def restore(self) -> None:
        """Go on with a view that was restored from a snapshot."""
        self.view = ClusterView.restore(self.view.snapshot())
        self.seen = self.view.changes
        self.moved = set()

    @rule()
    def read_feed(self) -> None:
        """Every node that moved since the last look is named."""
        changed = self.view.changes_since(self.seen)

        assert changed is not None
        assert {self.view.slot(name) for name in self.moved} <= set(changed.tolist())

        self.seen, self.moved = self.view.changes, set()

    @invariant()
    def amounts_agree(self) -> None:
        """Every amount of every node is what a recount says."""
        assert sorted(node.name for node in self.view.nodes()) == sorted(self.nodes)

        for name in self.nodes:
            slot = self.view.slot(name)
            devices = self.devices_left(name)
            milli = [max(0, left) for left, _ in devices]

            assert self.left(name) == (
                self.view.cpu_free_milli[slot],
                self.view.memory_free_mib[slot],
            )
            assert milli == self.view.gpu_free_milli[slot].tolist()[: len(milli)]
            assert not self.view.gpu_free_milli[slot, len(milli) :].any()
            assert sum(milli) == self.view.gpu_free_sum_milli[slot]
            assert [UNKNOWN_MIB if mib is None else mib for _, mib in devices] == (
                self.view.gpu_memory_free_mib[slot].tolist()[: len(milli)]
            )
            assert {d for n, d in self.held if n == name} == {
                d for at, d in enumerate(self.view.dataset_names) if self.view.held[slot, at]
            }

    @invariant()
    def refusals_agree(self) -> None:
        """Every row of every rule is what the rule says about each node; free slots are absent."""
        rows = {row: self.view.shapes.admissions[row] for row in self.view._matched}
        for row, rule_ in rows.items():
            expected = np.full(self.view.slots, Refusal.ABSENT)
            for name, node in self.nodes.items():
                expected[self.view.slot(name)] = admission.refusal(node, rule_)

            assert expected.tolist() == self.view.refusals[row, : self.view.slots].tolist()

    def left(self, name: str) -> tuple[int, int]:
        """CPU and memory of a node less what its pods have."""
        here = [asked for asked, at, _ in self.pods.values() if at == name]
        node = self.nodes[name]
        return (
            node.cpu_milli - sum(asked.cpu_milli for asked in here),
            node.memory_mib - sum(asked.memory_mib for asked in here),
        )

    def devices_left(self, name: str) -> list[tuple[int, int | None]]:
        """Thousandths and memory of each device less what pods on it have."""
        left: list[tuple[int, int | None]] = []
        for at, device in enumerate(self.nodes[name].devices):
            here = [asked for asked, on, used in self.pods.values() if on == name and at in used]
            memory = None if isinstance(device.memory_mib, Missing) else device.memory_mib
            if memory is not None:
                memory -= sum(asked.gpu_memory_mib for asked in here)
            milli = device.gpu_milli if device.healthy else 0
            left.append((max(0, milli - sum(asked.gpu_milli for asked in here)), memory))
        return left


TestFleet = Fleet.TestCase
TestFleet.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
