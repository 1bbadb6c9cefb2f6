"""`simulate replay` on traces small enough to work out by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulations.commands.door import NODE_HEADER, POD_HEADER, Told, knock

if TYPE_CHECKING:
    from pathlib import Path

ONE_NODE = f"{NODE_HEADER}\nn,32000,131072,2,T4\n"


def pods_file(folder: Path, *pods: str) -> Path:
    """A pod list; a pod is `name gpus created deleted`."""
    lines = [POD_HEADER]
    for pod in pods:
        name, gpus, created, deleted = pod.split()
        lines.append(f"{name},1000,1024,{gpus},1000,,{created},{deleted.replace('-', '')}")
    path = folder / "pods.csv"
    path.write_text("\n".join((*lines, "")), encoding="utf-8")
    return path


def replay(capsys: pytest.CaptureFixture[str], folder: Path, *words: object) -> Told:
    """Replays `pods.csv` on a node with two GPUs, all of the time measured."""
    (folder / "nodes.csv").write_text(ONE_NODE, encoding="utf-8")
    files = ("--pods", folder / "pods.csv", "--nodes", folder / "nodes.csv")
    rest = ("--seeds", "1", "--policies", "best-fit", "--warm-up", "0", "--json", "-")
    return knock(capsys, "simulate", "replay", *files, *rest, *words)


def only_row(told: Told) -> dict[str, Any]:
    """The row of the only policy and seed."""
    rows = json.loads(told.out)["rows"]
    assert len(rows) == 1
    return dict(rows[0])


def test_a_pod_starts_when_another_leaves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two GPUs: a and b have them to 100, so c, which came at 20, waits 80 s; d comes at 200.

    c waits for 80 of 200 s, and nothing is free meanwhile. GPU-time: a and b 200, c 100: 300 of
    400. Asked for are 300, and the last pod's 10.
    """
    pods_file(tmp_path, "a 1 0 100", "b 1 0 100", "c 1 20 120", "d 1 200 210")

    row = only_row(replay(capsys, tmp_path))

    assert row["mean_wait_s"] == pytest.approx(80 / 4)
    assert row["started"] == 4
    assert row["offered_load"] == pytest.approx(310 / 400)
    assert row["allocated_gpu_time_avg"] == pytest.approx(75)
    assert row["stranded_gpu_time_avg"] == 0
    assert row["queue_time_share"] == pytest.approx(0.4)
    assert row["waiting_at_end"] == row["rejected"] == 0


def test_gpu_is_stranded_while_somebody_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A holds one GPU to 100; b wants two and waits from 50 to 100 beside a free one.

    So half of the GPUs are stranded for 50 of 200 s: 12.5 %.
    """
    pods_file(tmp_path, "a 1 0 100", "b 2 50 60", "c 1 200 210")

    row = only_row(replay(capsys, tmp_path))

    assert row["stranded_gpu_time_avg"] == pytest.approx(12.5)
    assert row["mean_wait_s"] == pytest.approx(50 / 3)


def test_a_wait_that_is_not_over_is_counted_beside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A never leaves, so b waits to the end: it has no wait, and is not forgotten."""
    pods_file(tmp_path, "a 2 0 -", "b 1 50 60", "c 0 100 110")

    told = replay(capsys, tmp_path)
    row = only_row(told)

    assert row["waiting_at_end"] == 1
    assert row["started"] == 2
    assert row["mean_wait_s"] == 0
    assert "pods without deletion_time stay to the end of the trace: 1" in told.err
    assert "not in the mean" in told.err


def test_a_pod_that_nothing_could_hold_is_rejected_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four GPUs on a fleet of nodes with two: it does not wait for a miracle."""
    pods_file(tmp_path, "a 4 0 100", "b 1 50 60")

    told = replay(capsys, tmp_path)
    row = only_row(told)

    assert row["rejected"] == 1
    assert row["waiting_at_end"] == 0
    assert "why pods are rejected (pods a seed): fewer healthy GPUs than requested 1" in told.err


def test_pods_out_of_order_are_sorted_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same trace in another order gives the same figures, and a note."""
    pods = ["a 1 0 100", "b 1 0 100", "c 1 20 120", "d 1 200 210"]
    pods_file(tmp_path, *pods)
    sorted_row = only_row(replay(capsys, tmp_path))
    pods_file(tmp_path, pods[3], pods[0], pods[2], pods[1])
    told = replay(capsys, tmp_path)

    assert sorted_row == only_row(told)
    assert "not in order of creation_time (3 of 4 came after a younger one): sorted" in told.err


def test_copies_and_speed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--scale` copies every pod, `--speedup` shortens gaps alone, `--load` says how much."""
    pods_file(tmp_path, *(f"p{i} 1 {i * 100} {i * 100 + 50}" for i in range(20)))

    plain = only_row(replay(capsys, tmp_path))
    twice = only_row(replay(capsys, tmp_path, "--speedup", "2"))
    copies = only_row(replay(capsys, tmp_path, "--scale", "3", "--jitter-days", "0"))
    asked = only_row(replay(capsys, tmp_path, "--load", "0.9"))

    assert twice["offered_load"] == pytest.approx(2 * plain["offered_load"])
    assert copies["offered_load"] == pytest.approx(3 * plain["offered_load"])
    assert copies["started"] + copies["waiting_at_end"] == 60
    assert asked["offered_load"] == pytest.approx(0.9)


def test_a_trace_of_one_moment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One pod makes no span of time; averages over nothing are 0, and nothing breaks."""
    pods_file(tmp_path, "a 1 5 10")

    row = only_row(replay(capsys, tmp_path))

    assert row["started"] == 1
    assert row["mean_wait_s"] == 0


def test_one_seed_claims_nothing_about_chance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No interval is invented from one observation."""
    pods_file(tmp_path, "a 1 0 100", "b 2 50 60", "c 1 200 210")

    told = replay(capsys, tmp_path, "--policies", "best-fit,least-loss")

    assert told.code == 0
    assert "+-" not in told.err.split("means over seeds")[0]


def test_nodes_without_gpus_can_be_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are kept unless asked: a real cluster's CPU pods run somewhere."""
    pods_file(tmp_path, "a 0 0 100", "b 1 50 60")
    told = replay(capsys, tmp_path)
    (tmp_path / "more.csv").write_text(f"{ONE_NODE}m,64000,65536,0,\n", encoding="utf-8")
    more = replay(capsys, tmp_path, "--nodes", tmp_path / "more.csv")
    fewer = replay(capsys, tmp_path, "--nodes", tmp_path / "more.csv", "--gpu-nodes-only")

    used = [json.loads(t.out)["spec"]["nodes_used"] for t in (told, more, fewer)]

    assert used == [1, 2, 1]
    assert "1 nodes without GPUs are left out" in fewer.err
