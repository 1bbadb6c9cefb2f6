"""Somebody sets the clock, or the machine sleeps: promises, reign and view keep their time.

What ends by time ends by a clock that nobody sets and that counts a suspend. So the wall clock may
go forth and back by minutes and nothing happens; after a suspend everything is as old as it is.
The steps are within the life of the certificates, which are the wall clock's business.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

from service_runtime.kube.api import LEASES
from tests.cluster.fleet import gpu_nodes
from tests.cluster.waiting import wait_until
from tests.scheduler_extender.service.clocks import Clocks
from tests.scheduler_extender.service.test_bad_input_harms_nobody import request

pytestmark = pytest.mark.prove

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet
    from tests.scheduler_extender.service.harness import Answer, Extender, Installation

ASSUME_S = 12.0
FORTH_S, BACK_S = 1_800.0, -240.0
"""More than any limit of ours, both ways."""
ASLEEP_S = 120.0
LEASE_S = 10
"""By the settings: after this long without a renewal a standby takes over."""


@pytest.fixture
def clocks(extender: Extender, tmp_path: Path) -> Clocks:
    """Those of the extender, which is not started yet."""
    made = Clocks(tmp_path)
    extender.environment.update(made.environment)
    return made


@pytest.fixture
def node(fleet: Fleet) -> str:
    """A node with one GPU."""
    prefix = f"{fleet.namespace}-l4"
    fleet.add_nodes(gpu_nodes(1, "L4", 1, prefix=prefix, gpu_memory_mib=24_576))
    return f"{prefix}-0"


def test_a_wall_clock_that_is_set_ends_nothing(
    control_plane: ControlPlane,
    installation: Installation,
    extender: Extender,
    clocks: Clocks,
    node: str,
) -> None:
    """The promise holds and ends in its own time, the reign goes on, the view is as young."""
    extender.start(accounting={"assume_s": ASSUME_S, "takeover_s": 0.5}).wait_leading()
    standby = installation.extender("extender-1", "10.9.0.2").start()
    try:
        standby.wait_ready()
        wait_until("a promise", lambda: _kept(extender, node, "first") == [node])
        promised_s = time.monotonic()
        renewed = _lease(control_plane, installation)
        for step_s, until_s in ((FORTH_S, ASSUME_S / 2), (BACK_S, ASSUME_S - 2)):
            clocks.step(wall_s=step_s)
            wait_until(  # it reads the date once a second
                "the step",
                lambda: _ask(extender, node, "second"),
                lambda seen: abs(_off_s(seen) - step_s) < 30,  # noqa: B023
                limit_s=5,
            )
            while time.monotonic() - promised_s < until_s:
                _is_as_before(_ask(extender, node, "second"))
                time.sleep(0.5)
        wait_until("its end", lambda: _kept(extender, node, "second") == [node], limit_s=20)
        ended_s = time.monotonic() - promised_s
        time.sleep(max(0.0, LEASE_S + 3 - ended_s))  # a standby has time to be wrong
        renewals = _lease(control_plane, installation)
    finally:
        standby.kill()

    assert ASSUME_S - 1 <= ended_s <= ASSUME_S + 8
    assert renewed != renewals, "the Lease is renewed"
    assert len(extender.events("books_taken_over")) == 1
    assert standby.events("books_taken_over") == []


def test_a_machine_that_slept_knows_that_it_did(
    extender: Extender, clocks: Clocks, node: str
) -> None:
    """At once it does not lead any more; it then reads on, leads again and answers as before."""
    extender.start().wait_leading()
    wait_until("a good answer", lambda: _kept(extender, node, "first") == [node])
    clocks.step(boot_s=ASLEEP_S)
    woken = _ask(extender, node, "first")
    extender.wait_event("books_taken_over", 2)
    wait_until(
        "a good answer",
        lambda: _ask(extender, node, "first"),
        lambda answer: answer.status == 200 and json.loads(answer.body)["NodeNames"] == [node],
        limit_s=60,
    )

    assert woken.status == 503
    assert b"does not lead" in woken.body
    assert extender.events("loop_complained") == []


def _is_as_before(answer: Answer) -> None:
    assert json.loads(answer.body)["NodeNames"] == [], "the promise was forgotten"
    assert 0 <= float(answer.headers["Synthscale-View-Age-Seconds"]) < 30
    assert "Synthscale-View-Stale" not in answer.headers


def _off_s(answer: Answer) -> float:
    """How far the clock of whoever answered is from ours."""
    return (parsedate_to_datetime(answer.headers["Date"]) - datetime.now(UTC)).total_seconds()


def _ask(extender: Extender, node: str, uid: str) -> Answer:
    body = request([node], {"nvidia.com/gpucores": "60"}, uid=uid)
    return extender.ask("/guard/filter", body)


def _kept(extender: Extender, node: str, uid: str) -> list[str] | None:
    kept: list[str] | None = json.loads(_ask(extender, node, uid).body)["NodeNames"]
    return kept


def _lease(control_plane: ControlPlane, installation: Installation) -> str:
    lease = control_plane.wire.get(LEASES, "synthscale-extender", installation.namespace)
    version: str = lease["metadata"]["resourceVersion"]
    return version
