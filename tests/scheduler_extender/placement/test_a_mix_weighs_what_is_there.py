"""The pod mix as a fleet sees it: pods weigh by how long they stay, CPU by parts of GPU-time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_fleet.pods import PodShape
from scheduler_extender.placement.pod_mix import MixClass, PodMix

SHAPES = st.builds(
    PodShape,
    cpu_milli=st.integers(0, 200_000),
    memory_mib=st.integers(0, 1 << 20),
    gpu_count=st.sampled_from([1, 2, 8]),
)
MIXES = st.lists(
    st.builds(MixClass, SHAPES, st.integers(1, 10_000), st.integers(1, 10**7)),
    min_size=1,
    max_size=12,
).map(lambda classes: PodMix(tuple(classes)))


def test_a_pod_that_leaves_at_once_weighs_little() -> None:
    """A hundred pods of a minute are less than one of a day."""
    brief = MixClass(PodShape(1_000, 0, 1, 810), 100, 60)
    lasting = MixClass(PodShape(1_000, 0, 1, 470), 1, 86_400)

    assert PodMix((brief, lasting)).share_sizes() == {470: 86_400, 810: 6_000}


def test_where_nobody_knows_how_long_pods_stay_arrivals_are_the_weight() -> None:
    """Every class is given the same default."""
    mix = PodMix.of([PodShape(0, 0, 1, 250)] * 3 + [PodShape(0, 0, 1, 500)])
    sizes = mix.share_sizes()

    assert sizes[250] == 3 * sizes[500]


def test_parts_keep_apart_who_asks_for_much_cpu() -> None:
    """Three quarters of the GPU-time ask for 4 CPU beside a GPU, the last for 20."""
    mix = PodMix.of([PodShape(4_000, 0, 1)] * 3 + [PodShape(20_000, 0, 1)])

    assert mix.cpu_per_gpu_milli(4) == (4_000, 4_000, 4_000, 20_000)
    assert mix.cpu_per_gpu_milli(2) == (4_000, 12_000)
    assert mix.cpu_per_gpu_milli(1) == (8_000,)


def test_cpu_of_pods_without_gpu_is_added_in_proportion() -> None:
    """As much CPU again without GPU doubles what each GPU needs beside it."""
    mix = PodMix.of([PodShape(4_000, 0, 1), PodShape(12_000, 0, 1), PodShape(16_000, 0)])

    assert mix.cpu_per_gpu_milli(2) == (8_000, 24_000)


@pytest.mark.parametrize(
    ("shape", "parts"),
    [
        pytest.param(PodShape(4_000, 0), (), id="no pod asks for a GPU"),
        pytest.param(PodShape(0, 0, 1), (0, 0), id="no pod asks for CPU"),
    ],
)
def test_what_nobody_asks_for_limits_nothing(shape: PodShape, parts: tuple[int, ...]) -> None:
    """No part, or parts that need none."""
    assert PodMix.of([shape]).cpu_per_gpu_milli(2) == parts


@given(mix=MIXES, parts=st.integers(1, 16))
def test_the_parts_rise_and_their_mean_is_the_mix(mix: PodMix, parts: int) -> None:
    """Nothing is lost by cutting, but a milli-CPU of rounding for each part."""
    cut = mix.cpu_per_gpu_milli(parts)
    whole = mix.cpu_per_gpu_milli(1)[0]

    assert len(cut) == parts
    assert list(cut) == sorted(cut)
    assert sum(cut) / parts == pytest.approx(whole, abs=2)
