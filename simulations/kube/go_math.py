"""Arithmetic that rounds as the Go program does, bit for bit.

Go's logarithm and the C library's differ in the last bit for one number in a hundred, and Python
rounds halves to even where Go rounds them away from zero; both can move a score by one point.
This module must not know what the numbers mean.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["go_log", "go_round"]

_HALF_SQRT_2 = 0.7071067811865476
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_ODD = (6.666666666666735130e-01, 2.857142874366239149e-01, 1.818357216161805012e-01,
        1.479819860511658591e-01)  # fmt: skip
_EVEN = (3.999999999940941908e-01, 2.222219843214978396e-01, 1.531383769920937332e-01)


def go_log(x: float) -> float:
    """The natural logarithm of a positive number by FreeBSD's e_log.c, which Go's math.Log is."""
    fraction, exponent = math.frexp(x)
    if fraction < _HALF_SQRT_2:
        fraction *= 2
        exponent -= 1
    f, k = fraction - 1, float(exponent)
    s = f / (2 + f)
    s2 = s * s
    s4 = s2 * s2
    odd = s2 * (_ODD[0] + s4 * (_ODD[1] + s4 * (_ODD[2] + s4 * _ODD[3])))
    even = s4 * (_EVEN[0] + s4 * (_EVEN[1] + s4 * _EVEN[2]))
    half = 0.5 * f * f
    return k * _LN2_HIGH - ((half - (s * (half + (odd + even)) + k * _LN2_LOW)) - f)


def go_round(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """math.Round of numbers that are not negative: halves go up."""
    whole = np.floor(values)
    return np.asarray(whole + (values - whole >= 0.5), np.int64)  # noqa: PLR2004 - a half is a half
