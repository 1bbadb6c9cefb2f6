"""The amounts kube-scheduler would reserve: the examples are those of its documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulations.readers import read_workload
from tests.simulations.readers.kube_objects import container, pod, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulations.readers.kube_objects import Object


def sidecar(requests: Object) -> Object:
    """An init container that stays."""
    return container(requests, restartPolicy="Always")


@pytest.mark.parametrize(
    ("spec", "cpu_milli"),
    [
        pytest.param({}, 0, id="asks for nothing"),
        pytest.param(
            {"containers": [container({"cpu": "1"}), container({"cpu": "500m"})]},
            1500,
            id="containers run together",
        ),
        pytest.param(
            {"containers": [container({"cpu": "1"})], "initContainers": [container({"cpu": "3"})]},
            3000,
            id="a large init container runs alone",
        ),
        pytest.param(
            {
                "containers": [container({"cpu": "1"})],
                "initContainers": [container({"cpu": "3"}), container({"cpu": "2"})],
            },
            3000,
            id="init containers run one after the other",
        ),
        pytest.param(
            {"containers": [container({"cpu": "1"})], "initContainers": [sidecar({"cpu": "1"})]},
            2000,
            id="a sidecar stays",
        ),
        pytest.param(
            {
                "containers": [container({"cpu": "1"})],
                "initContainers": [sidecar({"cpu": "1"}), container({"cpu": "4"})],
            },
            5000,
            id="a sidecar runs beside a later init container",
        ),
        pytest.param(
            {
                "containers": [container({"cpu": "1"})],
                "initContainers": [container({"cpu": "4"}), sidecar({"cpu": "1"})],
            },
            4000,
            id="but not beside an earlier one",
        ),
        pytest.param(
            {"containers": [container({"cpu": "1"})], "overhead": {"cpu": "250m"}},
            1250,
            id="the sandbox takes its share",
        ),
        pytest.param(
            {"containers": [{"resources": {"limits": {"cpu": "2"}}}]},
            2000,
            id="a limit alone is a request",
        ),
        pytest.param(
            {"containers": [{"resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "1"}}}]},
            1000,
            id="a request beats the limit",
        ),
        pytest.param(
            {"containers": [container({"cpu": "1"})], "resources": {"requests": {"cpu": "3"}}},
            3000,
            id="a pod-level request replaces the sum",
        ),
        pytest.param(
            {"containers": [container({"cpu": "500u"}), container({"cpu": "600u"})]},
            2,
            id="rounded up once, at the end",
        ),
        pytest.param({"containers": [container({"cpu": 0.5})]}, 500, id="a JSON number"),
        pytest.param({"containers": [{"name": "main"}]}, 0, id="no resources at all"),
    ],
)
def test_effective_request(tmp_path: Path, spec: Object, cpu_milli: int) -> None:
    """The most that is needed at any one moment."""
    (traced,) = read_workload(write(tmp_path / "c.json", pod("x", spec=spec))).pods

    assert cpu_milli == traced.pod.shape.cpu_milli


def test_each_resource_has_its_own_moment(tmp_path: Path) -> None:
    """CPU may peak while the pod starts, and memory while it runs."""
    raw = pod(
        "x",
        {"cpu": "1", "memory": "8Gi"},
        initContainers=[container({"cpu": "4", "memory": "1Gi"})],
    )

    (traced,) = read_workload(write(tmp_path / "c.json", raw)).pods

    assert (traced.pod.shape.cpu_milli, traced.pod.shape.memory_mib) == (4000, 8192)
