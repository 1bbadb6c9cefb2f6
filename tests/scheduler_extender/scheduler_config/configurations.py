"""A configuration without a trap, and how to spoil it in one place.

A table of traps is readable when each row shows only what differs; the whole is written here once.
This module must not know any rule.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import yaml

from scheduler_extender.scheduler_config.finding import Finding, Subject
from scheduler_extender.scheduler_config.lint import lint
from scheduler_extender.scheduler_config.reading import read

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ABSENT", "CLEAN", "findings", "spoilt"]

ABSENT = object()
"""As a value in a change: the key is taken away."""

TLS = """
    caFile: /etc/kubernetes/synthscale/ca.crt
    certFile: /etc/kubernetes/synthscale/tls.crt
    keyFile: /etc/kubernetes/synthscale/tls.key
"""

CLEAN = f"""
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
leaderElection:
  resourceName: gpu-scheduler
clientConnection:
  qps: 200
  burst: 400
profiles:
- schedulerName: gpu-scheduler
  percentageOfNodesToScore: 100
  plugins:
    score:
      disabled:
      - name: NodeResourcesBalancedAllocation
  pluginConfig:
  - name: NodeResourcesFit
    args:
      ignoredResources: [nvidia.com/gpumem]
      scoringStrategy:
        type: MostAllocated
extenders:
- urlPrefix: https://extender.example:8443/guard
  filterVerb: filter
  prioritizeVerb: prioritize
  weight: 141
  enableHTTPS: true
  httpTimeout: 1s
  nodeCacheCapable: true
  managedResources:
  - name: nvidia.com/gpumem
  tlsConfig: {TLS}
- urlPrefix: https://extender.example:8443/scorer
  filterVerb: filter
  prioritizeVerb: prioritize
  weight: 141
  enableHTTPS: true
  httpTimeout: 500ms
  nodeCacheCapable: true
  ignorable: true
  managedResources:
  - name: nvidia.com/gpu
  tlsConfig: {TLS}
"""


def spoilt(changes: Mapping[str, object]) -> str:
    """The clean configuration with the values at these paths (`extenders[0].weight`) changed."""
    document: dict[str, Any] = copy.deepcopy(yaml.safe_load(CLEAN))
    for path, value in changes.items():
        *way, last = [
            int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)
        ]
        place: Any = document
        for step in way:
            place = place[step] if isinstance(step, int) else place.setdefault(step, {})
        if value is ABSENT:
            del place[last]
        elif isinstance(last, int) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return str(yaml.safe_dump(document, sort_keys=False))


def findings(text: str, nodes: int | None = None, *, claims: bool = False) -> list[Finding]:
    """What the linter finds in every configuration of a text."""
    return [
        finding
        for reading in read(text, "config.yaml")
        for finding in lint(Subject(reading.config, reading.unknown, nodes, claims))
    ]
