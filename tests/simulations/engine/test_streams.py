"""A stream is its seed and its name, and nothing that happened before."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_fleet.errors import SimulationError
from simulations.durations import Duration, Exponential, Fixed, HyperExponential, LogNormal
from simulations.streams import Block, Streams

# PCG64 and SeedSequence are fixed for good (NEP 19), so these may never change:
# if they do, every recorded figure has lost its seed.
GOLDEN = [11862819080995210692, 17394536045649371661]

DURATIONS: list[Duration] = [
    Exponential(2.0),
    Fixed(2.0),
    LogNormal(2.0, 1.5),
    HyperExponential(2.0, 4.0),
]


def draws(seed: int, name: str, count: int = 4) -> list[int]:
    """The first raw numbers of a stream."""
    return [int(word) for word in Streams(seed).generator(name).bit_generator.random_raw(count)]


def test_one_seed_and_name_give_one_stream_for_good() -> None:
    """Golden: on any machine, with any numpy, under any hash seed."""
    assert draws(42, "arrivals", 2) == GOLDEN


def test_the_stream_is_the_same_in_another_process() -> None:
    """Python's own hash() would differ there."""
    code = (
        "from simulations.streams import Streams;"
        "print(*Streams(42).generator('arrivals').bit_generator.random_raw(2))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout

    assert printed.split() == [str(word) for word in GOLDEN]


@given(st.permutations(["arrivals", "sizes", "lifetimes", "failures"]), st.integers(0, 2**64))
def test_the_order_of_creation_shifts_nothing(order: list[str], seed: int) -> None:
    """Adding a stream, or asking in another order, leaves every other stream as it was."""
    streams = Streams(seed)
    in_order = {
        name: streams.generator(name).bit_generator.random_raw(3).tolist() for name in order
    }

    assert in_order == {name: draws(seed, name, 3) for name in order}


def test_drawing_from_one_stream_does_not_advance_another() -> None:
    """A policy that draws more dice still meets the same arrivals."""
    streams = Streams(1)
    streams.generator("tie-breaks").random(1000)

    assert streams.generator("arrivals").random() == Streams(1).generator("arrivals").random()


def test_names_and_seeds_that_look_alike_give_streams_that_do_not() -> None:
    """1,600 streams, no two with the same first word, and nearly uncorrelated."""
    keys = [(seed, f"{name}{index}") for seed in range(40) for name in "ab" for index in range(20)]
    first = [draws(seed, name, 1)[0] for seed, name in keys]

    assert len(set(first)) == len(keys)

    left, right = Streams(1).generator("a").random(20_000), Streams(2).generator("a").random(20_000)

    assert abs(np.corrcoef(left, right)[0, 1]) < 0.03


def test_a_negative_seed_is_refused() -> None:
    """The library would refuse it later and less clearly."""
    with pytest.raises(SimulationError, match="seed is -1"):
        Streams(-1)


@pytest.mark.parametrize("duration", DURATIONS, ids=lambda duration: type(duration).__name__)
def test_scalars_do_not_depend_on_the_size_of_the_block(duration: Duration) -> None:
    """So the block size is free to be tuned without changing any result."""
    runs = []
    for size in (1, 7, 4096):
        block = Block[int](partial(duration.sample_ns, Streams(5).generator("service")), size)
        runs.append([block.next() for _ in range(50)])

    assert runs[0] == runs[1] == runs[2]
    assert {type(value) for value in runs[0]} == {int}


def test_a_block_draws_nothing_before_it_is_asked() -> None:
    """A stream that a model never uses costs nothing."""
    asked: list[int] = []

    def draw(count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        asked.append(count)
        return np.zeros(count)

    block = Block[float](draw, size=3)

    assert asked == []

    for _ in range(4):
        block.next()

    assert asked == [3, 3]


def test_a_block_holds_at_least_one_value() -> None:
    """A block of none would never come to an end."""
    with pytest.raises(SimulationError, match="block size is 0"):
        Block[float](np.zeros, size=0)
