"""Rounding is where a cluster gets oversubscribed, so it is stated as a property."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_fleet.errors import InputError
from gpu_fleet.quantities import Quantity, Rounding, count, cpu_milli, memory_mib, parse

NANOS = st.integers(min_value=-(10**27), max_value=10**27)


@given(NANOS)
def test_up_is_the_least_whole_amount_that_covers_the_request(nanos: int) -> None:
    """Never less than asked for, and less than one unit more."""
    exact = Fraction(nanos, 10**6)

    rounded = cpu_milli(Quantity(nanos), Rounding.UP)

    assert exact <= rounded < exact + 1


@given(NANOS)
def test_down_is_the_most_whole_amount_that_is_really_there(nanos: int) -> None:
    """Never more than promised, and less than one unit below."""
    exact = Fraction(nanos, 10**9 * 2**20)

    rounded = memory_mib(Quantity(nanos), Rounding.DOWN)

    assert exact - 1 < rounded <= exact


@given(st.integers(min_value=0, max_value=10**12))
def test_whole_amounts_do_not_care_about_the_direction(milli: int) -> None:
    """What needs no rounding is not rounded."""
    text = f"{milli}m"

    assert cpu_milli(text, Rounding.UP) == milli == cpu_milli(text, Rounding.DOWN)


@pytest.mark.parametrize(
    ("text", "up", "down"),
    [
        pytest.param("100m", 100, 100, id="a tenth of a core"),
        pytest.param("0.1", 100, 100, id="the same as a fraction"),
        pytest.param("1n", 1, 0, id="a nano still asks for something"),
        pytest.param("100.5m", 101, 100, id="half a milli"),
        pytest.param("0.30000000000000004", 301, 300, id="what a float leaves behind"),
        pytest.param("2", 2000, 2000, id="two cores"),
        pytest.param("1e3", 1_000_000, 1_000_000, id="exponent"),
        pytest.param("-1500u", -1, -2, id="negative rounds by direction, not by size"),
        pytest.param(2, 2000, 2000, id="a JSON number"),
        pytest.param(0.5, 500, 500, id="a JSON fraction"),
    ],
)
def test_cpu(text: str | float, up: int, down: int) -> None:
    """Thousandths of a core, both ways."""
    assert (up, down) == (cpu_milli(text, Rounding.UP), cpu_milli(text, Rounding.DOWN))


@pytest.mark.parametrize(
    ("text", "up", "down"),
    [
        pytest.param("1Gi", 1024, 1024, id="binary"),
        pytest.param("1G", 954, 953, id="decimal gigabyte is 953.67 MiB"),
        pytest.param("1.5Gi", 1536, 1536, id="fraction of a binary unit"),
        pytest.param("1", 1, 0, id="one byte"),
        pytest.param("32767472Ki", 32_000, 31_999, id="what a kubelet reports"),
        pytest.param("128974848000m", 123, 123, id="milli bytes, as the docs warn"),
        pytest.param("8Ei", 8_796_093_022_208, 8_796_093_022_207, id="capped at int64, like them"),
    ],
)
def test_memory(text: str, up: int, down: int) -> None:
    """MiB, both ways."""
    assert (up, down) == (memory_mib(text, Rounding.UP), memory_mib(text, Rounding.DOWN))


def test_a_sum_is_rounded_once() -> None:
    """Three containers of half a milli are two milli, not three: add first, round then."""
    half = parse("500u")

    assert cpu_milli(half + half + half, Rounding.UP) == 2


def test_devices_come_whole() -> None:
    """`2`, `2k` and `2000m` count devices, `1500m` is refused."""
    assert [count("2"), count("2k"), count("2000m")] == [2, 2000, 2]

    with pytest.raises(InputError, match="1500m is not a whole number"):
        count("1500m")
