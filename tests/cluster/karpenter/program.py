"""Which Karpenter is built, and how: a pure description that starts nothing.

It is the main package that Karpenter's authors keep for their own end-to-end tests, with the KWOK
provider. It must not know what is asked of it.
"""

from __future__ import annotations

from pathlib import Path

from tests.cluster.build import Group, ModuleFiles, Tool

__all__ = ["DEFINITIONS", "KARPENTER", "KARPENTER_VERSION"]

KARPENTER_VERSION = "1.15.0"
DEFINITIONS = "definitions"
"""The folder of the build with the CustomResourceDefinitions."""

KARPENTER = Group(
    name="karpenter",
    folder=Path(__file__).resolve().parent,
    # Its package is called kwok, as is the kubelets' player of the control plane.
    tools=(Tool("sigs.k8s.io/karpenter/kwok", "karpenter"),),
    files=(
        ModuleFiles(
            "sigs.k8s.io/karpenter",
            (
                "pkg/apis/crds/autoscaling.x-k8s.io_capacitybuffers.yaml",
                "pkg/apis/crds/karpenter.sh_nodeclaims.yaml",
                "pkg/apis/crds/karpenter.sh_nodeoverlays.yaml",
                "pkg/apis/crds/karpenter.sh_nodepools.yaml",
                "kwok/apis/crds/karpenter.kwok.sh_kwoknodeclasses.yaml",
            ),
            DEFINITIONS,
        ),
    ),
    stamps={"sigs.k8s.io/karpenter/pkg/operator.Version": KARPENTER_VERSION},
)
