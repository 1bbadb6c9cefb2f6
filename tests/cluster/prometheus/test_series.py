"""History goes in as text and comes back as JSON; both are one shape to a test.

These are facts of the two formats; that Prometheus agrees is for the tests that start it.
"""

from __future__ import annotations

import math

import pytest

from tests.cluster.prometheus.series import Series, every, openmetrics, read_answer


def test_points_come_at_a_steady_pace() -> None:
    """The first is at its time, each further one a step later."""
    assert every(15, [1, 2, 3], since_s=100) == ((100, 1.0), (115, 2.0), (130, 3.0))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.25, "0.25"), (3.0, "3.0"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN")],
)
def test_a_value_is_written_as_openmetrics_has_it(value: float, text: str) -> None:
    """Numbers keep every digit; what is no number has its own word."""
    assert openmetrics([Series("load", {}, ((1, value),))]) == f"load{{}} {text} 1.000\n# EOF\n"


def test_a_label_may_hold_anything() -> None:
    """Quotes, backslashes and line ends are escaped, so they stay within their line."""
    series = Series("load", {"pod": 'a"b\\c\nd', "zone": "z"}, ((1.5, 2),))

    assert openmetrics([series]) == 'load{pod="a\\"b\\\\c\\nd",zone="z"} 2.0 1.500\n# EOF\n'


@pytest.mark.parametrize(
    ("data", "series"),
    [
        (
            {"resultType": "vector", "result": [{"metric": {"a": "b"}, "value": [1, "2"]}]},
            Series("", {"a": "b"}, ((1.0, 2.0),)),
        ),
        (
            {
                "resultType": "matrix",
                "result": [{"metric": {"__name__": "m"}, "values": [[1, "2"], [2, "+Inf"]]}],
            },
            Series("m", {}, ((1.0, 2.0), (2.0, math.inf))),
        ),
        ({"resultType": "scalar", "result": [1, "2"]}, Series("", {}, ((1.0, 2.0),))),
    ],
    ids=["an instant", "a range", "a number"],
)
def test_every_kind_of_answer_is_series(data: dict[str, object], series: Series) -> None:
    """Whatever was asked, the answer is read the same way."""
    assert [series] == read_answer(data)
