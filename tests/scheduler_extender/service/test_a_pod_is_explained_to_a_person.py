"""`synthscale explain pod`: from the running service, and from the pod's events once it is gone.

It is run as a person would run it, against the real control plane. What is in a record is tested
elsewhere; here it must be found and be readable.
"""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from synthscale.__main__ import main
from tests.cluster.fleet import PodShape, gpu_nodes, pods
from tests.cluster.waiting import wait_until
from tests.scheduler_extender.service.explanations import extender_events, observer
from tests.scheduler_extender.service.harness import share_pod

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet
    from tests.scheduler_extender.service.harness import Extender, Installation


def test_it_is_found_in_the_service_and_in_events(
    control_plane: ControlPlane,
    installation: Installation,
    extender: Extender,
    fleet: Fleet,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A table with terms and winner, a refusal with its counts, JSON; the same after the end."""
    fleet.add_nodes(gpu_nodes(3, "A100", 4, prefix=f"{fleet.namespace}-a"))
    extender.start().wait_leading()
    name = f"ours-{fleet.namespace}"
    with installation.scheduler(name, extender.port()):
        fleet.add_pods(pods(PodShape(gpus=2, scheduler=name), 1, prefix="train"))
        fleet.add_pods([share_pod("small", name, {"nvidia.com/gpumem": "1000"})])
        (bound,) = (pod for pod in fleet.wait_bound(2) if pod["metadata"]["name"] == "train-0")
        # A share was bound, so the silence after the takeover is over.
        fleet.add_pods([share_pod("huge", name, {"nvidia.com/gpumem": "900001"})])
        wait_until(
            "all events",
            lambda: extender_events(control_plane, fleet.namespace),
            lambda seen: len(seen) == 3,
        )
    winner = bound["spec"]["nodeName"]
    token = tmp_path / "token"
    token.write_text(observer(control_plane, fleet.namespace), encoding="utf-8")
    port = extender.port("observation")
    words = ["explain", "pod", f"{fleet.namespace}/train-0"]
    words += ["--kubeconfig", str(control_plane.kubeconfig)]
    live = [
        *("--url", f"https://127.0.0.1:{port}", "--ca", str(extender.ca)),
        *("--token-file", str(token)),
    ]

    assert main([*words, *live]) == 0
    table = capsys.readouterr().out
    assert main([*words, *live, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert extender.end(signal.SIGTERM) == 0
    assert main(words) == 0
    later = capsys.readouterr().out
    words[2] = f"{fleet.namespace}/huge"
    assert main(words) == 0
    refusal = capsys.readouterr().out

    assert winner in table
    assert "stranding" in table
    assert "GPU-seconds" in table
    assert record["winner"] == winner
    assert later == table
    assert "3  no GPU with enough memory" in refusal
    words[2] = f"{fleet.namespace}/nobody"
    assert main(words) == 2
    assert "there is no such pod" in capsys.readouterr().err
