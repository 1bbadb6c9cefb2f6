"""How long the pure core takes for one call of kube-scheduler: bytes in, bytes out, no socket.

A fleet of nodes with eight GPUs is two thirds full; pods of twelve shapes come one at a time, are
filtered and prioritized over all names (each time in another order), appear bound in the watch,
and one leaves for each that comes. "Warm" is a shape that was asked about before, as those of
pending pods are; "cold" is a shape nobody has seen. The third row is 50 pods that nothing can hold,
asked about again and again.

    python -m tests.bench.extender_core [--nodes 500 5000] [--pods N]
"""

# ruff: noqa: T201 - a benchmark prints what it measured

from __future__ import annotations

import argparse
import gc
from math import isqrt
from statistics import median, quantiles
from time import perf_counter_ns
from typing import Final

import msgspec

from gpu_fleet.draws import draw, name_key
from gpu_fleet.nodes import Device, Node
from gpu_fleet.pods import PodShape
from scheduler_extender.answers import Entry
from scheduler_extender.calls import Calls
from scheduler_extender.extender import Extender, ExtenderSettings
from scheduler_extender.objects.nodes import ObservedNode
from scheduler_extender.objects.observed import ObservedPod, PodReader
from scheduler_extender.objects.wire import PodObject
from scheduler_extender.placement.least_loss import LeastLoss
from scheduler_extender.placement.pod_mix import PodMix
from tests.figures import machine, record

MUST_MS: Final = {500: 0.25, 5_000: 2.0}
"""Of a warm call, median: what leaves room for TLS and the event loop in 2 ms and 6 ms."""
SHAPES: Final = [(cpus, gpus) for cpus in (4, 6, 8) for gpus in (1, 2, 4, 8)]


def pod_json(number: int, cpus: int, gpus: int, node: str | None = None) -> bytes:
    """A pod as the API server serves it, with what it does not need left in."""
    name = f"train-{number:06}"
    spec: dict[str, object] = {
        "volumes": [{"name": f"kube-api-access-{number:05x}", "projected": {"defaultMode": 420}}],
        "containers": [
            {
                "name": "train",
                "image": "example/train:1",
                "command": ["python", "train.py"],
                "env": [{"name": f"SETTING_{at}", "value": str(at)} for at in range(12)],
                "resources": {
                    "limits": {"nvidia.com/gpu": str(gpus)},
                    "requests": {
                        "cpu": str(cpus),
                        "memory": f"{cpus * 4}Gi",
                        "nvidia.com/gpu": str(gpus),
                    },
                },
                "terminationMessagePath": "/dev/termination-log",
                "imagePullPolicy": "IfNotPresent",
            }
        ],
        "tolerations": [
            {"key": f"node.kubernetes.io/{what}", "operator": "Exists", "effect": "NoExecute"}
            for what in ("not-ready", "unreachable")
        ],
        "schedulerName": "default-scheduler",
        "priority": 0,
    }
    if node is not None:
        spec["nodeName"] = node
    meta = {
        "name": name,
        "namespace": "ml",
        "uid": f"00000000-0000-4000-8000-{number:012}",
        "resourceVersion": str(1_000 + number * 2 + (node is not None)),
        "creationTimestamp": "2026-01-31T12:00:00Z",
        "labels": {"app": "train"},
    }
    return msgspec.json.encode({"metadata": meta, "spec": spec, "status": {"phase": "Pending"}})


def body_of(pod: bytes, names: bytes) -> bytes:
    """An ExtenderArgs as Go writes it."""
    return b'{"Pod":' + pod + b',"Nodes":null,"NodeNames":' + names + b"}"


