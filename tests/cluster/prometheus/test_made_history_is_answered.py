"""A day that never was is asked for like one that was: range queries over made history.

Forecasts are judged over weeks of load; no test waits for them. What Prometheus answers must be
what was put in, and what it scrapes must go on.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import pytest

from tests.cluster.prometheus.peer import Scrape, Settings
from tests.cluster.prometheus.series import Series, every
from tests.cluster.prometheus.target import serve_target
from tests.cluster.waiting import wait_until

if TYPE_CHECKING:
    from tests.cluster.prometheus.peer import Prometheus

pytestmark = pytest.mark.prove

DAY_S = 86_400
STEP_S = 60
HISTORY_START_S = 1_700_006_400
"""Years ago, and a whole minute, so that a query's steps meet the points."""


def test_a_range_is_answered_as_it_was_made(prometheus: Prometheus) -> None:
    """Two days of two agents, minute by minute, come back value by value."""
    minutes = range(2 * DAY_S // STEP_S)
    made = [
        Series(
            "queued_requests",
            {"agent": agent},
            every(
                STEP_S,
                (level + math.sin(minute / 229.0) for minute in minutes),
                since_s=HISTORY_START_S,
            ),
        )
        for agent, level in (("coder", 8.0), ("tester", 3.0))
    ]
    prometheus.add_history(made)
    end_s = HISTORY_START_S + 2 * DAY_S - STEP_S
    answered = prometheus.query_range(
        "queued_requests", start_s=HISTORY_START_S, end_s=end_s, step_s=STEP_S
    )
    (most,) = prometheus.query("max(max_over_time(queued_requests[2d]))", at_s=end_s)

    assert made == sorted(answered, key=lambda series: series.labels["agent"])
    assert max(value for series in made for _, value in series.points) == most.points[0][1]


def test_the_present_goes_on_after_history(prometheus: Prometheus) -> None:
    """History up to a minute ago and what is scraped now are one series to a query."""
    now_s = math.floor(time.time())
    labels = {"instance": "i", "job": "router"}
    past = every(15, range(100), since_s=now_s - 60 - 99 * 15)
    with serve_target("requests_total 1000\n") as target:
        prometheus.configure(Settings((Scrape("router", (target.address,), labels),)))
        prometheus.add_history([Series("requests_total", labels, past)])
        (series,) = wait_until(
            "a series of history and present",
            lambda: prometheus.query_range(
                "requests_total", start_s=now_s - 600, end_s=time.time(), step_s=1
            ),
            lambda seen: seen and seen[0].points[-1][1] == 1000.0,
        )

    values = [value for _, value in series.points]

    assert labels == series.labels
    assert values == sorted(values)
    assert {98.0, 99.0, 1000.0} <= set(values)
