"""The model predicts kube-scheduler 1.37.2: every decision is recorded live and forced on it.

`make prove` records afresh (a thousand decisions each) and `SYNTHSCALE_KEEP_RECORDINGS=1` keeps
what it recorded in `recordings/`, from where `make test` replays it without a cluster.
"""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.components import KUBERNETES_VERSION
from tests.figures import record as write_figures
from tests.simulations.kube.answering import ByHash, recording_extender
from tests.simulations.kube.forcing import summary
from tests.simulations.kube.live import live_extender
from tests.simulations.kube.recorder import record
from tests.simulations.kube.recording import Recording
from tests.simulations.kube.wanted import (
    ALONE,
    ALONE_AT_ONCE,
    FILES,
    LIVE,
    NODES_WHEN_SAMPLED,
    NODES_WHEN_WHOLE,
    WITH_ANSWERS,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet
    from tests.simulations.kube.forcing import Summary
    from tests.simulations.kube.recorder import Wanted

LEAST_AMONG_BEST = 0.99
LEAST_ASKED = 0.5
"""Of the decisions of a live recording, those in which our extender had a say."""


def compared(recording: Recording, wanted: Wanted, tell: Callable[[str], None]) -> Summary:
    """Kept if asked for, forced on the model, written down and told."""
    if os.environ.get("SYNTHSCALE_KEEP_RECORDINGS"):
        FILES.mkdir(exist_ok=True)
        recording.write(FILES / f"{wanted.name}.jsonl.gz")
    result = summary(recording)
    figures = {**asdict(result), "recording": wanted.name, "kubernetes": KUBERNETES_VERSION}
    del figures["mismatches"]
    write_figures(f"kube-scheduler-model_{wanted.name}", [figures])
    tell(f"kube model, {wanted.name}: {result}")
    for mismatch in result.mismatches:
        tell(mismatch)
    return result


@pytest.mark.prove
def test_without_an_extender_every_choice_is_predicted(
    control_plane: ControlPlane, fleet: Fleet, cluster_tell: Callable[[str], None]
) -> None:
    """Defaults with one worker: all nodes, all totals and all choices are the model's, 100 %."""
    recording = record(control_plane, fleet, ALONE, NODES_WHEN_SAMPLED)

    result = compared(recording, ALONE, cluster_tell)

    assert ALONE.decisions == result.equal, result
    assert ALONE.decisions == result.equal_totals, result


@pytest.mark.prove
def test_with_many_workers_the_choice_is_among_the_best(
    control_plane: ControlPlane, fleet: Fleet, cluster_tell: Callable[[str], None]
) -> None:
    """Defaults with sixteen workers: the chosen node has the model's highest total."""
    recording = record(control_plane, fleet, ALONE_AT_ONCE, NODES_WHEN_SAMPLED)

    result = compared(recording, ALONE_AT_ONCE, cluster_tell)

    assert result.among_best >= LEAST_AMONG_BEST * result.decisions, result


@pytest.mark.prove
@pytest.mark.parametrize("wanted", WITH_ANSWERS, ids=lambda wanted: wanted.name)
def test_with_an_extender_the_choice_is_among_the_best(
    control_plane: ControlPlane,
    fleet: Fleet,
    cluster_tell: Callable[[str], None],
    wanted: Wanted,
) -> None:
    """With recorded answers of an extender, the chosen node has the model's highest total."""
    with recording_extender(ByHash(wanted.seed)) as extender:
        recording = record(control_plane, fleet, wanted, NODES_WHEN_WHOLE, extender)

    result = compared(recording, wanted, cluster_tell)

    assert result.among_best >= LEAST_AMONG_BEST * result.decisions, result


@pytest.mark.prove
@pytest.mark.parametrize("wanted", LIVE, ids=lambda wanted: wanted.name)
def test_with_our_own_extender_the_choice_is_among_the_best(
    control_plane: ControlPlane,
    fleet: Fleet,
    tmp_path: Path,
    cluster_tell: Callable[[str], None],
    wanted: Wanted,
) -> None:
    """The process as it is shipped answers; the chosen node has the model's highest total."""
    with live_extender(control_plane, fleet.namespace, tmp_path) as extender:
        recording = record(control_plane, fleet, wanted, NODES_WHEN_WHOLE, extender)

    result = compared(recording, wanted, cluster_tell)

    assert result.asked >= LEAST_ASKED * result.decisions, result
    assert result.among_best >= LEAST_AMONG_BEST * result.decisions, result


def test_a_small_live_recording_is_predicted(control_plane: ControlPlane, fleet: Fleet) -> None:
    """Sixty decisions of a scheduler that runs now, so that `make test` meets a real one too."""
    wanted = replace(ALONE, name="small", decisions=60, seed=7)

    result = summary(record(control_plane, fleet, wanted, 120))

    assert result.equal == 60, result
    assert result.equal_totals == 60, result


@pytest.mark.parametrize(
    "path", sorted(FILES.glob("*.jsonl.gz")), ids=lambda path: path.name.partition(".")[0]
)
def test_kept_recordings_are_predicted(path: object) -> None:
    """What real schedulers decided earlier is what the model decides, total by total."""
    recording = Recording.read(FILES / str(path))

    result = summary(recording)

    assert recording.cluster.kubernetes.startswith("v1.37.")
    assert result.decisions == result.among_best, result
    assert result.decisions == result.equal_totals, result
    if path == FILES / f"{ALONE.name}.jsonl.gz":
        assert result.decisions == result.equal, result


@pytest.mark.parametrize(
    "profile",
    [
        {"plugins": {"score": {"enabled": [{"name": "ImageLocality", "weight": 2}]}}},
        {"plugins": {"score": {"disabled": [{"name": "PodTopologySpread"}]}}},
        {"plugins": {"filter": {"disabled": [{"name": "InterPodAffinity"}]}}},
        {"percentageOfNodesToScore": 60},
        {
            "pluginConfig": [
                {"name": "InterPodAffinity", "args": {"hardPodAffinityWeight": 5}},
                {
                    "name": "NodeResourcesFit",
                    "args": {"scoringStrategy": {"type": "MostAllocated"}},
                },
            ]
        },
    ],
    ids=["weight", "no spread", "no affinity", "sampling", "arguments"],
)
def test_a_scheduler_with_another_profile_is_told_apart(profile: dict[str, Any]) -> None:
    """The comparison bites: forced on any other profile, a recording does not agree."""
    told = Recording.read(FILES / f"{ALONE.name}.jsonl.gz")
    configuration = {**told.cluster.configuration, "profiles": [profile]}
    other = replace(told.cluster, configuration=configuration)

    result = summary(Recording(other, told.decisions[:300]))

    assert result.equal_totals < result.decisions
