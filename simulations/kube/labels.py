"""Label selectors, and which pods a selector with namespaces means.

Selectors are plain values that can be compared and hashed, so that counts of the pods they match
can be kept from decision to decision. This module must not know about nodes or scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.admission import Requirement

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LabelSelector", "PodSet"]


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All lines must hold; without lines it matches everything. `None` in its place is nothing."""

    lines: tuple[Requirement, ...] = ()

    @classmethod
    def equal_to(cls, labels: Mapping[str, str]) -> LabelSelector:
        """A selector that wants exactly these values."""
        return cls(tuple(Requirement(key, "In", (value,)) for key, value in sorted(labels.items())))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether every line holds for these labels."""
        return all(line.holds(labels.get(line.key)) for line in self.lines)


@dataclass(frozen=True, slots=True)
class PodSet:
    """The pods that a term means: a selector, in namespaces given by name or by label."""

    selector: LabelSelector | None
    namespaces: frozenset[str] = frozenset()
    namespace_selector: LabelSelector | None = None

    def holds(
        self, namespace: str, labels: Mapping[str, str], namespace_labels: Mapping[str, str]
    ) -> bool:
        """Whether a pod with these labels in this namespace is one of them."""
        if self.selector is None or not self.selector.matches(labels):
            return False
        if namespace in self.namespaces:
            return True
        chosen = self.namespace_selector
        return chosen is not None and chosen.matches(namespace_labels)
