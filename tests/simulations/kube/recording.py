"""What a real scheduler decided, as a file: objects as the API served them, and what came of them.

One JSON line for the cluster, one for each decision. It holds no score that the model computed;
the digest is over scores that the real scheduler logged. This module must not know the model.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["Answer", "Cluster", "Decision", "Recording", "digest"]

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an extender said about one pod."""

    kept: tuple[str, ...] | None
    """The names that it left; None: it was not asked to filter."""
    scores: Mapping[str, int] | None
    """None: it was not asked to prioritize, because one node was left."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster at the start, and how the scheduler was configured."""

    kubernetes: str
    configuration: Object
    extender_weight: int
    nodes: tuple[Object, ...]
    order: tuple[str, ...]
    """In which the scheduler got to know the nodes."""
    services: tuple[Object, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """One pod's."""

    pod: Object
    node: str | None
    """None: it fitted nowhere."""
    gone: tuple[str, ...] = ()
    """Pods that were deleted just before it came."""
    scored: int = 0
    """How many nodes were scored; 0 where one was left or none."""
    best: int = 0
    """The highest total."""
    totals: int = 0
    """`digest` of all totals."""
    answer: Answer | None = None
    table: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Scores by node and plugin, and `total`: only while recording, too much to keep."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole run."""

    cluster: Cluster
    decisions: tuple[Decision, ...]

    def write(self, path: Path) -> None:
        """As gzipped JSON lines; the same content makes the same bytes."""
        index = {name: number for number, name in enumerate(self.cluster.order)}
        lines = [_cluster_line(self.cluster), *(_line(each, index) for each in self.decisions)]
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))

    @classmethod
    def read(cls, path: Path) -> Recording:
        """What `write` wrote."""
        first, *rest = gzip.decompress(path.read_bytes()).decode().splitlines()
        told = json.loads(first)
        listed = {name: tuple(told[name]) for name in ("nodes", "order", "services")}
        cluster = Cluster(**{**told, **listed})
        return cls(cluster, tuple(_decision(json.loads(line), cluster.order) for line in rest))


def digest(totals: Iterable[tuple[str, int]]) -> int:
    """A number that two tables of totals share only if they are equal."""
    return zlib.crc32("".join(f"{name}={total}\n" for name, total in sorted(totals)).encode())


def _cluster_line(cluster: Cluster) -> Object:
    return {name: getattr(cluster, name) for name in Cluster.__slots__}


def _line(decision: Decision, index: Mapping[str, int]) -> Object:
    line: Object = {"pod": decision.pod, "node": decision.node}
    if decision.gone:
        line["gone"] = decision.gone
    if decision.scored:
        line |= {"scored": decision.scored, "best": decision.best, "totals": decision.totals}
    if decision.answer is not None:
        kept, scores = decision.answer.kept, decision.answer.scores
        line["kept"] = None if kept is None else [index[name] for name in kept]
        line["scores"] = None if scores is None else [[index[n], s] for n, s in scores.items()]
    return line


def _decision(line: Object, order: tuple[str, ...]) -> Decision:
    answer = None
    if "kept" in line:
        kept, scores = line.pop("kept"), line.pop("scores")
        answer = Answer(
            None if kept is None else tuple(order[number] for number in kept),
            None if scores is None else {order[number]: score for number, score in scores},
        )
    return Decision(**{**line, "gone": tuple(line.get("gone", ()))}, answer=answer)
