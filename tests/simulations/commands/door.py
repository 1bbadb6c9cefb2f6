"""A small cluster in files, and the front door in this process.

The cluster is small enough for a run to take milliseconds, and tight enough for pods to wait.
This module must not assert anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthscale.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = ["NODE_HEADER", "POD_HEADER", "Told", "knock", "small_cluster"]

NODE_HEADER = "sn,cpu_milli,memory_mib,gpu,model"
POD_HEADER = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,creation_time,deletion_time"


class Told:
    """What a command answered."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


def knock(capsys: pytest.CaptureFixture[str], *words: object) -> Told:
    """Run one command line in this process."""
    capsys.readouterr()
    code = main([str(word) for word in words])
    told = capsys.readouterr()
    return Told(code, told.out, told.err)


def small_cluster(folder: Path, pods: int = 60) -> tuple[str, str, str, str]:
    """Writes three nodes and some pods; returns the options that name them."""
    nodes = [f"node-{i},32000,131072,4,T4" for i in range(2)]
    (folder / "nodes.csv").write_text(
        "\n".join((NODE_HEADER, *nodes, "cpu-only,16000,65536,0,", "")), encoding="utf-8"
    )
    sizes = ("1,500", "1,1000", "2,1000", "0,0", "4,1000")
    lines = [
        f"pod-{i},{1000 + 500 * (i % 3)},2048,{sizes[i % 5]},,{i * 40},{i * 40 + 300 + 13 * i}"
        for i in range(pods)
    ]
    (folder / "pods.csv").write_text("\n".join((POD_HEADER, *lines, "")), encoding="utf-8")
    return "--pods", str(folder / "pods.csv"), "--nodes", str(folder / "nodes.csv")
