"""Random numbers by name: every cause of chance in a run has a stream of its own.

It exists so that two policies compared on one seed meet the same arrivals, sizes, lifetimes and
failures (common random numbers), whatever either of them draws in between.
It must not hold a generator that two consumers share, nor touch global randomness.

A stream is keyed by (seed, name) and nothing else.
Adding a stream, or creating streams in another order, never shifts another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import numpy as np

from gpu_fleet.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

T = TypeVar("T", int, float)

_BLOCK_SIZE: Final = 4096
"""Scalars per numpy call: past about a thousand, the call's own cost has vanished."""


@dataclass(frozen=True, slots=True)
class Streams:
    r"""The random streams of one replication.

    >>> Streams(42).generator("arrivals").integers(100, size=3).tolist() == \
    ...     Streams(42).generator("arrivals").integers(100, size=3).tolist()
    True
    """

    seed: int
    """The replication's seed, a whole number of 0 or more."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise SimulationError(f"seed is {self.seed}: a seed is a whole number of 0 or more")

    def generator(self, name: str) -> np.random.Generator:
        """Return a fresh generator of the stream `name`, at its beginning.

        Two calls with one name give the same numbers twice, so each consumer names its own cause:
        "arrivals", "lifetimes", "node-failures".
        """
        sequence = np.random.SeedSequence(self.seed, spawn_key=_words(name))
        return np.random.Generator(np.random.PCG64(sequence))


def _words(name: str) -> tuple[int, ...]:
    """Hash a name to four 32-bit words; Python's own hash() differs from process to process."""
    digest = blake2b(name.encode(), digest_size=16).digest()
    return tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))


class Block(Generic[T]):
    """Scalars one at a time, drawn from a numpy stream in blocks.

    A scalar numpy draw costs about a microsecond, one from a block a few tens of nanoseconds.
    `draw(n)` must return n values whose sequence does not depend on how it is cut into blocks,
    as numpy's samplers do; then neither do the scalars.

    >>> rng = Streams(1).generator("service")
    >>> times_s = Block[float](lambda n: rng.exponential(2.0, n))
    >>> times_s.next() > 0
    True
    """

    __slots__ = ("next",)

    next: Callable[[], T]
    """Return the next scalar, as a Python int or float. Bind it to a local name in a hot loop."""

    def __init__(self, draw: Callable[[int], NDArray[Any]], size: int = _BLOCK_SIZE) -> None:
        """Draw `size` values at a time, the first block only when the first scalar is asked for."""
        if size < 1:
            raise SimulationError(f"block size is {size}: a block holds at least one value")
        lists = map(np.ndarray.tolist, map(draw, repeat(size)))
        self.next = chain.from_iterable(lists).__next__
