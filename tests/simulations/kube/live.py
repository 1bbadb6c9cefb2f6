"""Our own extender as the one that is recorded: the real process, asked by a real scheduler.

A tap between the two keeps every word; the entries are the shipped ones, guard and scorer, with the
weight that a recording wants. It must not know the model, and nothing of the extender is imported.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.scheduler_extender.service.harness import installed
from tests.scheduler_extender.service.tap import tapped
from tests.simulations.kube.recording import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.control_plane import ControlPlane
    from tests.scheduler_extender.service.harness import Installation
    from tests.scheduler_extender.service.tap import Call, Tap

__all__ = ["LiveExtender", "live_extender"]

Object = dict[str, Any]
SEEN_WITHIN_S = 0.03
"""A watch has shown a binding by then: the next pod must not meet a promise of the one before."""


class LiveExtender:
    """What the process said, pod by pod."""

    def __init__(self, installation: Installation, tap: Tap) -> None:
        self._installation = installation
        self._tap = tap
        self._read = 0

    def shipped(self) -> Object:
        """The fields of the configuration that the manifests ship, at the tap's port."""
        return self._installation.configuration("", self._tap.port)

    def entries(self, weight: int) -> list[Object]:
        """Guard and scorer for `extenders` in a scheduler's configuration."""
        return [{**entry, "weight": weight} for entry in self.shipped()["extenders"]]

    def take(self, pod: str) -> Answer | None:
        """What was said last about a pod; None if no entry was interested in it."""
        time.sleep(SEEN_WITHIN_S)
        calls, self._read = self._tap.calls[self._read :], len(self._tap.calls)
        about = [call for call in calls if _name(call) == pod and call.status == 200]
        filtered = [call for call in about if call.path.endswith("filter")]
        if not filtered:
            return None
        ordered = [call for call in about if call.path.endswith("prioritize")]
        scores = {one["Host"]: one["Score"] for one in ordered[-1].answered} if ordered else None
        return Answer(tuple(filtered[-1].kept), scores)


def _name(call: Call) -> str:
    metadata = call.asked["Pod"]["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}"


@contextmanager
def live_extender(plane: ControlPlane, namespace: str, folder: Path) -> Iterator[LiveExtender]:
    """A replica that leads, until the context ends."""
    with installed(plane, namespace, folder) as installation:
        replica = installation.extender()
        try:
            replica.start().wait_leading()
            time.sleep(1.0)  # a new leader is silent for half a second
            with tapped(installation, replica.port) as tap:
                yield LiveExtender(installation, tap)
        finally:
            replica.kill()
