"""Rules are evaluated by Prometheus itself, over what it scrapes and in promtool's unit tests.

A recording rule and an alert stand for those that services will ship. What the rules are about is
made up here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gpu_fleet.errors import ServiceError
from tests.cluster.prometheus.peer import Scrape, Settings
from tests.cluster.prometheus.target import serve_target
from tests.cluster.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cluster.prometheus.peer import Prometheus
    from tests.cluster.prometheus.promtool import Promtool

    Write = Callable[[str, object], Path]

pytestmark = pytest.mark.prove

RULES = {
    "groups": [
        {
            "name": "queue",
            "interval": "1s",
            "rules": [
                {"record": "agent:queued_requests:sum", "expr": "sum by (agent) (queued_requests)"},
                {
                    "alert": "QueueIsLong",
                    "expr": "agent:queued_requests:sum > 10",
                    "for": "2s",
                    "labels": {"severity": "page"},
                },
            ],
        }
    ]
}
PAGE = """
# TYPE queued_requests gauge
queued_requests{{agent="coder",replica="0"}} {0}
queued_requests{{agent="coder",replica="1"}} {0}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of this test; JSON is YAML."""

    def written(name: str, body: object) -> Path:
        path = tmp_path / name
        path.write_text(json.dumps(body), encoding="utf-8")
        return path

    return written


def test_a_rule_records_and_an_alert_fires(prometheus: Prometheus, write: Write) -> None:
    """Two replicas are scraped, their sum is recorded, and its alert fires after its time."""
    with serve_target(PAGE.format(3)) as target:
        scrape = Scrape("router", (target.address,))
        prometheus.configure(Settings((scrape,), (write("rules.json", RULES),)))
        (calm,) = wait_until(
            "a recorded sum", lambda: prometheus.query("agent:queued_requests:sum")
        )

        assert calm.labels == {"agent": "coder"}
        assert calm.points[0][1] == 6.0
        assert prometheus.alerts() == {}

        target.text = PAGE.format(8)
        wait_until(
            "an alert that fires",
            prometheus.alerts,
            lambda seen: seen == {"QueueIsLong": "firing"},
        )
        ((_, recorded),) = prometheus.query("agent:queued_requests:sum")[0].points

        assert recorded == 16.0


def test_a_wrong_rule_is_refused_with_its_reason(prometheus: Prometheus, write: Write) -> None:
    """What cannot be parsed never becomes the configuration, and the complaint says where."""
    wrong = {"groups": [{"name": "g", "rules": [{"record": "a", "expr": "sum("}]}]}

    with pytest.raises(ServiceError, match="unclosed left parenthesis"):
        prometheus.configure(Settings(rule_files=(write("wrong.json", wrong),)))


def rule_test(rules: Path, alerts_at_2s: list[dict[str, Any]]) -> dict[str, Any]:
    """A unit test in promtool's own words."""
    return {
        "rule_files": [str(rules)],
        "evaluation_interval": "1s",
        "tests": [
            {
                "interval": "1s",
                "input_series": [{"series": 'queued_requests{agent="coder"}', "values": "20x10"}],
                "alert_rule_test": [
                    {
                        "eval_time": "2s",
                        "alertname": "QueueIsLong",
                        "exp_alerts": alerts_at_2s,
                    }
                ],
            }
        ],
    }


def test_promtool_runs_the_unit_tests_of_rules(promtool: Promtool, write: Write) -> None:
    """A right expectation passes, a wrong one is an error with what came instead."""
    rules = write("rules.json", RULES)
    fires = {"exp_labels": {"severity": "page", "agent": "coder"}}

    assert "2 rules found" in promtool.check_rules(rules)
    assert "SUCCESS" in promtool.test_rules(write("right.json", rule_test(rules, [fires])))
    with pytest.raises(ServiceError, match="QueueIsLong"):
        promtool.test_rules(write("wrong.json", rule_test(rules, [])))
