"""Pods that are bound count, whatever else was believed and in whatever order it is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gpu_fleet.pods import PodShape
from gpu_fleet.refusals import Refusal
from scheduler_extender.accounting.ledger import Ledger
from scheduler_extender.objects.observed import ObservedPod, Unclear
from scheduler_extender.placement.best_fit import BestFit
from tests.scheduler_extender.calls import S, gpu_node

ALL = np.ones(8, np.bool_)


def share(uid: str, milli: int, *, version: int = 1, **rest: object) -> ObservedPod:
    """A pod that asks for part of a GPU; `rest` are fields of `ObservedPod`."""
    return ObservedPod(uid, f"ml/{uid}", version, PodShape(0, 0, 1, milli), **rest)  # type: ignore[arg-type]


@pytest.fixture
def ledger() -> Ledger:
    """A ledger of one node with two devices."""
    made = Ledger(BestFit())
    made.node_seen(gpu_node("n0", gpus=2), 1)
    return made


def used(ledger: Ledger, node: str = "n0") -> list[int]:
    """Thousandths given out, by device."""
    held: list[int] = ledger.view.gpu_used_milli[ledger.view.slot(node), :3].tolist()
    return held


def test_too_much_is_a_state_of_the_node_and_ends_with_its_cause(ledger: Ledger) -> None:
    """Three shares of 700 on two devices: marked and counted; one gone, it is well again."""
    for uid in "abc":
        ledger.pod_seen(share(uid, 700, node="n0"), 0)
    marked = ledger.overcommitted()
    ledger.pod_gone("b")

    assert marked == ["n0"]
    assert ledger.overcommitted() == []
    assert ledger.counts.overcommitted == 1
    assert sum(used(ledger)) == 1_400


def test_a_told_device_moves_a_prediction_out_of_its_way(ledger: Ledger) -> None:
    """Both were predicted apart; the first is told to be where the second was."""
    ledger.pod_seen(share("a", 700, node="n0"), 0)
    ledger.pod_seen(share("b", 600, node="n0"), 0)
    before = used(ledger)
    ledger.pod_seen(share("a", 700, version=2, node="n0", told=(1,)), 0)

    assert before == [700, 600, 0]
    assert used(ledger) == [600, 700, 0]
    assert ledger.overcommitted() == []
    assert (ledger.counts.confirmed, ledger.counts.mispredicted) == (1, 1)


def test_a_pod_on_a_node_nobody_has_seen_waits_for_it(ledger: Ledger) -> None:
    """It counts as soon as the node comes, and again when the node comes back."""
    ledger.pod_seen(share("a", 700, node="n9"), 0)
    ledger.node_seen(gpu_node("n9"), 2)
    first = used(ledger, "n9")
    ledger.node_gone("n9", 3)
    ledger.node_seen(gpu_node("n9"), 4)

    assert [700, 0, 0] == first == used(ledger, "n9")
    assert ledger.counts.homeless == 1


def test_a_node_with_fewer_devices_keeps_its_pods_and_gives_no_more(ledger: Ledger) -> None:
    """Two shares of 700 now have one device; a third device's pods would be predicted anew."""
    ledger.pod_seen(share("a", 700, node="n0"), 0)
    ledger.pod_seen(share("b", 700, node="n0"), 0)
    ledger.node_seen(gpu_node("n0", gpus=1), 2)

    assert sum(used(ledger)) == 1_400
    assert ledger.overcommitted() == ["n0"]
    assert ledger.doubts(np.array([0])).tolist() == [Refusal.OVERCOMMITTED]


def test_a_pod_counts_until_it_is_gone_or_has_finished(ledger: Ledger) -> None:
    """A deletion that was asked for gives nothing back yet."""
    ledger.pod_seen(share("a", 700, node="n0"), 0)
    ledger.pod_seen(share("a", 700, version=2, node="n0", leaves=True), 0)
    leaving = used(ledger)
    ledger.pod_seen(share("a", 700, version=3, node="n0", leaves=True, finished=True), 0)

    assert leaving == [700, 0, 0]
    assert used(ledger) == [0, 0, 0]


