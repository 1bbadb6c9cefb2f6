"""The loop around the election: what services see of it, while it leads and when it leaves.

The shipped elector meets a Lease store in memory, on virtual time. How a Lease is judged is told in
`test_candidate_decides`; nothing here may depend on more than an elector's public face.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from gpu_fleet.clock import NS_PER_S
from gpu_fleet.errors import KubeForbidden, LeadershipLost
from service_runtime.kube.api import LEASES
from service_runtime.leadership import (
    Elector,
    LeadershipMetrics,
    LeadershipSettings,
    unique_identity,
)
from service_runtime.telemetry.log import RecordedLog
from service_runtime.telemetry.metrics import Metrics
from tests.service_runtime.leadership.world import LEASE, LeaseStore, on_virtual_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from service_runtime.kube.api import Resource
    from service_runtime.leadership import Reign


class LoopTiming:
    """The virtual loop's own time."""

    def now_ns(self) -> int:
        """Since the loop began."""
        return round(asyncio.get_running_loop().time() * NS_PER_S)

    def wall(self) -> datetime:
        """A date that goes with it."""
        return datetime.fromtimestamp(1.7e9 + asyncio.get_running_loop().time(), UTC)

    async def sleep(self, seconds: float) -> None:
        """On the loop."""
        await asyncio.sleep(seconds)


class Server(LeaseStore):
    """A store that can refuse, and be slow."""

    def __init__(self) -> None:
        super().__init__()
        self.answers_after_s = 0.0
        self.refuses = False
        self.asked = 0

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> bytes:
        """Slowly or not at all, as set."""
        self.asked += 1
        await asyncio.sleep(self.answers_after_s)
        if self.refuses:
            raise KubeForbidden("leases is forbidden", status=403)
        return await super().get(resource, name, namespace)

    def holder(self) -> str:
        """Who stands in the Lease."""
        assert self.document is not None
        holder: str = self.document["spec"]["holderIdentity"]
        return holder


class Stand:
    """One elector with its log and metrics."""

    def __init__(self, server: Server, identity: str = "ann") -> None:
        self.log = RecordedLog()
        self.metrics = Metrics()
        self.elector = Elector(
            server,
            LEASE,
            identity,
            settings=LeadershipSettings(),
            timing=LoopTiming(),
            log=self.log,
            metrics=LeadershipMetrics(self.metrics),
            draw=lambda: 0.5,
        )
        self.ready = 0

    def _ready(self) -> None:
        self.ready += 1

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Elector]:
        """Stands inside the block, and has left after it."""
        task = asyncio.ensure_future(self.elector.run(self._ready))
        try:
            yield self.elector
        finally:
            await ended(task)


async def ended(task: asyncio.Future[None]) -> None:
    """Cancel and join."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_a_leader_is_asked_at_each_action_and_leaves_a_released_lease() -> None:
    """While it leads `require` yields the reign; after it has left nobody may act."""

    async def main() -> None:
        server = Server()
        stand = Stand(server)
        with pytest.raises(LeadershipLost, match="fleet/autoscaler: ann does not lead now"):
            stand.elector.require()
        async with stand.running() as elector:
            await asyncio.sleep(30)
            reign = elector.require(epoch=0)

            assert reign.epoch == 0
            assert reign.resource_version == "1"
            assert (
                stand.metrics.value("synthscale_leadership_leading", lease="fleet/autoscaler") == 1
            )
            with pytest.raises(LeadershipLost, match="the reign of epoch 7 is over"):
                elector.require(epoch=7)

        assert stand.elector.reign() is None
        assert server.holder() == ""
        assert "lease_released" in stand.log.names()

    on_virtual_time(main)


def test_a_leader_renews_without_looking() -> None:
    """As client-go's fast path: one request a period, on the version it knows."""

    async def main() -> None:
        server = Server()
        async with Stand(server).running():
            await asyncio.sleep(60)

            assert server.asked == 1

    on_virtual_time(main)


def test_a_label_written_meanwhile_costs_no_reign() -> None:
    """A conflict over metadata is looked at, and the renewal goes over the new version."""

    async def main() -> None:
        server = Server()
        stand = Stand(server)
        async with stand.running() as elector:
            await asyncio.sleep(5)
            document = msgspec.json.decode(await server.get(LEASES, LEASE.name))
            document["metadata"]["labels"] = {"team": "fleet"}
            document["spec"]["strategy"] = "OldestEmulationVersion"
            await server.replace(LEASES, LEASE.name, msgspec.json.encode(document))
            await asyncio.sleep(30)

            assert server.document is not None
            assert elector.require().epoch == 0
            assert server.document["metadata"]["labels"] == {"team": "fleet"}
            assert server.document["spec"]["strategy"] == "OldestEmulationVersion"

    on_virtual_time(main)


