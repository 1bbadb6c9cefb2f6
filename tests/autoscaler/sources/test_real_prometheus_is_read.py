"""A real Prometheus gives back the history that was put into it, and refuses in words we know.

Years-old history is made for the test. Odd answers that it gives only under stress are the business
of `test_unusable_prometheus_is_refused`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoscaler.history.assembly import series_of
from autoscaler.history.settings import HistorySettings, Kind
from autoscaler.sources.prometheus import PrometheusRange
from autoscaler.sources.prometheus_api import PrometheusServer
from gpu_fleet.errors import InputError
from gpu_fleet.series import MarkKind
from tests.cluster.prometheus.series import Series, every

if TYPE_CHECKING:
    from tests.cluster.prometheus.peer import Prometheus

pytestmark = pytest.mark.prove

STEP_S = 60
START_S = 1_700_006_400
MINUTES = 9 * 1_440
"""Nine days, so that the range must be asked in two parts."""


def history() -> list[Series]:
    """Requests counted by two agents: one restarts, the other is away for an hour."""
    coder = [60.0 * n for n in range(MINUTES // 2)]
    coder += [60.0 * n for n in range(1, MINUTES - len(coder) + 1)]
    tester = list(every(STEP_S, (6.0 * n for n in range(MINUTES)), since_s=START_S))
    return [
        Series("requests_total", {"agent": "coder"}, every(STEP_S, coder, since_s=START_S)),
        Series("requests_total", {"agent": "tester"}, tuple(tester[:3_000] + tester[3_060:])),
    ]


def asked(prometheus: Prometheus, query: str) -> PrometheusRange:
    """A query over all of it."""
    end_s = START_S + (MINUTES - 1) * STEP_S
    return PrometheusRange(PrometheusServer(prometheus.url), query, START_S, end_s, STEP_S)


def complaint(prometheus: Prometheus, query: str) -> str:
    """What is said of a query that gives no history."""
    with pytest.raises(InputError) as caught:
        asked(prometheus, query).read()
    return str(caught.value).replace(f"{prometheus.url}: {query}: ", "")


def test_history_comes_back_and_is_repaired(prometheus: Prometheus) -> None:
    """Counters by label, value by value; a restart and a gap are found; bad queries are refused."""
    made = history()
    prometheus.add_history(made)
    coder, tester = asked(prometheus, "requests_total").read()
    settings = HistorySettings(kind=Kind.COUNTER)
    coded, tested = series_of(coder, settings), series_of(tester, settings)
    (rate,) = asked(prometheus, 'rate(requests_total{agent="coder"}[5m])').read()

    assert coder.name == 'requests_total{agent="coder"}'
    assert coder.values.tolist() == [value for _, value in made[0].points]
    assert coder.times_ns.tolist() == [int(at_s) * 10**9 for at_s, _ in made[0].points]
    np.testing.assert_allclose(coded.values, 1.0)
    assert [mark.kind for mark in coded.marks] == [MarkKind.STEP, MarkKind.RESET]
    # Prometheus looks back for five minutes, so that much of the hour looks like a standstill.
    gaps = [mark for mark in tested.marks if mark.kind is MarkKind.GAP]
    assert [(mark.first, mark.last) for mark in gaps] == [(3_003, 3_058)]
    assert math.isclose(float(np.nanmedian(rate.values)), 1.0)
    assert complaint(prometheus, "sum(") == (
        'refuses the query (invalid parameter "query": 1:5: parse error: unclosed left'
        " parenthesis); correct it"
    )
    assert complaint(prometheus, "no_such_metric").startswith("answers no series in that range")
    assert complaint(prometheus, "0 / (requests_total < bool 0)").startswith(
        "answers no number in that range, only NaN"
    )


def test_a_stopped_server_is_named(prometheus: Prometheus) -> None:
    """It was there, and is not now."""
    prometheus.running.stop()

    assert complaint(prometheus, "up") == (
        "cannot be reached ([Errno 111] Connection refused);"
        " check that it runs and can be reached from here"
    )
