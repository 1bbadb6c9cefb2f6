"""Disks: nothing is fetched twice, what is read stays, and the least recently used goes first."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gpu_fleet.clock import NS_PER_S
from simulations.agents.disks import NodeDisk
from tests.simulations.agents.small import run, scenario

SIZES = {0: 10, 1: 20, 2: 30, 3: 40}


def _needed(*datasets: int) -> list[tuple[int, int]]:
    return [(dataset, SIZES[dataset]) for dataset in datasets]


def test_what_is_there_is_not_fetched_again() -> None:
    """The second pod starts at once and moves nothing."""
    disk = NodeDisk(capacity_bytes=100, bytes_per_s=10)
    first = disk.fetch(0, _needed(0, 1))
    second = disk.fetch(5 * NS_PER_S, _needed(0, 1))

    assert (first.ready_ns, first.moved_bytes) == (3 * NS_PER_S, 30)
    assert (second.ready_ns, second.moved_bytes) == (5 * NS_PER_S, 0)


def test_what_is_on_its_way_is_waited_for() -> None:
    """A pod that comes in the middle of a fetch shares it."""
    disk = NodeDisk(100, 10)
    disk.fetch(0, _needed(1))
    late = disk.fetch(1 * NS_PER_S, _needed(1))

    assert (late.ready_ns, late.moved_bytes) == (2 * NS_PER_S, 0)


def test_a_link_brings_one_thing_after_the_other() -> None:
    """Two pods at the same moment wait for 1 s and for 1 + 2 s."""
    disk = NodeDisk(100, 10)

    assert disk.fetch(0, _needed(0)).ready_ns == 1 * NS_PER_S
    assert disk.fetch(0, _needed(1)).ready_ns == 3 * NS_PER_S


def test_the_least_recently_used_goes_first() -> None:
    """Three are there, the first was used again: the second makes room."""
    disk = NodeDisk(60, 10)
    for dataset in (0, 1, 2):
        disk.release(disk.fetch(0, _needed(dataset)).pinned)
    disk.release(disk.fetch(9 * NS_PER_S, _needed(0)).pinned)

    assert disk.fetch(9 * NS_PER_S, [(9, 15)]).evicted == (1,)


def test_what_a_pod_reads_is_never_thrown_away() -> None:
    """There is no room beside it, so the new data is fetched and not kept."""
    disk = NodeDisk(45, 10)
    disk.fetch(0, _needed(3))
    passing = disk.fetch(0, _needed(1))
    again = disk.fetch(60 * NS_PER_S, _needed(1))

    assert (passing.evicted, passing.arriving, passing.moved_bytes) == ((), (), 20)
    assert again.moved_bytes == 20


@given(st.lists(st.tuples(st.sets(st.integers(0, 3), min_size=1), st.booleans()), max_size=40))
def test_the_disk_never_holds_more_than_it_has(steps: list[tuple[set[int], bool]]) -> None:
    """Kept bytes, from what each fetch reports, stay within the disk and above nothing."""
    disk, kept, pinned, now_ns = NodeDisk(70, 10), set[int](), list[tuple[int, ...]](), 0
    for datasets, leaves in steps:
        if leaves and pinned:
            disk.release(pinned.pop(0))
        fetch = disk.fetch(now_ns, _needed(*sorted(datasets)))
        pinned.append(fetch.pinned)
        kept -= set(fetch.evicted)
        kept |= {dataset for dataset, _ in fetch.arriving}
        now_ns += NS_PER_S

        assert sum(SIZES[dataset] for dataset in kept) <= 70
        assert fetch.moved_bytes <= sum(SIZES[dataset] for dataset in datasets)
        assert set(fetch.pinned) <= kept


def test_bytes_moved_are_those_of_the_counted_tasks() -> None:
    """Every passage knows what its start has moved."""
    made = run(load=1.0)
    counted = made.passages[-made.tasks :]

    assert made.moved_bytes == sum(passage.moved_bytes for passage in counted) > 0


def test_a_disk_for_everything_moves_less() -> None:
    """With room for all datasets each node fetches each of them once at most."""
    made = scenario()
    roomy = run(replace(made, disk_bytes=10**15), warm_up_percent=0)

    assert roomy.moved_bytes <= 3 * sum(made.dataset_bytes.values())
