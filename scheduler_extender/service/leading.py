"""The reign of this replica: takes the books over, and puts its own address behind the Service.

All replicas are warm; the one that leads answers, and schedulers find it because the Service has no
selector and its one EndpointSlice names the leader. Whoever still asks another replica is told so
and connects anew. Leadership is asked for at each call, so that a reign that is over answers
nothing more, whatever this part is doing. It must not answer a scheduler itself.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from gpu_fleet.errors import KubeError
from service_runtime.kube.api import Resource
from service_runtime.kube.objects import apply
from service_runtime.leadership.fencing import with_epoch
from service_runtime.timing import elapsed_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler_extender.extender import Extender
    from scheduler_extender.service.settings import LeaderSettings, PodSettings
    from service_runtime.chassis import Chassis
    from service_runtime.leadership.election import Reign
    from service_runtime.leadership.elector import Elector
    from service_runtime.telemetry.metrics import Gauge

__all__ = ["ENDPOINT_SLICES", "MANAGER", "Leading", "endpoint_slice"]

ENDPOINT_SLICES = Resource("v1", "endpointslices", "EndpointSlice", group="discovery.k8s.io")
MANAGER = "synthscale-extender"
"""Owner of the fields that we apply."""
_RETRY_S = 1.0


def endpoint_slice(
    pod: PodSettings, leader: LeaderSettings, port: int, epoch: int
) -> dict[str, object]:
    """The slice that says: this pod, and no other."""
    version = ipaddress.ip_address(pod.address).version
    endpoint: dict[str, object] = {
        "addresses": [pod.address],
        "conditions": {"ready": True, "serving": True, "terminating": False},
    }
    if pod.name:
        endpoint["targetRef"] = {"kind": "Pod", "name": pod.name, "namespace": pod.namespace}
    document = {
        "metadata": {
            "labels": {
                "kubernetes.io/service-name": leader.service,
                "endpointslice.kubernetes.io/managed-by": MANAGER,
            }
        },
        "addressType": f"IPv{version}",
        "endpoints": [endpoint],
        "ports": [{"name": leader.service_port, "port": port, "protocol": "TCP"}],
    }
    return with_epoch(document, epoch)


class Leading:
    """A part that does what a leader has to do, in each of its reigns."""

    name = "leading"

    def __init__(
        self,
        chassis: Chassis,
        elector: Elector,
        extender: Extender,
        *,
        pod: PodSettings,
        leader: LeaderSettings,
        port: Callable[[], int],
        takeover: Gauge,
    ) -> None:
        self._chassis = chassis
        self._elector = elector
        self._extender = extender
        self._pod = pod
        self._leader = leader
        self._port = port
        self._takeover = takeover
        self._log = chassis.log.component(self.name)
        self._epoch: int | None = None

    def leads(self) -> bool:
        """Whether this replica may answer at this very moment."""
        reign = self._elector.reign()
        return reign is not None and reign.epoch == self._epoch

    async def run(self, ready: Callable[[], None]) -> None:
        """Lead whenever the Lease is ours, until cancelled."""
        ready()
        await self._elector.lead(self._reign)

    async def _reign(self, reign: Reign) -> None:
        timing = self._chassis.timing
        begun_ns = timing.now_ns()
        self._extender.ledger.take_over(begun_ns)
        self._epoch = reign.epoch
        inherited = self._extender.ledger.counts.inherited
        self._log.event("books_taken_over", epoch=reign.epoch, under_way=inherited)
        published = False
        try:
            while True:
                done = await self._publish(reign)
                if done and not published:
                    published = True
                    taken_s = elapsed_s(begun_ns, timing.now_ns())
                    self._takeover.set(taken_s)
                    self._log.event("leader_published", seconds=round(taken_s, 3))
                await timing.sleep(self._leader.republish_s if done else _RETRY_S)
        finally:
            self._epoch = None
            self._extender.ledger.step_down()

    async def _publish(self, reign: Reign) -> bool:
        """Put our address behind the Service; whether that is done."""
        if not self._pod.address:
            return True
        document = endpoint_slice(self._pod, self._leader, self._port(), reign.epoch)
        self._elector.require(reign.epoch)
        try:
            await apply(
                self._chassis.api,
                ENDPOINT_SLICES,
                self._leader.endpoint_slice,
                document,
                manager=MANAGER,
                namespace=self._pod.namespace,
                force=True,
            )
        except KubeError as error:
            self._log.warn("leader_not_published", slice=self._leader.endpoint_slice, error=error)
            return False
        return True
