"""A bundled workload has the proportions that its document states, whatever the seed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import InputError
from gpu_fleet.readings import Missing
from simulations.recipes.fleet import NODE_KINDS, fleet
from simulations.recipes.pods import POD_CLASSES, Arrivals, pods

if TYPE_CHECKING:
    from gpu_fleet.pods import PodShape


def _kind(shape: PodShape) -> str:
    if shape.is_share:
        return "part"
    return {0: "none", 1: "one"}.get(shape.gpu_count, "several")


def test_the_tables_are_whole() -> None:
    """Shares add up, so that no pod and no node kind is lost between them."""
    assert sum(kind.permille for kind in NODE_KINDS) == 1_000
    assert sum(entry.per_10_000 for entry in POD_CLASSES) == 10_000


def test_pods_come_in_the_published_classes() -> None:
    """13 % ask for no GPU, 38 % for part of one, 48 % for one, 0.9 % for several."""
    share = Counter(_kind(traced.pod.shape) for traced in pods(20_000, seed=7).pods)

    assert {name: round(share[name] / 200, 1) for name in share} == pytest.approx(
        {"none": 13.3, "part": 37.8, "one": 48.0, "several": 0.9}, abs=1.0
    )


def test_eight_gpus_are_most_of_several() -> None:
    """Half and more of the pods for several GPUs want a whole node."""
    counts = Counter(
        entry.gpus for entry in POD_CLASSES for _ in range(entry.per_10_000) if entry.gpus > 1
    )

    assert counts[8] * 2 > sum(counts.values())


def test_cpu_goes_with_gpus_as_published() -> None:
    """14 vCPU for each GPU that is asked for, pods without GPU included."""
    cpu = sum(entry.cpu_milli * entry.per_10_000 for entry in POD_CLASSES)
    gpu = sum(entry.gpus * entry.gpu_milli * entry.per_10_000 for entry in POD_CLASSES)

    assert cpu / gpu == pytest.approx(14.0, abs=0.2)


def test_arrivals_swing_once_a_day() -> None:
    """The hours around the peak see more than twice the pods of the hours around the trough."""
    hours = Counter((traced.created_s or 0) // 3_600 for traced in pods(20_000, seed=3).pods)
    peak = sum(hours[hour % 24] for hour in range(20, 25))
    trough = sum(hours[hour] for hour in range(8, 13))

    assert peak > 2 * trough


def test_creation_is_in_order_and_every_pod_lives() -> None:
    """So the file can be replayed as it is."""
    traced = pods(2_000, seed=5).pods
    created = [pod.created_s or 0 for pod in traced]

    assert created == sorted(created)
    assert all((pod.deleted_s or 0) > (pod.created_s or 0) for pod in traced)


def test_few_pods_hold_most_of_the_time() -> None:
    """The tail is heavy: the longest tenth of the pods has most of all lifetimes."""
    stays = sorted((pod.deleted_s or 0) - (pod.created_s or 0) for pod in pods(5_000, seed=1).pods)

    assert sum(stays[-500:]) > 0.6 * sum(stays)


def test_another_rate_of_arrivals_keeps_the_pods() -> None:
    """Each cause of chance has a stream of its own."""
    calm = pods(300, seed=2, arrivals=Arrivals(swing=0.0))
    wavy = pods(300, seed=2)

    assert [p.pod for p in calm.pods] == [p.pod for p in wavy.pods]
    assert [p.created_s for p in calm.pods] != [p.created_s for p in wavy.pods]


@pytest.mark.parametrize("nodes", [1, 7, 64, 100, 1_000])
def test_a_fleet_has_as_many_nodes_as_asked(nodes: int) -> None:
    """Whole nodes, unique names, and a known memory in every device."""
    made = fleet(nodes).nodes

    assert len(made) == nodes == len({node.name for node in made})
    assert not any(isinstance(d.memory_mib, Missing) for node in made for d in node.devices)


def test_half_the_nodes_have_eight_gpus() -> None:
    """51 % of the published nodes do, 43 % have two."""
    sizes = Counter(len(node.devices) for node in fleet(1_000).nodes)

    assert sizes[8] / 10 == pytest.approx(50.9, abs=1.0)
    assert sizes[2] / 10 == pytest.approx(42.7, abs=1.0)


def test_absurd_sizes_are_refused() -> None:
    """One line, and what to do."""
    with pytest.raises(InputError, match="0 nodes are not possible"):
        fleet(0)
    with pytest.raises(InputError, match="0 pods are not possible"):
        pods(0)
