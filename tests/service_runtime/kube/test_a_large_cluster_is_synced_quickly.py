"""The first list of a large cluster, over loopback TLS through the real client: time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.certificates import Authority
from tests.figures import record
from tests.service_runtime.kube.kubeconfigs import write_kubeconfig

if TYPE_CHECKING:
    from pathlib import Path

REPLAY = "tests.service_runtime.kube.replay"
PAGE = 500
LIMIT_S = 120


def synced(folder: Path, nodes: int, pods: int) -> dict[str, Any]:
    """What a service of its own process took to sync so many nodes and pods."""
    authority = Authority("replay-authority")
    authority.issue("replay").write(folder, "server")
    (folder / "ca.crt").write_bytes(authority.certificate)
    command = [sys.executable, "-m", REPLAY, str(folder), str(nodes), str(pods), str(PAGE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            kubeconfig = write_kubeconfig(
                folder / "kubeconfig",
                f"https://127.0.0.1:{port}",
                {"token": "any"},
                **{"certificate-authority": str(folder / "ca.crt")},
            )
            client = [sys.executable, "-m", f"{REPLAY}.sync", str(kubeconfig)]
            done = subprocess.run(
                client, capture_output=True, text=True, timeout=LIMIT_S, check=True
            )
        finally:
            server.kill()
    took: dict[str, Any] = json.loads(done.stdout)
    return took


def test_a_middling_cluster_is_synced(tmp_path: Path) -> None:
    """500 nodes and 5,000 pods are all there, within a tenth of what a large cluster may take."""
    took = synced(tmp_path, 500, 5_000)

    assert (took["nodes"], took["pods"]) == (500, 5_000)
    assert took["cpu_seconds"] <= 2.0
    assert took["peak_rss_mb"] <= 200


@pytest.mark.prove
def test_a_large_cluster_is_synced_within_its_limits(tmp_path: Path) -> None:
    """5,000 nodes and 50,000 pods take at most 10 s and 400 MB; the figure is recorded."""
    took = synced(tmp_path, 5_000, 50_000)

    assert (took["nodes"], took["pods"]) == (5_000, 50_000)
    assert took["seconds"] <= 10.0
    assert took["peak_rss_mb"] <= 400
    record("kube-sync", [took])
