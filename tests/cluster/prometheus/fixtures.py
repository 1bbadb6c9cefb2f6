"""Prometheus as pytest sees it: one for each test that asks, and promtool for rules alone.

Importing this must stay cheap, for every run of pytest does, whatever it selects; nothing is built
until a test asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cluster.prometheus.peer import Prometheus
    from tests.cluster.prometheus.promtool import Promtool

__all__ = ["prometheus", "promtool"]


@pytest.fixture
def prometheus(cluster_tell: Callable[[str], None]) -> Iterator[Prometheus]:
    """A Prometheus of this test alone: it answers, and knows nothing yet."""
    from tests.cluster.processes import household
    from tests.cluster.prometheus.peer import start_prometheus

    with household("prometheus") as house, start_prometheus(house, tell=cluster_tell) as started:
        yield started


@pytest.fixture(scope="session")
def promtool(cluster_tell: Callable[[str], None]) -> Promtool:
    """The tool that judges rule files; nothing is started for it."""
    from tests.cluster.build import binaries
    from tests.cluster.prometheus.program import PROMETHEUS
    from tests.cluster.prometheus.promtool import Promtool

    return Promtool(binaries(PROMETHEUS, cluster_tell).path("promtool"))
