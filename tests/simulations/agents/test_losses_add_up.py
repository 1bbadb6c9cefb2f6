"""Every GPU-second that a task takes beyond its work is lost to exactly one term."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpu_fleet.clock import NS_PER_S
from simulations.agents.losses import TERMS
from tests.simulations.agents.small import FIXED_MINUTE, GB, kind, node, one_kind, run, scenario

POLICIES = ("least-loss", "fgd", "best-fit", "least-allocated", "most-allocated", "random")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("load", [0.6, 1.4])
def test_the_terms_make_the_total(policy: str, load: float) -> None:
    """To the last milli-GPU-nanosecond: the total comes from the ends of tasks, not from terms."""
    losses = run(policy=policy, load=load).losses

    assert losses.total == sum(losses.by_term.values())
    assert all(losses.by_term[term] >= 0 for term in TERMS)


def test_the_total_is_completion_less_work_times_gpus() -> None:
    """Recomputed here from every counted task."""
    made = run(load=1.0)
    counted = made.passages[-made.tasks :]

    assert made.losses.total == sum(
        p.gpu_milli * (p.ended_ns - p.arrived_ns - p.work_ns) for p in counted
    )


def test_without_bytes_nothing_is_lost_to_locality() -> None:
    """Take every size away, and no GPU waits for data."""
    empty = replace(scenario(), dataset_bytes={})
    made = run(empty, load=1.0)

    assert made.losses.by_term["locality"] == 0
    assert made.moved_bytes == 0


def test_without_differences_nothing_is_lost_to_specialisation() -> None:
    """An agent that is equally fast everywhere loses nothing by running anywhere."""
    even = one_kind(
        kind("even", {"FAST": 1_000, "SLOW": 1_000}), node("a", "FAST"), node("b", "SLOW")
    )

    assert run(even, load=1.0).losses.by_term["specialisation"] == 0


def test_a_single_shape_that_fills_nodes_strands_nothing() -> None:
    """Whole GPUs on nodes of GPUs leave no pieces: all waiting is for want of GPU."""
    plain = one_kind(kind("plain", {"FAST": 1_000}), node("a", "FAST"))
    made = run(plain, load=1.5)
    backing_off_ns = 10 * NS_PER_S * 1_000 * made.tasks

    assert made.losses.by_term["waiting"] > 0
    assert made.losses.by_term["stranding"] <= backing_off_ns


def test_gpus_in_pieces_are_stranding() -> None:
    """Two halves of two GPUs are free, and a task for a whole one has to wait: not for want."""
    mixed = replace(
        scenario(),
        kinds=(
            kind("half", {"FAST": 1_000, "SLOW": 1_000}, milli=600),
            kind("pair", {"FAST": 1_000, "SLOW": 1_000}, gpus=2),
        ),
        dataset_bytes={},
    )

    assert run(mixed, policy="least-allocated", load=1.2).losses.by_term["stranding"] > 0


def test_one_task_on_an_empty_fleet_pays_for_what_it_lacks() -> None:
    """10 GB at 1 GB/s before 60 s of work, at half speed, on two GPUs."""
    slow = kind("lone", {"SLOW": 500, "FAST": 1_000}, data=("w",), gpus=2, work=FIXED_MINUTE)
    there = (node("s", "SLOW"), node("f", "FAST", gpus=1))
    made = run(one_kind(slow, *there, sizes={"w": 10 * GB}), load=0.05, tasks=20, warm_up_percent=0)
    first = made.passages[0]

    assert first.completion_ns == (10 + 120) * NS_PER_S
    assert made.losses.gpu_seconds()["locality"] == pytest.approx(2 * 10)
    assert made.losses.gpu_seconds()["specialisation"] == pytest.approx(20 * 2 * 60)
