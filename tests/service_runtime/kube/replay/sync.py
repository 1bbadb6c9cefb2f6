"""Syncs nodes and pods from a kubeconfig, once, and prints what that took as JSON.

It does what a service does at its start, no less: credentials, TLS, both watches at once. The
time is that of the two lists; the memory is the peak of the whole process, imports included.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from pathlib import Path

from service_runtime.kube.api import NODES, PODS
from service_runtime.kube.client import ApiServer
from service_runtime.kube.settings import KubeSettings
from service_runtime.kube.watching import Watch
from service_runtime.kube.wire import Node, Pod
from service_runtime.telemetry.log import RecordedLog
from service_runtime.timing import SystemTiming

LIMIT_S = 100.0


def peak_rss_mb() -> float:
    """The most memory this program held; getrusage would tell that of whoever forked it as well."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (peak_kib,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return round(int(peak_kib) / 1024, 1)


async def sync(kubeconfig: str) -> dict[str, float]:
    """Both views, from nothing to synced."""
    settings = KubeSettings(kubeconfig=kubeconfig)
    timing, log, draw = SystemTiming(), RecordedLog(), random.Random(1).random  # noqa: S311 - jitter
    async with ApiServer(settings, timing) as api, asyncio.TaskGroup() as group:
        nodes = Watch(api, NODES, Node, settings=settings, timing=timing, draw=draw, log=log)
        pods = Watch(api, PODS, Pod, settings=settings, timing=timing, draw=draw, log=log)
        began_s, cpu_s = time.perf_counter(), time.process_time()
        running = [group.create_task(watch.run()) for watch in (nodes, pods)]
        async with asyncio.timeout(LIMIT_S):
            await asyncio.gather(nodes.synced.wait(), pods.synced.wait())
        took = {
            "seconds": round(time.perf_counter() - began_s, 2),
            "cpu_seconds": round(time.process_time() - cpu_s, 2),
            "peak_rss_mb": peak_rss_mb(),
            "nodes": len(nodes.objects),
            "pods": len(pods.objects),
            "pages": nodes.tally.pages + pods.tally.pages,
        }
        for task in running:
            task.cancel()
    return took


if __name__ == "__main__":
    print(json.dumps(asyncio.run(sync(sys.argv[1]))))  # noqa: T201 - how the test learns it
