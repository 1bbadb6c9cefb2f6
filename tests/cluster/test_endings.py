"""A control plane leaves nothing behind, however it ends and however many there were.

Each test starts control planes of its own. What is looked for afterwards: processes by their mark,
the folder, the ledger's entry, and every port that was ever listened on.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import ServiceError
from service_runtime.kube.api import NAMESPACES
from tests.cluster.components import Settings
from tests.cluster.control_plane import start_control_plane
from tests.cluster.marks import marked
from tests.cluster.processes import Household, clear_up_after_the_killed, ledger
from tests.cluster.waiting import wait_until
from tests.house.tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.cluster.control_plane import ControlPlane

pytestmark = pytest.mark.xdist_group("control_planes_of_their_own")

RUN = """
import sys, time
from tests.cluster.control_plane import start_control_plane
with start_control_plane() as plane:
    ports = [str(port) for port in plane.house.ports]
    print(plane.house.mark, plane.house.folder, *ports, flush=True)
    time.sleep(600)
"""


def listening(ports: Iterable[int]) -> list[int]:
    """Which of these ports of loopback somebody answers on."""
    open_ports = []
    for port in ports:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                open_ports.append(port)
    return open_ports


def traces(mark: str, folder: Path, ports: Iterable[int]) -> list[object]:
    """All that is left of a control plane."""
    entry = ledger() / f"{mark}.json"
    return [*marked(mark), *(path for path in (folder, entry) if path.exists()), *listening(ports)]


def traces_of(plane: ControlPlane) -> list[object]:
    """The same, of one that this process had."""
    return traces(plane.house.mark, plane.house.folder, plane.house.ports)


@pytest.mark.parametrize(
    "times", [2, pytest.param(20, marks=pytest.mark.prove)], ids=["twice", "twenty times"]
)
def test_starts_and_stops_in_a_row_leave_no_trace(times: int) -> None:
    """Each start is a new cluster, and after each stop no process, port or file is left."""
    for _ in range(times):
        with start_control_plane() as plane:
            assert len(plane.house.ports) >= 6
            assert sorted(plane.house.ports) == sorted(listening(plane.house.ports))

            plane.wire.create(NAMESPACES, {"metadata": {"name": "new"}})

        assert traces_of(plane) == []


def test_two_at_once_do_not_meet() -> None:
    """What is made in one is not in the other, and the end of one leaves the other at work."""
    with start_control_plane() as stays:
        with start_control_plane() as ends:
            ends.wire.create(NAMESPACES, {"metadata": {"name": "of-one"}})
            names = {each["metadata"]["name"] for each in stays.wire.items(NAMESPACES)}

            assert not set(stays.house.ports) & set(ends.house.ports)

        assert "of-one" not in names
        assert traces_of(ends) == []
        assert {"default", "kube-system"} <= {
            each["metadata"]["name"] for each in stays.wire.items(NAMESPACES)
        }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_trace(number: signal.Signals) -> None:
    """Ctrl-C and `kill -9` of whoever has a control plane end all of it, soon after."""
    with subprocess.Popen(
        [sys.executable, "-c", RUN],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as run:
        assert run.stdout is not None
        mark, folder, *told = run.stdout.readline().split()
        ports = [int(port) for port in told]

        assert len(marked(mark)) == 5

        run.send_signal(number)
        try:
            run.wait(60)
        finally:
            run.kill()
        wait_until(
            "clean machine",
            lambda: traces(mark, Path(folder), ports),
            lambda left: not left,
            limit_s=20,
        )


def test_a_keeper_killed_with_its_run_is_made_good_by_the_next() -> None:
    """When run and keeper are both killed, starting again ends what they left."""
    with subprocess.Popen(
        [sys.executable, "-c", RUN], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        mark, folder, *told = run.stdout.readline().split()
        os.kill(os.getpgid(marked(mark)[0]), signal.SIGKILL)
        run.kill()
        run.wait(60)

    assert len(marked(mark)) == 5
    assert mark in clear_up_after_the_killed()
    assert traces(mark, Path(folder), [int(port) for port in told]) == []


@pytest.mark.parametrize(
    ("part", "words"),
    [("kube-scheduler", "unknown flag: --none"), ("etcd", "flag provided but not defined")],
)
def test_a_part_that_does_not_start_is_named(part: str, words: str) -> None:
    """The error names the part and ends with the end of its log, at once and not at a limit."""
    begun_s = time.monotonic()
    with (
        pytest.raises(ServiceError, match=rf"(?s){part} ended with \d.*{words}"),
        start_control_plane(Settings(more_flags={part: ["--none"]})),
    ):
        pytest.fail("it started")

    assert time.monotonic() - begun_s < 60


@pytest.mark.prove
def test_a_port_taken_by_a_stranger_is_chosen_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken between choice and use costs a second start, not the run."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        first = [stranger.getsockname()[1]]
        choose = Household.take_port

        def take(house: Household) -> int:
            return first.pop() if first else choose(house)

        monkeypatch.setattr(Household, "take_port", take)
        with start_control_plane() as plane:
            assert not first
            assert stranger.getsockname()[1] not in plane.house.ports
