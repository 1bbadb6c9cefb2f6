"""A draw is a function of its key: the same on any machine, at any time, in any order.

The expected numbers were written down once; if they change, every published log changes with them.
These tests must not compare draws with each other only.
"""

from __future__ import annotations

from collections import Counter

import pytest

from gpu_fleet.draws import draw, draw_below, name_key

PUBLISHED = (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F)
"""The first numbers of splitmix64 from seed 0, as in the generator's reference implementation."""


def test_draws_from_seed_zero_are_the_published_ones() -> None:
    """Anybody's splitmix64 gives these numbers."""
    assert tuple(draw(0, sequence) for sequence in range(3)) == PUBLISHED


def test_draws_are_these_numbers_for_ever() -> None:
    """Seeds are mixed first; written down once."""
    assert draw(42, 0) == 0x989B3F130A063869
    assert draw(42, 1) == 0x290DB4BF2570DED7


def test_name_keys_are_these_numbers_for_ever() -> None:
    """The order of nodes that decides between equals rests on them."""
    assert name_key("node-7") == 6210274382435968402
    assert name_key("node-7", salt=1) == 3271155589051677736


@pytest.mark.parametrize("limit", [1, 2, 7, 1_000])
def test_a_bounded_draw_stays_below_its_limit(limit: int) -> None:
    """And reaches both ends."""
    seen = Counter(draw_below(1, sequence, limit) for sequence in range(20_000))

    assert min(seen) == 0
    assert max(seen) == limit - 1


def test_draws_are_even_over_seeds_and_over_sequences() -> None:
    """Neighbouring keys are as unlike as distant ones: no corner of the unit is preferred."""
    by_sequence = Counter(draw_below(7, sequence, 10) for sequence in range(10_000))
    by_seed = Counter(draw_below(seed, 7, 10) for seed in range(10_000))

    for counts in (by_sequence, by_seed):
        assert all(850 < counts[part] < 1_150 for part in range(10))


def test_keys_fit_into_a_column() -> None:
    """63 bits: an order key is a non-negative int64."""
    keys = [name_key(f"node-{at}") for at in range(1_000)]

    assert len(set(keys)) == 1_000
    assert min(keys) >= 0
    assert max(keys) < 2**63
    assert max(keys) > 2**62
