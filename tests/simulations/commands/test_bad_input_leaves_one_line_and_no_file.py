"""Whatever is wrong, a planner gets one line that says what to do, exit code 2, and no file.

The readers have their own, longer table; this one shows that nothing is lost between them and the
front door, for each command that reads a cluster.
"""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.simulations.commands.door import NODE_HEADER, POD_HEADER, knock, small_cluster

if TYPE_CHECKING:
    from pathlib import Path

NOISE = random.Random(11).randbytes(1 << 20)  # noqa: S311 - the same noise every time
NODE = f"{NODE_HEADER}\nn,32000,131072,4,T4\n"
OTHER_KIND = {
    "apiVersion": "v1",
    "kind": "List",
    "items": [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}],
}


@dataclass(frozen=True)
class Bad:
    """A story: what one of the two files holds, and what the line must name."""

    story: str
    pods: bytes | None = None
    nodes: bytes | None = None
    names: tuple[str, ...] = ()


def pod(cells: str) -> bytes:
    """A pod list with one pod."""
    return f"{POD_HEADER}\n{cells}\n".encode()


FILES = [
    Bad("a missing column", pods=b"name,cpu_milli\na,1\n", names=("pods:1: memory_mib:",)),
    Bad("a negative request", pods=pod("a,-1,1,1,1000,,0,9"), names=("pods:2: cpu_milli: '-1'",)),
    Bad("an absurd request", pods=pod("a,1,9e15,1,1000,,0,9"), names=("pods:2: memory_mib:",)),
    Bad(
        "an unknown model", pods=pod("a,1,1,1,1000,H9000,0,9"), names=("pods:2: gpu_spec:", "H9000")
    ),
    Bad("17 GPUs in a pod", pods=pod("a,1,1,17,1000,,0,9"), names=("pods:2: num_gpu: '17'",)),
    Bad(
        "17 GPUs in a node",
        nodes=f"{NODE_HEADER}\nn,1,1,17,T4\n".encode(),
        names=("nodes:2: gpu:",),
    ),
    Bad("NaN", pods=pod("a,nan,1,1,1000,,0,9"), names=("pods:2: cpu_milli: 'nan'",)),
    Bad(
        "deleted before created", pods=pod("a,1,1,1,1000,,20,10"), names=("pods:2: deletion_time:",)
    ),
    Bad("an empty list", pods=b"", names=("pods: the file is empty",)),
    Bad("an empty list of nodes", nodes=b"", names=("nodes: the file is empty",)),
    Bad("an empty JSON list", pods=b"[]", names=("pods: ",)),
    Bad("a header alone", pods=pod("")[:-1], names=("pods:1: there is no pod",)),
    Bad(
        "a node header alone",
        nodes=f"{NODE_HEADER}\n".encode(),
        names=("nodes:1: there is no node",),
    ),
    Bad(
        "a gzip cut short", pods=gzip.compress(NOISE)[:5000], names=("pods: the gzip is cut short",)
    ),
    Bad("noise", pods=NOISE, names=("pods:", "is not UTF-8 text")),
    Bad("noise for nodes", nodes=NOISE, names=("nodes:", "is not UTF-8 text")),
    Bad("a dump of another kind", pods=json.dumps(OTHER_KIND).encode(), names=("1 Deployment",)),
    Bad("nodes of another kind", nodes=json.dumps(OTHER_KIND).encode(), names=("1 Deployment",)),
    Bad(
        "no GPU anywhere", nodes=f"{NODE_HEADER}\nn,9,9,0,\n".encode(), names=("no node has a GPU",)
    ),
    Bad("the two files swapped", pods=NODE.encode(), names=("give it as --nodes",)),
]

OPTIONS = [
    ("--policies bestfit", "unknown policy 'bestfit'"),
    ("--policies ,", "names no policy"),
    ("--seeds 9..1", "'9..1' runs backwards"),
    ("--seeds -4", "does not name seeds"),
    ("--seeds 1,1", "a seed twice"),
    ("--tie-break first", "say random or fixed"),
    ("--kernels fast", "say auto, numpy or compiled"),
    ("--workers 0", "--workers: 0 is not possible"),
]

PLACEMENT_OPTIONS = [
    ("--until nan", "--until: nan is not possible"),
    ("--until 0", "--until: 0"),
    ("--mix last:5", "--mix: 'last:5' is no pod mix"),
]

