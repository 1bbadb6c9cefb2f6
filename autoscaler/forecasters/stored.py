"""Reading back what a forecaster stored: each part is checked before anything is built from it.

A stored model comes from a file that anybody may have changed, so nothing of it is believed: a part
that is absent, of the wrong kind or not finite is named. This module must not read a file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from gpu_fleet.errors import InputError
from gpu_fleet.forecasts import Target

__all__ = [
    "bad_part",
    "levels_of",
    "number",
    "numbers",
    "part",
    "parts",
    "state_of_targets",
    "targets_of",
    "text",
    "whole",
]


def bad_part(field: str, problem: str) -> InputError:
    """A part of a stored model that cannot be used."""
    return InputError(problem, field=field, remedy="forget this model and fit it again")


def _found(state: Mapping[str, object], field: str) -> object:
    if field not in state:
        raise bad_part(field, "this part of a stored model is missing")
    return state[field]


def text(state: Mapping[str, object], field: str) -> str:
    """A part that is text."""
    value = _found(state, field)
    if not isinstance(value, str):
        raise bad_part(field, "a stored model needs text here")
    return value


def number(state: Mapping[str, object], field: str) -> float:
    """A part that is a finite number."""
    return _finite(_found(state, field), field)


def whole(state: Mapping[str, object], field: str, *, least: int) -> int:
    """A part that is a whole number, `least` or more."""
    value = _found(state, field)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise bad_part(field, f"a stored model needs a whole number of {least} or more here")
    return value


def numbers(state: Mapping[str, object], field: str) -> list[float]:
    """A part that is a list of finite numbers."""
    return [_finite(value, field) for value in _items(_found(state, field), field)]


def part(state: Mapping[str, object], field: str) -> Mapping[str, object]:
    """A part that has parts of its own."""
    return _mapping(_found(state, field), field)


def parts(state: Mapping[str, object], field: str) -> list[Mapping[str, object]]:
    """A list of parts that have parts of their own."""
    return [_mapping(value, field) for value in _items(_found(state, field), field)]


def state_of_targets(targets: Sequence[Target]) -> list[list[int]]:
    """Targets as JSON could hold them."""
    return [[target.ahead, int(target.peak)] for target in targets]


def targets_of(state: Mapping[str, object], field: str) -> tuple[Target, ...]:
    """The targets that were stored."""
    return tuple(_target(value, field) for value in _items(_found(state, field), field))


def levels_of(state: Mapping[str, object], field: str) -> tuple[float, ...]:
    """The quantile levels that were stored: between 0 and 1, rising."""
    levels = tuple(numbers(state, field))
    rising = all(low < high for low, high in pairwise(levels))
    if not levels or not rising or levels[0] <= 0 or levels[-1] >= 1:
        raise bad_part(field, "quantile levels rise and lie between 0 and 1")
    return levels


def _target(value: object, field: str) -> Target:
    match value:
        case [int(ahead), 0 | 1 as peak] if ahead >= 1:
            return Target(ahead, bool(peak))
        case _:
            raise bad_part(field, "a target is [steps ahead, 0 or 1 for its peak]")


def _finite(value: object, field: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise bad_part(field, "a stored model needs finite numbers here")
    return float(value)


def _items(value: object, field: str) -> Sequence[object]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise bad_part(field, "a stored model needs a list here")
    return value


def _mapping(value: object, field: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise bad_part(field, "a stored model needs named parts here")
    return value
