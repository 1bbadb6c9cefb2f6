"""The manifests, copied and rendered once for every test beside this file.

Rendering needs kubectl alone; only tests that ask for `control_plane` start one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.manifests.rendered import BUILDS, Objects, copied, render

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture(scope="session")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifests in a folder of their own, certificates made."""
    return copied(tmp_path_factory.mktemp("installation"))


@pytest.fixture(scope="session")
def builds(manifests: Path) -> Mapping[str, Objects]:
    """Every kustomization that a person may apply, rendered."""
    return {name: render(manifests / name) for name in BUILDS}


@pytest.fixture(params=BUILDS)
def build(request: pytest.FixtureRequest, builds: Mapping[str, Objects]) -> Objects:
    """One of them after the other."""
    return builds[request.param]
