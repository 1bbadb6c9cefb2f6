"""The order in which kube-scheduler looks at nodes: one of each zone in turn.

Zones come in the order in which they were first seen, nodes of a zone in the order in which they
were added; a zone that lost its last node is forgotten and comes back at the end.
This module must not look at anything of a node but its name and zone.
"""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["NodeList", "Zone"]

Zone: TypeAlias = tuple[str, str]
"""Region and zone."""


class NodeList:
    """Node names by zone, and the list that they make."""

    def __init__(self) -> None:
        self._zones: dict[Zone, dict[str, None]] = {}

    def add(self, name: str, zone: Zone) -> None:
        """A node joins at the end of its zone; one that is there already stays where it is."""
        self._zones.setdefault(zone, {})[name] = None

    def remove(self, name: str, zone: Zone) -> None:
        """A node leaves."""
        members = self._zones[zone]
        del members[name]
        if not members:
            del self._zones[zone]

    def names(self) -> list[str]:
        """All names, one of each zone in turn."""
        zones = [list(members) for members in self._zones.values()]
        longest = max(map(len, zones), default=0)
        return [zone[turn] for turn in range(longest) for zone in zones if turn < len(zone)]
