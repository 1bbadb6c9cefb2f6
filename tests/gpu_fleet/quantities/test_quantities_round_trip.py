"""What is written back means the same, and canonical text comes back unchanged."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_fleet.errors import InputError
from gpu_fleet.quantities import Notation, Quantity, parse

UNITS = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    **{suffix: Fraction(10 ** (3 * (i + 1))) for i, suffix in enumerate("kMGTPE")},
    **{f"{suffix}i": Fraction(2 ** (10 * (i + 1))) for i, suffix in enumerate("KMGTPE")},
    **{f"e{n}": Fraction(10) ** n for n in range(-12, 19)},
    **{f"E+{n}": Fraction(10**n) for n in range(18)},
}
MOST = 2**63 - 1

QUANTITIES = st.builds(
    Quantity, st.integers(-MOST * 10**9, MOST * 10**9), st.sampled_from(list(Notation))
)


@given(QUANTITIES)
def test_the_amount_survives_writing_and_reading(quantity: Quantity) -> None:
    """Not one nano is lost in any notation, up to the largest amount Kubernetes knows."""
    assert quantity.nanos == parse(str(quantity)).nanos


@given(QUANTITIES)
def test_canonical_text_is_stable(quantity: Quantity) -> None:
    """Reading canonical text and writing it in its notation gives the very same characters.

    Text without a suffix does not tell its notation: 15625000 is read as decimal, which is 15625k.
    """
    text = str(quantity)

    assert text == str(replace(parse(text), notation=quantity.notation))


@given(
    st.sampled_from(["", "+", "-"]),
    st.integers(0, 10**12).map(str),
    st.one_of(st.none(), st.text("0123456789", max_size=12)),
    st.sampled_from(list(UNITS)),
)
def test_every_way_to_write_it_is_the_exact_product(
    sign: str, whole: str, part: str | None, suffix: str
) -> None:
    """Number times unit, capped at int64, the last nano rounded away from zero."""
    number = Fraction(whole) + (Fraction(int(part), 10 ** len(part)) if part else 0)
    exact = min(number * UNITS[suffix], Fraction(MOST)) * 10**9
    magnitude = -(-exact.numerator // exact.denominator)

    parsed = parse(f"{sign}{whole}{'' if part is None else f'.{part}'}{suffix}")

    assert (-magnitude if sign == "-" else magnitude) == parsed.nanos


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("+2", "2"),
        (".5", "500m"),
        ("5.", "5"),
        ("1.5", "1500m"),
        ("1.5Gi", "1536Mi"),
        ("1024Ki", "1Mi"),
        ("1023Ki", "1023Ki"),
        ("0.5Ki", "512"),
        ("0.9Gi", "966367641600m"),
        ("1000n", "1u"),
        ("1E", "1E"),
        ("1Ei", "1Ei"),
        ("1e3", "1e3"),
        ("12e2", "1200"),
        ("1E-3", "1e-3"),
        ("1e-10", "1e-9"),
        ("9999Ei", "9223372036854775807"),
        ("1e99999999999999999999", "9223372036854775807"),
    ],
)
def test_it_is_written_as_apimachinery_writes_it(text: str, canonical: str) -> None:
    """No fraction, the largest suffix that keeps the number whole, the notation it came in."""
    assert canonical == str(parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "-",
        "1e",
        "1e1.5",
        "Ki",
        "1ki",
        "1K",
        "1 ",
        " 1",
        "1\n",
        "nan",
        "inf",
        "1e3Ki",
        "0x10",
        "\N{ARABIC-INDIC DIGIT ONE}",
        "1_000",
        "1,5",
        "--1",
        "1" * 65,
        True,
        float("nan"),
    ],
)
def test_anything_else_is_refused(text: str | float) -> None:
    """One line that shows what was given and what is wanted."""
    with pytest.raises(InputError, match="is not a Kubernetes quantity; write a number") as caught:
        parse(text)

    assert "\n" not in str(caught.value)
