"""`simulate replay --policies kube-scheduler`: what a cluster does without us."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.simulations.commands.door import NODE_HEADER, POD_HEADER, Told, knock

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NODES = f"{NODE_HEADER}\na,32000,131072,2,T4\nb,32000,131072,2,T4\nc,64000,131072,2,T4\n"


def replay(
    capsys: pytest.CaptureFixture[str], folder: Path, pods: tuple[str, ...], *words: object
) -> Told:
    """Replays pods (`name gpus created deleted`) on three nodes with two GPUs each."""
    lines = [POD_HEADER]
    for pod in pods:
        name, gpus, created, deleted = pod.split()
        lines.append(f"{name},4000,8192,{gpus},1000,,{created},{deleted}")
    (folder / "pods.csv").write_text("\n".join((*lines, "")), encoding="utf-8")
    (folder / "nodes.csv").write_text(NODES, encoding="utf-8")
    files = ("--pods", folder / "pods.csv", "--nodes", folder / "nodes.csv")
    rest = ("--seeds", "1", "--warm-up", "0", "--check", "--log", folder / "log")
    return knock(capsys, "simulate", "replay", *files, *rest, "--json", "-", *words)


def nodes_of(folder: Path) -> list[str]:
    """Where pods went, in order, by the decision log."""
    lines = (folder / "log").read_text(encoding="utf-8").splitlines()
    return [line.split(",")[4] for line in lines if ",place," in line]


TWO = ("x 1 0 100", "y 1 1 100")


def test_the_emptiest_node_wins_as_in_a_cluster(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sum of allocation and balance by hand; defaults look at no GPU.

    First: c (93 + 93) / 2 + 75 = 168, a (87 + 93) / 2 + 73 = 163. Then c has 87 + 75 = 162.
    """
    told = replay(capsys, tmp_path, TWO, "--policies", "kube-scheduler")

    assert told.code == 0, told.err
    assert nodes_of(tmp_path) == ["c", "a"]
    assert "kube-scheduler is a model of 1.37.2 that knows pods by their shapes" in told.err


def test_a_configuration_changes_what_wins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With MostAllocated and without the balance, small nodes fill up first."""
    config = tmp_path / "scheduler.yaml"
    config.write_text(MOST_ALLOCATED, encoding="utf-8")

    told = replay(
        capsys, tmp_path, TWO, "--policies", "kube-scheduler", "--scheduler-config", config
    )

    assert nodes_of(tmp_path) == ["a", "a"]
    assert len(spec(told)["scheduler_config_sha256"]) == 64


def test_it_stands_beside_policies_on_the_same_arrivals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows come in the order asked for, and the checker finds nothing oversubscribed."""
    pods = tuple(f"p{number} {1 + number % 2} {number} {60 + number}" for number in range(30))

    told = replay(capsys, tmp_path, pods, "--policies", "fgd,kube-scheduler,best-fit")

    assert spec(told)["policies"] == ["fgd", "kube-scheduler", "best-fit"]
    assert len(json.loads(told.out)["rows"]) == 3
    assert "checked 3 runs independently" in told.err


def test_the_same_seed_gives_the_same_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model of a scheduler that draws nothing without an extender draws nothing."""
    logs = set()
    for _ in range(2):
        replay(capsys, tmp_path, TWO, "--policies", "kube-scheduler")
        logs.add((tmp_path / "log").read_text(encoding="utf-8"))

    assert len(logs) == 1


def test_a_configuration_without_its_policy_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who configures what is not asked for is told so before anything runs."""
    told = replay(capsys, tmp_path, TWO, "--policies", "fgd", "--scheduler-config", "x.yaml")

    assert told.code == 2
    assert "--scheduler-config: configures kube-scheduler" in told.err


def test_a_dump_of_nodes_brings_what_shapes_do_not_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pod that runs on the emptier node keeps others away by its own preference."""
    lonely = running_pod("big", away_from={"matchExpressions": []})
    dump = listed(*dumped_nodes(), lonely)
    (tmp_path / "nodes.json").write_text(json.dumps(dump), encoding="utf-8")

    told = replay(
        capsys, tmp_path, TWO, "--policies", "kube-scheduler", "--nodes", tmp_path / "nodes.json"
    )

    assert told.code == 0, told.err
    assert nodes_of(tmp_path) == ["small", "small"]


def spec(told: Told) -> dict[str, Any]:
    """What decided the result, by the JSON document."""
    return dict(json.loads(told.out)["spec"])


def listed(*items: dict[str, Any]) -> dict[str, Any]:
    """What kubectl prints around objects."""
    return {"apiVersion": "v1", "kind": "List", "items": list(items)}


def dumped_nodes() -> list[dict[str, Any]]:
    """Two nodes, of which one has twice the CPU."""
    amounts = {"memory": "128Gi", "pods": "110", "nvidia.com/gpu": "2"}
    ready = [{"type": "Ready", "status": "True"}]
    return [
        {
            "kind": "Node",
            "metadata": {"name": name, "labels": {"nvidia.com/gpu.product": "T4", "host": name}},
            "status": {"allocatable": {"cpu": cpu, **amounts}, "conditions": ready},
        }
        for name, cpu in (("big", "64"), ("small", "32"))
    ]


def running_pod(node: str, away_from: dict[str, Any]) -> dict[str, Any]:
    """A pod on a node that would rather be without those of its own namespace."""
    term = {"topologyKey": "host", "labelSelector": away_from}
    preferred = [{"weight": 1, "podAffinityTerm": term}]
    anti = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    return {
        "kind": "Pod",
        "metadata": {"name": "lonely", "namespace": "default"},
        "spec": {
            "nodeName": node,
            "affinity": anti,
            "containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}],
        },
        "status": {"phase": "Running"},
    }


MOST_ALLOCATED = """
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: packing
  plugins:
    score:
      disabled:
      - name: NodeResourcesBalancedAllocation
  pluginConfig:
  - name: NodeResourcesFit
    args:
      scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}]}
"""
