"""A range of Prometheus becomes samples: in parts, by labels, absent where there is no answer.

A server on loopback answers as Prometheus does and remembers what it was asked; a real one follows
in `test_real_prometheus_is_read`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoscaler.sources.prometheus import STEPS_A_REQUEST, PrometheusRange
from autoscaler.sources.prometheus_api import PrometheusServer
from gpu_fleet.errors import InputError
from tests.autoscaler.sources.answering import matrix, serve
from tests.certificates import Authority

if TYPE_CHECKING:
    from pathlib import Path


def every_step(query: dict[str, str]) -> str:
    """One series that counts the steps of whatever range is asked for."""
    start, end, step = (int(query[word]) for word in ("start", "end", "step"))
    return matrix(({}, [(at, str(at // step)) for at in range(start, end + 1, step)]))


def test_a_long_range_is_asked_in_parts_and_put_together() -> None:
    """No part has more points than the server gives, and none is asked twice."""
    steps = 2 * STEPS_A_REQUEST + 500
    with serve(body=every_step) as asked:
        (samples,) = PrometheusRange(
            PrometheusServer(asked.url), "x", 30, 60 * steps + 30, 60
        ).read()

    assert samples.values.tolist() == [float(n) for n in range(1, steps + 1)]
    assert samples.times_ns.tolist() == [60 * n * 10**9 for n in range(1, steps + 1)]
    sizes = [(int(q["end"]) - int(q["start"])) // 60 + 1 for q in asked.queries]
    assert sizes == [STEPS_A_REQUEST, STEPS_A_REQUEST, 500]


def test_each_series_is_named_by_its_labels() -> None:
    """In one order, quoted as PromQL quotes; the range ends for all of them alike."""
    body = matrix(
        ({"__name__": "up", "pod": "b", "job": 'a"b'}, [(60, "1"), (120, "NaN"), (180, "3")]),
        ({"pod": "a"}, [(0, "5")]),
    )
    with serve(body=body) as asked:
        b, a = PrometheusRange(PrometheusServer(asked.url), "x", 0, 240, 60, name="n").read()

    assert (a.name, b.name) == ('{pod="a"}', 'up{job="a\\"b",pod="b"}')
    assert b.times_ns.tolist() == [n * 60 * 10**9 for n in (1, 2, 3, 4)]
    np.testing.assert_array_equal(b.values, [1.0, np.nan, 3.0, np.nan])
    assert len(a) == 5


def test_one_series_is_named_as_wished_or_by_its_query() -> None:
    """An expression has no labels."""
    with serve(body=every_step) as asked:
        server = PrometheusServer(asked.url)
        (plain,) = PrometheusRange(server, "sum( x )", 0, 60, 60).read()
        (named,) = PrometheusRange(server, "sum( x )", 0, 60, 60, name="gpus", unit="GPUs").read()

    assert (plain.name, named.name, named.unit) == ("sum( x )", "gpus", "GPUs")
    assert plain.source == f"{asked.url}: sum( x )"


def test_series_without_a_number_are_left_out_and_told() -> None:
    """One division by zero does not hide the others."""
    with serve(body=matrix(({"pod": "a"}, [(0, "NaN")]), ({"pod": "b"}, [(0, "1")]))) as asked:
        (samples,) = PrometheusRange(PrometheusServer(asked.url), "x", 0, 60, 60).read()

    assert samples.name == '{pod="b"}'
    assert samples.notes == ("1 series without a number left out",)


def test_a_trusted_server_gets_the_token(tmp_path: Path) -> None:
    """Over TLS, checked against the authority that is named; another one is refused."""
    authority = Authority("of the test")
    (tmp_path / "ca.crt").write_bytes(authority.certificate)
    issued = authority.issue("prometheus").write(tmp_path, "server")
    token = tmp_path / "token"
    token.write_text("secret\n", encoding="utf-8")
    with serve(body=every_step, certificate=issued) as asked:
        server = PrometheusServer(asked.url, ca_file=tmp_path / "ca.crt", token_file=token)
        (samples,) = PrometheusRange(server, "x", 0, 60, 60).read()
        with pytest.raises(InputError, match=r"its certificate is not trusted \(.*\); name the"):
            PrometheusRange(PrometheusServer(asked.url), "x", 0, 60, 60).read()

    assert len(samples) == 2
    assert asked.tokens == ["Bearer secret"]