class Bench:
    """A fleet, an extender, and a scheduler that binds to the best."""

    def __init__(self, nodes: int) -> None:
        names = [f"gpu-node-{at:05}" for at in range(nodes)]
        self._names = names
        self.reader, self.decoder = PodReader(), msgspec.json.Decoder(PodObject)
        shapes = [self.read(pod_json(at, *asked)).shape for at, asked in enumerate(SHAPES)]
        policy = LeastLoss(PodMix.of(one for one in shapes if isinstance(one, PodShape)))
        self.extender = Extender(policy, ExtenderSettings())
        self.calls = Calls(self.extender, self.reader)
        self.now_ns = 0
        for at, name in enumerate(names):
            node = Node(name, 128_000, 1_048_576, (Device(),) * 8, ("A100", "H100")[at % 2])
            self.extender.ledger.node_seen(ObservedNode(node))
        self.bound: list[str] = []
        for number in range(nodes * 2):
            self.bind(number, *SHAPES[number % 3], names[number % nodes])

    def names(self, number: int) -> bytes:
        """All names in an order of this call's own, as kube-scheduler's 16 workers append them."""
        width = isqrt(len(self._names))
        chunks = [self._names[at : at + width] for at in range(0, len(self._names), width)]
        chunks.sort(key=lambda chunk: draw(number, name_key(chunk[0])))
        return msgspec.json.encode([name for chunk in chunks for name in chunk])

    def read(self, raw: bytes) -> ObservedPod:
        """A pod from its bytes."""
        return self.reader.read(self.decoder.decode(raw))

    def bind(self, number: int, cpus: int, gpus: int, node: str) -> None:
        """The watch shows a pod bound."""
        pod = self.read(pod_json(number, cpus, gpus, node))
        self.extender.pod_seen(pod, self.now_ns)
        self.bound.append(pod.uid)

    def turn(self, number: int, cpus: int, gpus: int) -> tuple[int, int]:
        """One pod comes and is placed, one leaves; nanoseconds of its two calls."""
        self.now_ns += 20_000_000
        self.extender.vouch(self.now_ns)
        pod = pod_json(number, cpus, gpus)
        body = body_of(pod, self.names(number))
        began = perf_counter_ns()
        answer = self.calls.filter(Entry.SCORER, body, self.now_ns).body
        filtered = perf_counter_ns() - began
        kept = msgspec.json.decode(answer)["NodeNames"]
        if len(kept) < 2:
            raise SystemExit("the bench's fleet is full")
        body = body_of(pod, msgspec.json.encode(kept))
        began = perf_counter_ns()
        answer = self.calls.prioritize(Entry.SCORER, body, self.now_ns).body
        ranked = perf_counter_ns() - began
        best = max(msgspec.json.decode(answer), key=lambda host: host["Score"])["Host"]
        self.extender.explain_next()
        self.bind(number, cpus, gpus, best)
        self.extender.pod_gone(self.bound.pop(0))
        return filtered, ranked


def spread(name: str, ns: list[int], must_ms: float | None) -> dict[str, object]:
    """Print the median and the tail, and whether it is what it must be."""
    middle, p99 = median(ns) / 1e6, quantiles(ns, n=100)[98] / 1e6
    must = "" if must_ms is None else f" (must: {must_ms:g})"
    print(f"  {name:32} p50 {middle:.3f} ms{must}  p99 {p99:.3f} ms")
    row: dict[str, object] = {"what": name, "p50_ms": middle, "p99_ms": p99}
    return row if must_ms is None else {**row, "must_ms": must_ms}


def measure(nodes: int, pods: int) -> list[dict[str, object]]:
    """The rows for one size of cluster."""
    print(f"{nodes:,} names")
    bench = Bench(nodes)
    for at in range(60):
        bench.turn(10_000_000 + at, *SHAPES[at % 3])
    gc.collect()
    warm = [bench.turn(20_000_000 + at, *SHAPES[at % 3]) for at in range(pods)]
    cold = [bench.turn(30_000_000 + at, 10 + at % 20, 1) for at in range(20)]
    hopeless = [body_of(pod_json(40_000_000 + at, 4, 16), bench.names(at)) for at in range(50)]
    again = []
    for _ in range(5):
        for body in hopeless:
            began = perf_counter_ns()
            bench.calls.filter(Entry.GUARD, body, bench.now_ns)
            again.append(perf_counter_ns() - began)
    must = MUST_MS.get(nodes)
    rows = [
        spread("filter, warm shape", [one for one, _ in warm], must),
        spread("prioritize, warm shape", [two for _, two in warm], must),
        spread("filter, cold shape", [one for one, _ in cold], None),
        spread("filter, nothing can hold it", again[50:], None),
    ]
    return [{"names": nodes, **row} for row in rows]


def main() -> None:
    """Measure each size, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, nargs="+", default=[500, 5_000])
    parser.add_argument("--pods", type=int, default=600)
    options = parser.parse_args()
    print(f"the extender's core, a call without a socket, on {machine()['cpu']}")
    rows = [row for nodes in options.nodes for row in measure(nodes, options.pods)]
    if options.nodes == [500, 5_000]:  # a smaller look is no figure
        record("extender-core", rows, command="make bench")
    if any(float(str(row["p50_ms"])) > float(str(row.get("must_ms", 1e9))) for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
