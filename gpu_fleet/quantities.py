"""Kubernetes resource quantities, exactly.

`100m`, `1.5Gi` and `1e3` are amounts of money here: a request that is rounded down oversubscribes a
node, an allocatable that is rounded up does the same. So a quantity is a whole number of nano-units
(the finest that Kubernetes knows), and each conversion says which way it rounds. Parsing and
writing follow apimachinery's resource.Quantity, whose canonical text comes back unchanged.
This module must not use floating point, nor know what an amount is for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TypeAlias

from gpu_fleet.errors import InputError

__all__ = [
    "Amount",
    "Notation",
    "Quantity",
    "Rounding",
    "count",
    "cpu_milli",
    "memory_mib",
    "parse",
]

Amount: TypeAlias = "Quantity | str | int | float"
"""A quantity, or what JSON may hold in its place."""

NANOS = 10**9
_MIB = 1 << 20
_MOST = (1 << 63) - 1
"""apimachinery caps amounts at the largest int64."""
_MOST_CHARACTERS = 64
_MOST_EXPONENT = 99
"""Beyond it every amount is either capped or one nano, and a power of ten would fill the memory."""

_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_SUFFIXES = ("", *_BINARY)
_DECIMAL_SUFFIXES = {exponent: suffix for suffix, exponent in _DECIMAL.items()}

_SHAPE = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]*))?"
    r"(?:(?P<binary>[KMGTPE]i)|[eE](?P<exponent>[+-]?[0-9]+)|(?P<decimal>[numkMGTPE]?))"
)


class Rounding(Enum):
    """Which way an amount goes when it is not whole."""

    UP = "up"
    """For requests: what is asked for is there."""
    DOWN = "down"
    """For allocatable amounts: what is promised is there."""


class Notation(Enum):
    """The family of suffixes that a quantity was written with and is written in again."""

    BINARY = "binary"
    DECIMAL = "decimal"
    EXPONENT = "exponent"


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact amount. Equal amounts in different notations differ; compare `nanos` for amounts."""

    nanos: int
    notation: Notation = Notation.DECIMAL

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.nanos + other.nanos, self.notation)

    def __str__(self) -> str:
        """The canonical text: no fraction, the largest suffix that keeps it whole."""
        if self._is_written_in_binary():
            return _with_suffix(self.nanos // NANOS, 1024, _BINARY_SUFFIXES)
        mantissa, exponent = _without_thousands(self.nanos)
        if self.notation is Notation.EXPONENT and exponent:
            return f"{mantissa}e{exponent}"
        return f"{mantissa}{_DECIMAL_SUFFIXES[exponent]}"

    def scaled(self, unit_nanos: int, rounding: Rounding) -> int:
        """Whole units of `unit_nanos`, rounded towards more (UP) or less (DOWN)."""
        if rounding is Rounding.UP:
            return -(-self.nanos // unit_nanos)
        return self.nanos // unit_nanos

    def _is_written_in_binary(self) -> bool:
        """Below 1Ki, and where a fraction would get lost, apimachinery writes decimal as well."""
        is_whole = self.nanos % NANOS == 0
        return self.notation is Notation.BINARY and is_whole and abs(self.nanos) >= 1024 * NANOS


def parse(amount: Amount) -> Quantity:
    """The quantity that a text or a JSON number stands for; raises `InputError`.

    Finer than a nano is rounded away from zero, because who asks for something wants some of it.

    >>> str(parse("1.5Gi")), str(parse("0.1")), str(parse("12e2"))
    ('1536Mi', '100m', '1200')
    """
    if isinstance(amount, Quantity):
        return amount
    return _parse(amount if isinstance(amount, str) else repr(amount))


@lru_cache(maxsize=4096)  # a dump of 100,000 pods repeats some hundred texts
def _parse(text: str) -> Quantity:
    match = _SHAPE.fullmatch(text) if len(text) <= _MOST_CHARACTERS else None
    digits = "" if match is None else match["whole"] + (match["part"] or "")
    if match is None or not digits:
        raise _not_a_quantity(text)
    magnitude, scale = int(digits), -len(match["part"] or "")
    notation = Notation.DECIMAL
    shift = 0
    if match["binary"]:
        notation, shift = Notation.BINARY, _BINARY[match["binary"]]
    elif match["exponent"]:
        notation, scale = Notation.EXPONENT, scale + _exponent(match["exponent"])
    else:
        scale += _DECIMAL[match["decimal"]]
    nanos = min(_nanos(magnitude << shift, scale), _MOST * NANOS)
    if notation is Notation.BINARY and 0 < nanos < NANOS:
        notation = Notation.DECIMAL  # as apimachinery does: a fraction of one has no binary text
    return Quantity(-nanos if match["sign"] == "-" else nanos, notation)


def cpu_milli(amount: Amount, rounding: Rounding) -> int:
    """Thousandths of a CPU."""
    return parse(amount).scaled(NANOS // 1_000, rounding)


def memory_mib(amount: Amount, rounding: Rounding) -> int:
    """MiB (2**20 bytes); the quantity is in bytes."""
    return parse(amount).scaled(NANOS * _MIB, rounding)


def count(amount: Amount) -> int:
    """Whole things, such as devices; half a device is an `InputError`."""
    quantity = parse(amount)
    if quantity.nanos % NANOS:
        raise InputError(f"{quantity} is not a whole number", remedy="ask for whole ones")
    return quantity.nanos // NANOS


def _exponent(digits: str) -> int:
    return max(-_MOST_EXPONENT, min(_MOST_EXPONENT, int(digits)))


def _nanos(magnitude: int, scale: int) -> int:
    """`magnitude` x 10**`scale` in nanos, rounded up."""
    power = scale + 9
    tens: int = 10 ** abs(power)
    return magnitude * tens if power >= 0 else -(-magnitude // tens)


def _without_thousands(nanos: int) -> tuple[int, int]:
    """Mantissa and exponent of ten, a multiple of three, of an amount in nanos."""
    if nanos == 0:
        return 0, 0
    exponent = -9
    while nanos % 1000 == 0 and exponent < _DECIMAL["E"]:
        nanos //= 1000
        exponent += 3
    return nanos, exponent


def _with_suffix(number: int, base: int, suffixes: tuple[str, ...]) -> str:
    level = 0
    while number % base == 0 and level < len(suffixes) - 1:
        number //= base
        level += 1
    return f"{number}{suffixes[level]}"


def _not_a_quantity(text: str) -> InputError:
    short = text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}..."
    return InputError(
        f"{short!r} is not a Kubernetes quantity",
        remedy="write a number with an optional suffix, such as 500m, 2, 1.5Gi or 1e3",
    )
