"""Which Prometheus is built, and how: a pure description that starts nothing.

Its service discovery for clouds is left out by the tag its authors made for that, for it is most of
the build and no test here runs in a cloud. It must not know what is scraped or evaluated.
"""

from __future__ import annotations

from pathlib import Path

from tests.cluster.build import Group, Tool

__all__ = ["PROMETHEUS", "PROMETHEUS_VERSION"]

PROMETHEUS_VERSION = "3.16.0"
"""Its module is called v0.316.0: a release's major number never entered the module's path."""

PROMETHEUS = Group(
    name="prometheus",
    folder=Path(__file__).resolve().parent,
    tools=(
        Tool("github.com/prometheus/prometheus/cmd/promtool", "promtool"),
        Tool("github.com/prometheus/prometheus/cmd/prometheus", "prometheus"),
    ),
    # Static, file and HTTP discovery stay.
    tags=("remove_all_sd",),
    stamps={"github.com/prometheus/common/version.Version": PROMETHEUS_VERSION},
)
