"""Seeds as people write them: `42..51`, both ends included, or a list, or one.

This module must not draw anything.
"""

from __future__ import annotations

from gpu_fleet.errors import InputError

__all__ = ["parse_seeds"]

_MOST_SEEDS = 10_000


def parse_seeds(text: str) -> tuple[int, ...]:
    """The seeds that `text` names, in its order."""
    seeds: list[int] = []
    for part in text.split(","):
        first, dots, last = part.strip().partition("..")
        if not first.isdecimal() or (dots and not last.isdecimal()):
            raise _wrong(f"'{text}' does not name seeds")
        start, end = int(first), int(last) if dots else int(first)
        if end < start:
            raise _wrong(f"'{text}' runs backwards")
        if len(seeds) + end - start >= _MOST_SEEDS:
            raise _wrong(f"'{text}' names more than {_MOST_SEEDS} seeds")
        seeds.extend(range(start, end + 1))
    if len(set(seeds)) != len(seeds):
        raise _wrong(f"'{text}' names a seed twice")
    return tuple(seeds)


def _wrong(problem: str) -> InputError:
    return InputError(problem, remedy="write 42..51, or 42, or 42,43", field="--seeds")