REPLAY_OPTIONS = [
    ("--load nan", "--load: nan is not possible"),
    ("--load 0", "--load: 0 is not possible"),
    ("--speedup inf", "--speedup: inf is not possible"),
    ("--speedup 2 --load 1", "give --load or --speedup"),
    ("--scale 0", "--scale: 0 is not possible"),
    ("--jitter-days -1", "--jitter-days: -1 is not possible"),
    ("--warm-up 1", "--warm-up: 1 is not possible"),
    ("--skip-days 9", "skip fewer days"),
    ("--arrivals uniform", "say trace or poisson"),
    ("--arrivals poisson", "--load: is needed for --arrivals poisson"),
    ("--arrivals poisson --load 1 --scale 2", "--scale: there are no copies"),
    ("--arrivals poisson --load 1 --speedup 2", "--speedup: there are no copies"),
    ("--arrivals poisson --load 1 --days 0", "--days: 0 is not possible"),
]


def outputs(folder: Path) -> tuple[str, ...]:
    """Options that ask for every kind of file."""
    names = (("--json", "out.json"), ("--log", "out.log"), ("--report", "out.html"))
    return tuple(word for option, name in names for word in (option, str(folder / name)))


def complaint(
    capsys: pytest.CaptureFixture[str], folder: Path, command: str, words: list[str]
) -> str:
    """The one line that a command answers with; fails if there is more, or a file."""
    before = sorted(folder.iterdir())
    told = knock(capsys, "simulate", command, *words, *outputs(folder))

    assert told.code == 2
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert told.err.startswith("synthscale: ")
    assert "; " in told.err
    assert len(told.err) < 500
    assert before == sorted(folder.iterdir())
    return told.err


@pytest.mark.parametrize("command", ["placement", "replay"])
@pytest.mark.parametrize("bad", FILES, ids=lambda bad: bad.story)
def test_a_file_that_cannot_be_used(
    bad: Bad, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the file, the line or the object, the field, and what to do."""
    pods, nodes = tmp_path / "pods", tmp_path / "nodes"
    pods.write_bytes(pod("a,1000,1024,1,1000,,0,9") if bad.pods is None else bad.pods)
    nodes.write_bytes(NODE.encode() if bad.nodes is None else bad.nodes)

    line = complaint(
        capsys, tmp_path, command, ["--pods", str(pods), "--nodes", str(nodes), "--seeds", "1..2"]
    )

    assert [name for name in bad.names if name not in line] == []
    assert (str(pods) if bad.pods is not None else str(nodes)) in line


@pytest.mark.parametrize(
    ("command", "words", "expected"),
    [("placement", *row) for row in OPTIONS + PLACEMENT_OPTIONS]
    + [("replay", *row) for row in OPTIONS + REPLAY_OPTIONS],
)
def test_an_option_that_cannot_be_used(
    command: str, words: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the option, and what to say instead."""
    line = complaint(
        capsys, tmp_path, command, [*small_cluster(tmp_path), "--seeds", "1", *words.split()]
    )

    assert expected in line
    assert "--" in line


@pytest.mark.parametrize("command", ["placement", "replay"])
@pytest.mark.parametrize("option", ["--json", "--log", "--report"])
def test_a_place_that_cannot_be_written(
    command: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Told before anything runs, and without making the folder that is in the way."""
    words = [*small_cluster(tmp_path), option, str(tmp_path / "pods.csv" / "x")]
    told = knock(capsys, "simulate", command, *words)

    assert told.code == 2
    assert told.out == ""
    assert told.err.count("\n") == 1


def test_pods_without_times_cannot_be_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the file and what to run instead."""
    small_cluster(tmp_path)
    pods = tmp_path / "timeless.csv"
    pods.write_text("name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,1,1,1,1000\n")

    line = complaint(
        capsys, tmp_path, "replay", ["--pods", str(pods), "--nodes", str(tmp_path / "nodes.csv")]
    )

    assert f"{pods}: the pods have no creation and deletion times" in line
    assert "simulate placement" in line


@pytest.mark.parametrize("command", ["placement", "replay"])
def test_bad_input_that_only_a_worker_meets(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bound pod that its node does not hold is found when a run begins, in another process."""
    dump = {
        "kind": "List",
        "items": [
            {
                "kind": "Node",
                "metadata": {"name": "n", "labels": {"nvidia.com/gpu.product": "Tesla-T4"}},
                "status": {"allocatable": {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "1"}},
            },
            *(
                {
                    "kind": "Pod",
                    "metadata": {"name": f"p{i}", "namespace": "d"},
                    "spec": {
                        "nodeName": "n",
                        "containers": [{"resources": {"requests": {"nvidia.com/gpu": "1"}}}],
                    },
                    "status": {"phase": "Running"},
                }
                for i in range(2)
            ),
        ],
    }
    small_cluster(tmp_path)
    nodes = tmp_path / "cluster.json"
    nodes.write_text(json.dumps(dump), encoding="utf-8")

    line = complaint(
        capsys,
        tmp_path,
        command,
        [
            "--pods",
            str(tmp_path / "pods.csv"),
            "--nodes",
            str(nodes),
            "--seeds",
            "1",
            "--workers",
            "2",
        ],
    )

    assert "which does not hold it; export nodes and pods at the same moment" in line
