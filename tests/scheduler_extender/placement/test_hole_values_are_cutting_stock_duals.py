"""What a free part of a GPU is worth: the duals of cutting GPUs into what the mix asks for.

The worked examples are small enough to be solved with a pencil. These tests must not look at nodes.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_fleet.scores import MICRO
from scheduler_extender.placement.hole_value import effective_sizes, hole_values

MIXES = st.dictionaries(st.integers(1, 999), st.integers(1, 500), min_size=1, max_size=6)

EXAMPLES: dict[str, tuple[dict[int, int], dict[int, int]]] = {
    "halves cost half a GPU": ({500: 10}, {500: MICRO // 2}),
    "two of 0.46 fill a GPU, so each costs half": ({460: 10}, {460: MICRO // 2}),
    "0.81 leaves nothing that anybody could use": ({810: 10}, {810: MICRO}),
    "three of 0.3 fill a GPU": ({300: 10}, {300: 333_333}),
    "0.7 and 0.3 fill a GPU between them": (
        # Many 0.3 beyond the pairs are cut three to a GPU: 1/3 each, so 0.7 costs the other 2/3.
        {700: 10, 300: 100},
        {700: 666_667, 300: 333_333},
    ),
    "0.7 without enough 0.3 cost a whole GPU, and 0.3 ride along": (
        {700: 100, 300: 10},
        {700: MICRO, 300: 0},
    ),
    "quarters beside halves": ({250: 7, 500: 7}, {250: MICRO // 4, 500: MICRO // 2}),
}


@pytest.mark.parametrize("story", EXAMPLES)
def test_a_size_costs_what_a_pencil_says(story: str) -> None:
    """The dual of each size, in micro-GPU."""
    frequencies, expected = EXAMPLES[story]

    assert expected == effective_sizes(frequencies)


def test_a_hole_is_worth_the_best_way_to_fill_it() -> None:
    """With 0.46 at half a GPU: nothing below it, half from there on, and one from 0.92."""
    values = hole_values({460: 10})

    assert values[459] == 0
    assert values[460] == values[919] == MICRO // 2
    assert values[920] == values[1_000] == MICRO


def test_without_parts_only_a_whole_gpu_is_worth_anything() -> None:
    """A mix of whole GPUs makes every broken GPU worthless."""
    values = hole_values({})

    assert not values[:1_000].any()
    assert values[1_000] == MICRO


def test_classes_that_never_came_do_not_count() -> None:
    """A frequency of zero, or a whole GPU among the parts, changes nothing."""
    assert hole_values({460: 10}).tolist() == hole_values({460: 10, 300: 0, 1_000: 99}).tolist()


@settings(max_examples=60, deadline=None)
@given(frequencies=MIXES)
def test_a_larger_hole_is_never_worth_less(frequencies: dict[int, int]) -> None:
    """Monotone from nothing to one GPU, in whole micro-GPU."""
    values = hole_values(frequencies)

    assert len(values) == 1_001
    assert values[0] == 0
    assert values[1_000] == MICRO
    assert (values[1:] >= values[:-1]).all()


@settings(max_examples=60, deadline=None)
@given(frequencies=MIXES)
def test_two_holes_together_are_worth_no_less_than_apart(frequencies: dict[int, int]) -> None:
    """Superadditive, but for the micro-GPU that rounding may cost where a GPU is full."""
    values = hole_values(frequencies)
    for first in range(0, 1_001, 7):
        apart = values[first] + values[: 1_001 - first]

        assert (apart <= values[first:] + 50).all()


@settings(max_examples=60, deadline=None)
@given(frequencies=MIXES)
def test_duals_price_every_pattern_at_most_at_one_gpu(frequencies: dict[int, int]) -> None:
    """No way to cut a GPU is worth more than a GPU, and the whole demand is paid for."""
    sizes = effective_sizes(frequencies)
    best = [0] * 1_001
    for room in range(1, 1_001):
        best[room] = max(
            [
                best[room - 1],
                *(best[room - size] + cost for size, cost in sizes.items() if size <= room),
            ]
        )

    assert best[1_000] <= MICRO + 1_000
    fluid = sum(size * count for size, count in frequencies.items()) * 1_000
    priced = sum(sizes[size] * count for size, count in frequencies.items())

    # The linear program needs at least the GPUs that the demand adds up to.
    assert priced >= fluid - 1_000 * sum(frequencies.values())
