"""Random draws that depend on a key and on nothing else.

A generator that is shared makes one decision depend on how many came before it, and then a live
service, a simulator and a what-if can never agree. Here a draw is a function of (seed, sequence),
by splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
This module must not keep state.
"""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["draw", "draw_below", "name_key"]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def draw(seed: int, sequence: int) -> int:
    """A 64-bit number that looks random, the same for the same key for ever."""
    z = (_mix(seed & _MASK) + (sequence + 1) * _GOLDEN) & _MASK
    return _mix(z)


def draw_below(seed: int, sequence: int, limit: int) -> int:
    """A number in 0..limit-1. The bias is below limit / 2**64, far under anything measurable."""
    return draw(seed, sequence) * limit >> 64


def name_key(name: str, salt: int = 0) -> int:
    """A stable 63-bit key of a name: an order that no renaming of others can disturb."""
    digest = blake2b(name.encode(), digest_size=8, key=salt.to_bytes(8, "big", signed=False))
    return int.from_bytes(digest.digest(), "big") >> 1


def _mix(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
