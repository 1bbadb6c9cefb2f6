"""What an extender is up against: weights as 1.37.2 merges them, nodes as it samples them.

The rows were worked out from the Go sources by hand; `test_kube_scheduler_agrees` asks the binary.
"""

from __future__ import annotations

import pytest

from scheduler_extender.scheduler_config.document import Plugin, Plugins, PluginSet, Profile
from scheduler_extender.scheduler_config.durations import seconds
from scheduler_extender.scheduler_config.scores import (
    SCORING,
    nodes_looked_at,
    score_weights,
    weight_to_decide,
    weight_to_outweigh,
)


def plugins(**weights: int) -> tuple[Plugin, ...]:
    """Plugins with these weights."""
    return tuple(Plugin(name=name, weight=weight) for name, weight in weights.items())


EVERYTHING = (Plugin(name="*"),)

CASES: list[tuple[str, Plugins, dict[str, int]]] = [
    ("nothing changed", Plugins(), dict(SCORING)),
    (
        "one score disabled",
        Plugins(score=PluginSet(disabled=plugins(ImageLocality=0))),
        {name: weight for name, weight in SCORING.items() if name != "ImageLocality"},
    ),
    (
        "a weight overridden at score",
        Plugins(score=PluginSet(enabled=plugins(NodeAffinity=7))),
        {**SCORING, "NodeAffinity": 7},
    ),
    (
        "an override without a weight",
        Plugins(score=PluginSet(enabled=plugins(NodeAffinity=0))),
        {**SCORING, "NodeAffinity": 1},
    ),
    (
        "a weight overridden everywhere",
        Plugins(multi_point=PluginSet(enabled=plugins(NodeAffinity=7))),
        {**SCORING, "NodeAffinity": 7},
    ),
    (
        "score wins over multiPoint",
        Plugins(
            multi_point=PluginSet(enabled=plugins(NodeAffinity=7)),
            score=PluginSet(enabled=plugins(NodeAffinity=9)),
        ),
        {**SCORING, "NodeAffinity": 9},
    ),
    (
        "all scores but one",
        Plugins(score=PluginSet(disabled=EVERYTHING, enabled=plugins(NodeResourcesFit=4))),
        {"NodeResourcesFit": 4},
    ),
    (
        "all defaults but one",
        Plugins(multi_point=PluginSet(disabled=EVERYTHING, enabled=plugins(TaintToleration=2))),
        {"TaintToleration": 2},
    ),
    (
        "plugins that do not score",
        Plugins(multi_point=PluginSet(enabled=plugins(NodePorts=0, DefaultBinder=0))),
        dict(SCORING),
    ),
    (
        "a plugin of one's own",
        Plugins(score=PluginSet(enabled=plugins(Mine=3))),
        {**SCORING, "Mine": 3},
    ),
]


@pytest.mark.parametrize(("plugins_", "weights"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_weights_of_a_profile_are_those_that_run(
    plugins_: Plugins, weights: dict[str, int]
) -> None:
    """Defaults, multiPoint and score are merged as kube-scheduler merges them."""
    assert weights == score_weights(Profile(plugins=plugins_))


def test_the_defaults_give_fifteen_hundred_points() -> None:
    """Nine plugins with weights of 15 together, each worth 100 points."""
    rivals = sum(SCORING.values())

    assert rivals == 15
    assert weight_to_decide(rivals) == 16
    assert weight_to_outweigh(rivals) == 151


@pytest.mark.parametrize("rivals", [0, 1, 12, 15, 400])
def test_the_thresholds_are_exact(rivals: int) -> None:
    """At a threshold the extender wins; one below, the others can tie or win."""
    everything = 100 * rivals
    decides, outweighs = weight_to_decide(rivals), weight_to_outweigh(rivals)

    assert 100 * decides > everything >= 100 * (decides - 1)
    assert 10 * outweighs > everything >= 10 * (outweighs - 1)


@pytest.mark.parametrize(
    ("nodes", "percent", "looked_at"),
    [
        (50, 0, 50),
        (99, 5, 99),
        (100, 0, 100),
        (250, 0, 120),
        (1_000, 0, 420),
        (1_213, 0, 497),
        (5_000, 0, 500),
        (20_000, 0, 1_000),
        (1_000, 5, 100),
        (1_000, 100, 1_000),
    ],
)
def test_sampling_looks_at_so_many_nodes(nodes: int, percent: int, looked_at: int) -> None:
    """50 % less one for each 125 nodes, at least 5 % and 100 nodes; all below 100."""
    assert looked_at == nodes_looked_at(nodes, percent)


@pytest.mark.parametrize(
    ("text", "length_s"),
    [
        ("200ms", 0.2),
        ("1m30s", 90.0),
        ("1.5h", 5400.0),
        (".5s", 0.5),
        ("-1s", -1.0),
        ("+2s", 2.0),
        ("0", 0.0),
        ("0s", 0.0),
        ("", None),
        ("5", None),
        ("1 s", None),
        ("1d", None),
        ("s", None),
        ("-", None),
        ("1s!", None),
    ],
)
def test_a_duration_is_what_go_reads(text: str, length_s: float | None) -> None:
    """Units as in Go, several in a row, and nothing that Go would refuse."""
    found = seconds(text)

    assert (found is None) == (length_s is None)
    assert length_s is None or pytest.approx(length_s) == found