def test_late_and_repeated_events_change_nothing(ledger: Ledger) -> None:
    """Not before it is gone, and not after."""
    ledger.pod_seen(share("a", 700, version=5, node="n0"), 0)
    for late in (share("a", 700, version=4), share("a", 700, version=5, node="n0")):
        ledger.pod_seen(late, 0)
    before = used(ledger)
    ledger.pod_gone("a", 6)
    ledger.pod_seen(share("a", 700, version=5, node="n0"), 0)

    assert before == [700, 0, 0]
    assert used(ledger) == [0, 0, 0]


def test_a_name_that_passes_on_ends_the_pod_that_had_it(ledger: Ledger) -> None:
    """Its deletion was missed; a late event of it does not bring it back."""
    ledger.pod_seen(replace(share("a", 700, version=5, node="n0"), name="ml/x"), 0)
    ledger.pod_seen(replace(share("b", 300, version=9, node="n0"), name="ml/x"), 0)
    ledger.pod_seen(replace(share("a", 700, version=6, node="n0"), name="ml/x"), 0)
    ledger.pod_gone("a", 7)

    assert used(ledger) == [300, 0, 0]


def test_a_new_list_ends_what_it_lacks_but_not_what_is_newer(ledger: Ledger) -> None:
    """A list may come from a server that is behind."""
    ledger.pod_seen(share("a", 700, version=5, node="n0"), 0)
    ledger.pod_seen(share("b", 600, version=9, node="n0"), 0)
    ledger.replace_pods([], 7, 0)
    ledger.pod_seen(share("c", 100, version=6, node="n0"), 0)

    assert sum(used(ledger)) == 600


def test_replicas_are_counted_as_the_scheduler_counts_them(ledger: Ledger) -> None:
    """32 replicas, of which the view shows the last 16: the 33rd is too many."""
    many = replace(gpu_node("n1", gpus=16), counted=32)
    ledger.node_seen(many, 2)
    slot = np.array([ledger.view.slot("n1")])
    free = []
    for at in range(33):
        pod = ObservedPod(f"u{at}", f"ml/u{at}", 5, PodShape(0, 0, 1), node="n1")
        ledger.pod_seen(pod, 0)
        free.append(int(ledger.view.gpu_free_sum_milli[slot[0]]) // 1_000)

    assert [16] * 16 + list(range(15, -1, -1)) + [0] == free
    assert ledger.doubts(slot).tolist() == [Refusal.OVERCOMMITTED]


def test_a_node_with_a_pod_that_cannot_be_read_gives_no_shares(ledger: Ledger) -> None:
    """What it has given out cannot be known until that pod is gone."""
    ledger.pod_seen(ObservedPod("a", "ml/a", 1, Unclear.UNREADABLE, node="n0"), 0)
    marked = ledger.doubts(np.array([0])).tolist()
    ledger.pod_gone("a", 2)

    assert marked == [Refusal.NODE_UNREADABLE]
    assert ledger.doubts(np.array([0])).tolist() == [Refusal.NONE]


def test_a_view_that_is_built_anew_says_the_same(ledger: Ledger) -> None:
    """Seats, promises and doubts are carried over, shapes that nobody uses are not."""
    ledger.node_seen(gpu_node("n1"), 2)
    ledger.node_gone("n0", 3)
    ledger.pod_seen(share("a", 700, node="n1"), 0)
    ledger.promise("b", PodShape(0, 0, 1, 200), ALL, S)
    ledger.assume("b", "n1")
    for milli in range(1, 100):
        ledger.view.intern(PodShape(0, 0, 1, milli))
    before, version = used(ledger, "n1"), ledger.version
    ledger.renew()

    assert before == used(ledger, "n1") == [900, 0, 0]
    assert len(ledger.view.shapes) == 2
    assert ledger.version > version
    assert ledger.flights("")[0].lands(np.array([0])).tolist() == [True]