def test_work_is_done_once_in_each_reign_and_ends_before_the_lease_is_released() -> None:
    """Leaving first stops the work, waits for what it finishes, and then gives up the Lease."""

    async def main() -> None:
        server = Server()
        stand = Stand(server)
        holders: list[str] = []
        epochs: list[int] = []

        async def work(reign: Reign) -> None:
            epochs.append(reign.epoch)
            try:
                await asyncio.sleep(1e6)
            finally:
                await asyncio.sleep(3)
                holders.append(server.holder())

        async with stand.running() as elector:
            led = asyncio.ensure_future(elector.lead(work))
            await asyncio.sleep(20)

        await ended(led)
        assert epochs == [0]
        assert holders == ["ann"]
        assert server.holder() == ""

    on_virtual_time(main)


def test_work_that_never_ends_leaves_the_lease_to_expire() -> None:
    """Giving the Lease away under work that still acts would make two leaders."""

    async def main() -> None:
        server = Server()
        stand = Stand(server)

        async def work(_reign: Reign) -> None:
            try:
                await asyncio.sleep(1e6)
            finally:
                await asyncio.sleep(60)

        async with stand.running() as elector:
            led = asyncio.ensure_future(elector.lead(work))
            await asyncio.sleep(20)

        assert server.holder() == "ann"
        assert stand.log.names("warning") == ["lease_left_to_expire"]
        await ended(led)

    on_virtual_time(main)


def test_work_is_cancelled_when_the_reign_is_over_and_begins_anew_in_the_next() -> None:
    """Cut off for longer than the deadline, the work ends by the clock; back again, it restarts."""

    async def main() -> None:
        server = Server()
        stand = Stand(server)
        begun: list[tuple[int, float]] = []
        over: list[float] = []

        async def work(reign: Reign) -> None:
            loop = asyncio.get_running_loop()
            begun.append((reign.epoch, loop.time()))
            try:
                await asyncio.sleep(1e6)
            finally:
                over.append(loop.time())

        async with stand.running() as elector:
            led = asyncio.ensure_future(elector.lead(work))
            await asyncio.sleep(5)
            server.answers_after_s = 1e6
            assert server.document is not None
            server.document["metadata"]["resourceVersion"] = "stolen"
            await asyncio.sleep(30)
            server.answers_after_s = 0.0
            await asyncio.sleep(30)
            await ended(led)

        assert [epoch for epoch, _ in begun] == [0, 1]
        # The last renewal that succeeded was begun at 4 s.
        assert pytest.approx(over[0], abs=0.01) == 14
        assert (
            stand.metrics.value("synthscale_leadership_reigns_total", lease="fleet/autoscaler") == 2
        )

    on_virtual_time(main)


def test_an_error_in_the_work_comes_out_and_a_lost_leadership_does_not() -> None:
    """`lead` ends with what broke the work; `LeadershipLost` is how work ends."""

    async def main() -> None:
        stand = Stand(Server())
        calls: list[int] = []

        async def loses(reign: Reign) -> None:
            calls.append(reign.epoch)
            raise LeadershipLost("so it goes")

        async def breaks(_reign: Reign) -> None:
            raise ZeroDivisionError

        async with stand.running() as elector:
            led = asyncio.ensure_future(elector.lead(loses))
            await asyncio.sleep(20)
            await ended(led)
            with pytest.raises(ZeroDivisionError):
                await elector.lead(breaks)

        assert calls == [0]

    on_virtual_time(main)


def test_a_learnt_epoch_ends_the_reign_and_the_next_is_above_it() -> None:
    """After the Lease was deleted, the objects that carry an epoch heal the fence."""

    async def main() -> None:
        stand = Stand(Server())
        async with stand.running() as elector:
            await asyncio.sleep(5)
            elector.learn(41)
            await asyncio.sleep(3)
            assert elector.reign() is None
            await asyncio.sleep(20)

            assert elector.require().epoch == 42
            with pytest.raises(ValueError, match="an epoch is 0 to"):
                elector.learn(2**31)

    on_virtual_time(main)


def test_a_refused_look_is_told_and_tried_again() -> None:
    """Nothing is ready before the Lease was seen, and nothing ends because it was not."""

    async def main() -> None:
        server = Server()
        server.refuses = True
        stand = Stand(server)
        async with stand.running():
            await asyncio.sleep(20)
            assert stand.ready == 0
            assert {"lease_unreadable"} == set(stand.log.names())
            server.refuses = False
            await asyncio.sleep(5)

            assert stand.ready > 0
            assert server.holder() == "ann"

    on_virtual_time(main)


def test_a_follower_hears_who_leads_and_takes_a_released_lease_at_its_next_look() -> None:
    """The second waits, and leads in the next epoch within one look of the release."""

    async def main() -> None:
        server = Server()
        first, second = Stand(server), Stand(server, "bob")
        async with contextlib.AsyncExitStack() as stack:
            async with first.running():
                await asyncio.sleep(1)
                await stack.enter_async_context(second.running())
                await asyncio.sleep(20)
                assert second.elector.reign() is None
            await asyncio.sleep(4.5)

            assert second.elector.require().epoch == 1
            assert second.log.named("leader_seen")[0].fields["leader"] == "ann"

    on_virtual_time(main)


def test_a_candidate_has_a_name_of_its_own() -> None:
    """Two processes on one host differ; a candidate without a name is refused."""
    assert unique_identity() != unique_identity()
    with pytest.raises(ValueError, match="a candidate needs a name"):
        Stand(Server(), "")
