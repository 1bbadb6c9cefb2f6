"""Each way in which a log can lie is found, and the message names the line, the pod and the node.

One honest log, written by hand, and one mutation for each lie. These tests must not run a
simulation: the log is the whole story.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.admission import Admission
from gpu_fleet.errors import InvariantBroken
from gpu_fleet.nodes import Device, Taint
from gpu_fleet.pods import Pod
from simulations.checker import Verdict, check_run
from simulations.workload import BoundPod, Inventory, TracedPod, Workload
from tests.fleets import inventory, node, shape

if TYPE_CHECKING:
    from collections.abc import Callable

ON_A = Admission(gpu_models=("A",))
FLEET = inventory(
    node("big", cpus=16, gpus=2, model="A"),
    node("weak", cpus=1, gpus=1, model="B"),
    node("thin", cpus=16, memory_gib=2, gpus=0),
    node("tainted", gpus=1, model="B", taints=(Taint("keep", "out"),)),
    node("cordoned", gpus=1, model="B", cordoned=True),
)
PODS = Workload(
    "tests",
    (
        TracedPod(Pod("pod-0", shape(cpus=2, gpus=1, admission=ON_A)), 0, 10),
        TracedPod(Pod("pod-1", shape(cpus=2, gpus=1, milli=500)), 1, 21),
        TracedPod(Pod("pod-2", shape(cpus=2, gpus=1, milli=500, admission=ON_A)), 2, 22),
        TracedPod(Pod("pod-3", shape(gpus=2)), 3, 13),
        TracedPod(Pod("pod-4", shape(gpus=4)), 4, 14),
        TracedPod(Pod("pod-5", shape(cpus=4, memory_gib=4)), 5, 7),
    ),
)
HONEST = """\
0,0,place,pod-0#0,big,0,5
1,1000000000,place,pod-1#1,big,1,5
2,2000000000,place,pod-2#2,big,1,5
3,3000000000,wait,pod-3#3,,,
4,4000000000,reject,pod-4#4,,,
5,5000000000,place,pod-5#5,big,,0
6,7000000000,depart,pod-5#5,big,,
7,10000000000,depart,pod-0#0,big,,
8,21000000000,depart,pod-1#1,big,,
9,22000000000,depart,pod-2#2,big,,
10,22000000000,place,pod-3#3,big,0+1,7
"""

Lines = list[str]


def swap(line: int, old: str, new: str) -> Callable[[Lines], Lines]:
    """Change one word of one line."""

    def mutate(lines: Lines) -> Lines:
        assert old in lines[line]
        return [*lines[:line], lines[line].replace(old, new), *lines[line + 1 :]]

    return mutate


def drop(*gone: int) -> Callable[[Lines], Lines]:
    """Leave lines out and close the gap, as if it had never happened."""
    return lambda lines: renumber([line for at, line in enumerate(lines) if at not in gone])


def insert(line: int, what: str) -> Callable[[Lines], Lines]:
    """Put an event before a line."""
    return lambda lines: renumber([*lines[:line], f"0,{what}", *lines[line:]])


def swapped_devices(lines: Lines) -> Lines:
    """pod-0 and pod-1 exchange their devices."""
    return swap(0, "big,0", "big,1")(swap(1, "big,1", "big,0")(lines))


def renumber(lines: Lines) -> Lines:
    """Sequences without gaps."""
    return [f"{at},{line.partition(',')[2]}" for at, line in enumerate(lines)]


LIES: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "a pod is placed twice": (
        insert(2, "1000000000,place,pod-1#1,weak,0,5"),
        "sequence 2: pod pod-1#1 on node weak: placed although it runs already on node big",
    ),
    "a pod is placed again after it left": (
        insert(11, "22000000000,place,pod-0#0,big,0,5"),
        "sequence 11: pod pod-0#0 on node big: placed although it departed already",
    ),
    "a rejected pod is placed": (
        insert(5, "4000000000,place,pod-4#4,big,0,5"),
        "sequence 5: pod pod-4#4 on node big: placed although it was rejected",
    ),
    "a departure is lost and the room is given away": (
        drop(7),
        "sequence 9: pod pod-3#3 on node big: device 0 oversubscribed: 1000 thousandths",
    ),
    "a departure is lost and nobody needs the room": (
        drop(7, 10),
        "pod pod-0#0 on node big: its departure at 10000000000 ns is lost",
    ),
    "a pod departs twice": (
        insert(7, "7000000000,depart,pod-5#5,big,,"),
        "sequence 7: pod pod-5#5 on node big: departs although it departed already",
    ),
    "a pod departs from another node": (
        swap(6, "big", "thin"),
        "sequence 6: pod pod-5#5 on node thin: departs from a node where it is not: it runs on big",
    ),
    "a waiting pod departs": (
        insert(4, "3000000000,depart,pod-3#3,big,,"),
        "sequence 4: pod pod-3#3 on node big: departs although it waits already",
    ),
    "a pod departs that never came": (
        insert(0, "0,depart,pod-3#3,big,,"),
        "sequence 0: pod pod-3#3 on node big: departs although it never arrived",
    ),
    "a pod stays longer than its lifetime": (
        swap(7, "10000000000", "11000000000"),
        "sequence 7: pod pod-0#0 on node big: departs after 11000000000 ns",
    ),
    "a pod leaves before its time": (
        swap(6, "7000000000", "6000000000"),
        "sequence 6: pod pod-5#5 on node big: departs after 1000000000 ns",
    ),
    "a device is oversubscribed": (
        swap(2, "big,1", "big,0"),
        "sequence 2: pod pod-2#2 on node big: device 0 oversubscribed: 500 thousandths",
    ),
    "devices are swapped": (
        swapped_devices,
        "sequence 2: pod pod-2#2 on node big: device 1 oversubscribed",
    ),
    "CPU is oversubscribed": (
        swap(1, "big,1", "weak,0"),
        "sequence 1: pod pod-1#1 on node weak: 2000 milli-CPU taken, 1000 free",
    ),
    "memory is oversubscribed": (
        swap(5, "big", "thin"),
        "sequence 5: pod pod-5#5 on node thin: 4096 MiB of memory taken, 2048 free",
    ),
    "a device that the node does not have": (
        swap(0, "big,0", "big,2"),
        "sequence 0: pod pod-0#0 on node big: device 2 does not exist",
    ),
    "one device for two GPUs": (
        swap(10, "0+1", "0"),
        "sequence 10: pod pod-3#3 on node big: 1 devices given, 2 asked for",
    ),
    "the same device twice": (
        swap(10, "0+1", "1+1"),
        "sequence 10: pod pod-3#3 on node big: the same device given twice in 1+1",
    ),
    "a GPU model that the pod does not allow": (
        swap(0, "big", "weak"),
        "sequence 0: pod pod-0#0 on node weak: the GPU model B is none of A",
    ),
    "a taint that the pod does not tolerate": (
        swap(1, "big,1", "tainted,0"),
        "sequence 1: pod pod-1#1 on node tainted: the taint keep=out:NoSchedule is not tolerated",
    ),
    "a cordoned node": (
        swap(1, "big,1", "cordoned,0"),
        "sequence 1: pod pod-1#1 on node cordoned: the node is cordoned",
    ),
    "a node that is not there": (
        swap(0, "big", "gone"),
        "sequence 0: pod pod-0#0 on node gone: placed on a node that is not in the inventory",
    ),
    "a pod waits although it fits": (
        lambda lines: [*lines[:1], "1,1000000000,wait,pod-1#1,,,", *lines[2:]],
        "sequence 1: pod pod-1#1: refused although it fits on node big",
    ),
    "a pod waits that can never fit": (
        swap(4, "reject", "wait"),
        "sequence 4: pod pod-4#4: waits although it fits on no node even when all are empty",
    ),
    "a pod is rejected that could wait": (
        swap(3, "wait", "reject"),
        "sequence 3: pod pod-3#3: rejected although it could wait",
    ),
    "a pod waits twice": (
        insert(4, "3000000000,wait,pod-3#3,,,"),
        "sequence 4: pod pod-3#3: begins to wait although it waits already",
    ),
    "time goes back": (
        swap(2, "2000000000", "999999999"),
        "sequence 2: pod pod-2#2 on node big: time goes back from 1000000000 ns to 999999999 ns",
    ),
    "a line is missing": (
        lambda lines: [*lines[:4], *lines[5:]],
        "sequence 5: pod pod-5#5 on node big: a line is missing or repeated, 4 should come",
    ),
    "an arrival is left out": (
        drop(4),
        "sequence 4: pod pod-5#5 on node big: arrives as number 5, but number 4 comes next",
    ),
    "a pod that the workload does not have": (
        swap(0, "pod-0", "pod-9"),
        "sequence 0: pod pod-9#0 on node big: is no pod of the workload",
    ),
    "an event that nobody knows": (
        swap(6, "depart", "vanish"),
        "sequence 6: pod pod-5#5 on node big: unknown event 'vanish'",
    ),
    "a placement without a score": (
        swap(0, ",5", ","),
        "sequence 0: pod pod-0#0 on node big: placed without a score",
    ),
    "a line cut short": (
        lambda lines: [*lines[:-1], lines[-1][:12]],
        "line 11 of the log cannot be read: 10,220000000",
    ),
}


def test_an_honest_log_passes() -> None:
    """The untouched log holds, and the verdict counts every pod once."""
    expected = Verdict(
        events=11, arrived=6, running=1, waiting=0, rejected=1, departed=4, refusals_proved=2
    )

    assert expected == check_run(FLEET, PODS, HONEST)


@pytest.mark.parametrize("story", LIES)
def test_a_lie_is_named(story: str) -> None:
    """The message says at which line which pod on which node cannot be."""
    mutate, message = LIES[story]
    log = "\n".join(mutate(HONEST.splitlines())) + "\n"

    with pytest.raises(InvariantBroken) as caught:
        check_run(FLEET, PODS, log)

    assert message in str(caught.value)


def test_a_sick_device_holds_nothing() -> None:
    """A pod on an unhealthy device is a contradiction, not a detail."""
    fleet = inventory(replace(node("ill"), devices=(Device(healthy=False), Device())))
    pods = Workload("tests", (TracedPod(Pod("pod-0", shape(gpus=1))),))

    check_run(fleet, pods, "0,0,place,pod-0#0,ill,1,0\n")
    with pytest.raises(InvariantBroken, match="device 0 oversubscribed"):
        check_run(fleet, pods, "0,0,place,pod-0#0,ill,0,0\n")


def test_bound_pods_occupy_before_anything_arrives() -> None:
    """A pod that the input says is running takes its device; two that overlap are refused."""
    one = shape(gpus=1)
    bound = BoundPod(Pod("old", one), "big", (0,))
    fleet = Inventory("tests", (node("big", gpus=2),), (bound,))
    pods = Workload("tests", (TracedPod(Pod("pod-0", one)),))

    check_run(fleet, pods, "0,0,place,pod-0#0,big,1,0\n")
    with pytest.raises(InvariantBroken, match="device 0 oversubscribed"):
        check_run(fleet, pods, "0,0,place,pod-0#0,big,0,0\n")
    with pytest.raises(InvariantBroken, match="bound pod old on node big: device 0"):
        check_run(Inventory("tests", fleet.nodes, (bound, bound)), pods, "")
