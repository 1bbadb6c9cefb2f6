"""A service in a page: it counts the nodes of a cluster and tells which of its replicas leads.

It exists to show how the chassis is used, and its tests run it on a real control plane. What a
service decides would stand in modules of its own; this file must stay a shell.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import msgspec
from msgspec import Meta

from service_runtime.chassis import no_older_than, open_chassis
from service_runtime.kube.api import NODES
from service_runtime.kube.wire import Node
from service_runtime.leadership import LeaseName
from service_runtime.process import Ending, execute
from service_runtime.serve import Reply, Request, Route
from service_runtime.settings import settings_of_process
from service_runtime.settings.chassis import ChassisSettings


class CountSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What only this service has to know."""

    namespace: Annotated[str, Meta(description="Where its Lease is.")] = "synthscale"
    oldest_view_s: Annotated[
        float, Meta(description="With an older view the service is not ready.", gt=0)
    ] = 120.0


class ReferenceSettings(ChassisSettings, frozen=True, forbid_unknown_fields=True):
    """The subjects of the chassis, and our own."""

    count: CountSettings = CountSettings()


async def count_nodes() -> Ending:
    """Read the settings, make the parts, run them in order."""
    settings = settings_of_process(ReferenceSettings, sys.argv[1:], os.environ)
    async with open_chassis("reference", settings) as chassis:
        nodes = chassis.watch(NODES, Node)
        elector = chassis.elector(LeaseName(settings.count.namespace, "reference"))

        async def answer(_: Request) -> Reply:
            leads = elector.reign() is not None
            return Reply.of_json({"nodes": len(nodes.objects), "leads": leads})

        serving = chassis.serving(
            [Route("GET", "/nodes", answer)],
            checks={"nodes": no_older_than(settings.count.oldest_view_s, nodes)},
        )
        return await chassis.run(nodes, elector, serving)


if __name__ == "__main__":
    sys.exit(execute("reference", count_nodes))
