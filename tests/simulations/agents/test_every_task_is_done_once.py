"""No task is lost, doubled, or ends on a node it was not given."""

from __future__ import annotations

from collections import Counter

import pytest

from simulations.decision_log import parse
from tests.simulations.agents.small import run

POLICIES = ("least-loss", "fgd", "best-fit", "least-allocated", "random")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("load", [0.5, 0.9, 1.6])
def test_each_task_is_placed_once_and_departs_once(policy: str, load: float) -> None:
    """Whatever the policy, also when more comes than the fleet can do at once."""
    made = run(policy=policy, load=load)
    entries = list(parse(made.log.splitlines()))
    placed = {e.pod: e.node for e in entries if e.event == "place"}
    departed = {e.pod: e.node for e in entries if e.event == "depart"}
    counts = Counter(e.event for e in entries)

    assert len(placed) == len(departed) == counts["place"] == counts["depart"] == 200
    assert placed == departed


def test_time_runs_forward_through_every_passage() -> None:
    """Arrived, started, ready, ended: in this order."""
    for passage in run(load=1.2).passages:
        assert passage.arrived_ns <= passage.started_ns <= passage.ready_ns < passage.ended_ns, (
            passage
        )


def test_no_device_is_given_twice() -> None:
    """Recomputed from the log alone: no GPU carries more than a whole one at any moment."""
    made = run(load=1.2)
    milli = {"part": 400, "whole": 1_000, "pair": 1_000}
    used: Counter[tuple[str, int]] = Counter()
    where: dict[str, tuple[tuple[str, int], ...]] = {}
    for entry in parse(made.log.splitlines()):
        asked = milli[entry.pod.partition(".")[0]]
        if entry.event == "place":
            where[entry.pod] = tuple((entry.node, device) for device in entry.devices)
            used.update(dict.fromkeys(where[entry.pod], asked))
        if entry.event == "depart":
            used.subtract(dict.fromkeys(where.pop(entry.pod), asked))

        assert all(0 <= amount <= 1_000 for amount in used.values()), entry


def test_tasks_of_one_kind_start_in_the_order_of_the_wait() -> None:
    """Of the tasks of a kind that wait, the one that came first starts first."""
    made = run(load=1.6)
    waiting: dict[str, list[str]] = {}
    for entry in parse(made.log.splitlines()):
        line = waiting.setdefault(entry.pod.partition("#")[0], [])
        if entry.event == "wait":
            line.append(entry.pod)
        if entry.event == "place" and entry.pod in line:
            assert line.pop(0) == entry.pod

    assert not any(waiting.values())
