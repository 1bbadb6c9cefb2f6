"""Manifests as `kubectl kustomize` renders them, and ways to ask for one object.

The tree is copied before it is built, because certificates are made inside it. Nothing here may
write into the repository or need a cluster.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from tests.cluster.build import binaries
from tests.cluster.components import CONTROL_PLANE
from tests.house.tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["BUILDS", "NAMESPACE", "Objects", "copied", "in_pods", "render"]

NAMESPACE = "synthscale-system"
BUILDS = ("base", *(f"install/{p.name}" for p in sorted((ROOT / "manifests/install").iterdir())))
LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class Objects:
    """Everything that one kustomization makes."""

    text: str
    all: Sequence[dict[str, Any]]

    def kind(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind."""
        return [one for one in self.all if one["kind"] == kind]

    def named(self, kind: str, name: str) -> dict[str, Any]:
        """The one object of that kind and name; a name that ends in `-` may go on in a hash."""
        (found,) = [
            one
            for one in self.kind(kind)
            if one["metadata"]["name"] == name
            or (name.endswith("-") and one["metadata"]["name"].startswith(name))
        ]
        return found


def copied(folder: Path) -> Path:
    """The manifests in a folder of their own, with certificates made as a person would."""
    to = folder / "manifests"
    shutil.copytree(ROOT / "manifests", to, ignore=shutil.ignore_patterns("made"))
    script = to / "components" / "certificates-secrets" / "make-certificates"
    subprocess.run([script], check=True, capture_output=True, timeout=LIMIT_S)
    return to


def render(kustomization: Path) -> Objects:
    """What `kubectl kustomize` makes of a folder."""
    text = subprocess.run(
        [binaries(CONTROL_PLANE).path("kubectl"), "kustomize", str(kustomization)],
        check=True,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    ).stdout
    return Objects(text, [one for one in yaml.safe_load_all(text) if one is not None])


def in_pods(objects: Objects) -> list[tuple[str, dict[str, Any]]]:
    """The pod specs of all Deployments, by name."""
    return [
        (one["metadata"]["name"], one["spec"]["template"]["spec"])
        for one in objects.kind("Deployment")
    ]
