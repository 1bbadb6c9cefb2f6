"""An installation for each test, and a replica of the extender in it that leads.

Replicas are killed after the test, whatever became of it. Nothing is started by importing this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scheduler_extender.service.harness import installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.control_plane import ControlPlane
    from tests.scheduler_extender.service.harness import Extender, Installation


@pytest.fixture
def installation(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> Iterator[Installation]:
    """What the manifests install, in the namespace of this test."""
    with installed(control_plane, namespace, tmp_path) as made:
        yield made


@pytest.fixture
def extender(installation: Installation) -> Iterator[Extender]:
    """A replica that is not started yet."""
    made = installation.extender()
    try:
        yield made
    finally:
        made.kill()
