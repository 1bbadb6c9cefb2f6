"""Karpenter as pytest sees it: one for each test that asks, on the run's control plane.

Importing this must stay cheap, for every run of pytest does, whatever it selects; nothing is built
until a test asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.karpenter.peer import Karpenter

__all__ = ["karpenter"]


@pytest.fixture
def karpenter(
    control_plane: ControlPlane, cluster_tell: Callable[[str], None]
) -> Iterator[Karpenter]:
    """A Karpenter of this test alone: it knows of no pool yet, and what it buys goes after it."""
    from tests.cluster.karpenter.peer import start_karpenter

    with start_karpenter(control_plane, tell=cluster_tell) as started:
        yield started
