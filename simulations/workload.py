"""What is simulated: pods with their times, and nodes with what already runs on them.

Readers fill these values from files, recipes fill them from seeds, experiments only read them.
`notes` carries every assumption and every ignored constraint, counted, so that a report can say
what the answer does not know. This module must not read files or order pods: the order of `pods`
is the order of the file, and an experiment that needs another one sorts and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpu_fleet.nodes import Node
    from gpu_fleet.pods import Pod

__all__ = ["BoundPod", "Inventory", "TracedPod", "Workload"]


@dataclass(frozen=True, slots=True)
class TracedPod:
    """A pod and when it came and went, in whole seconds of the trace's own clock."""

    pod: Pod
    created_s: int | None = None
    deleted_s: int | None = None
    """None means that it never went, or that nobody wrote down when."""


@dataclass(frozen=True, slots=True)
class Workload:
    """The pods that want a place."""

    name: str
    """The file's stem, or the recipe's name."""
    pods: tuple[TracedPod, ...]
    notes: tuple[str, ...] = ()
    file: str | None = None
    """Where it was read from, as the person named it."""
    lines: tuple[int, ...] = ()
    """The line of each pod in `file`, where lines mean something; complaints name it."""

    @property
    def has_times(self) -> bool:
        """Whether it can be replayed: every pod has a creation time and some pod ever goes."""
        return all(traced.created_s is not None for traced in self.pods) and any(
            traced.deleted_s is not None for traced in self.pods
        )


@dataclass(frozen=True, slots=True)
class BoundPod:
    """A pod that has a node already and occupies it."""

    pod: Pod
    node_name: str
    device_indices: tuple[int, ...] | None = None
    """The devices it holds, where the input says so; None leaves the choice to the host."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """The nodes, and what occupies them at the start."""

    name: str
    """The file's stem, or the recipe's name."""
    nodes: tuple[Node, ...]
    bound: tuple[BoundPod, ...] = ()
    notes: tuple[str, ...] = ()
    file: str | None = None
    """Where it was read from, as the person named it."""
