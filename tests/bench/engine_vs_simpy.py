"""How many events a second our engine handles, against SimPy on the same queue, in one run.

M/M/10 at utilisation 0.9: an arrival and a departure for each customer.
SimPy runs the model its own documentation teaches, a process for each customer and a Resource.
Ours runs two handlers on the public Engine. Both draw the same numbers, in the same blocks,
measure the mean wait and nothing else, so they must also agree on it.

Pairs are interleaved, so that a busy machine slows both sides of a ratio alike.

    python -m tests.bench.engine_vs_simpy [--arrivals N] [--pairs N]
"""

# ruff: noqa: T201 - a benchmark prints what it measured

from __future__ import annotations

import argparse
import gc
from collections import deque
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final

import simpy

from simulations.durations import Exponential
from simulations.engine import Engine
from simulations.queueing_theory import mmc_mean_wait_s
from simulations.streams import Block, Streams
from tests.figures import machine, record

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

SERVERS: Final = 10
ARRIVAL_RATE_PER_S: Final = 9.0
MEAN_SERVICE_S: Final = 1.0
SEED: Final = 42
ARRIVALS: Final = 1_000_000
MUST: Final = 5.0

ARRIVE, DEPART = 0, 1
NS_PER_S = 1_000_000_000


def draws() -> tuple[Callable[[], int], Callable[[], int]]:
    """Return the gaps and the service times, in ns: the same for both sides."""
    streams = Streams(SEED)
    gaps, services = streams.generator("gaps"), streams.generator("services")
    gap, service = Exponential(1 / ARRIVAL_RATE_PER_S), Exponential(MEAN_SERVICE_S)
    return (
        Block[int](lambda count: gap.sample_ns(gaps, count)).next,
        Block[int](lambda count: service.sample_ns(services, count)).next,
    )


class Line:
    """M/M/c on the Engine: a count of busy servers and a line of arrival times."""

    __slots__ = ("busy", "coming", "engine", "gap_ns", "service_ns", "waited_ns", "waiting")

    def __init__(self, engine: Engine, arrivals: int) -> None:
        self.engine = engine
        self.gap_ns, self.service_ns = draws()
        self.busy = 0
        self.coming = arrivals
        self.waited_ns = 0
        self.waiting: deque[int] = deque()
        engine.on(ARRIVE, self.arrive)
        engine.on(DEPART, self.depart)
        engine.schedule(0, ARRIVE)

    def arrive(self, time_ns: int, _a: int, _b: int) -> int | None:
        """Take a server or join the line; the next customer comes after a gap."""
        if self.busy < SERVERS:
            self.busy += 1
            self.engine.schedule(time_ns + self.service_ns(), DEPART)
        else:
            self.waiting.append(time_ns)
        self.coming -= 1
        return time_ns + self.gap_ns() if self.coming else None

    def depart(self, time_ns: int, _a: int, _b: int) -> int | None:
        """Leave the server to whoever waits longest."""
        if not self.waiting:
            self.busy -= 1
            return None
        self.waited_ns += time_ns - self.waiting.popleft()
        return time_ns + self.service_ns()


def on_engine(arrivals: int) -> float:
    """Return the mean wait in s, simulated on our Engine."""
    engine = Engine()
    line = Line(engine, arrivals)
    engine.run()
    return line.waited_ns / arrivals / NS_PER_S


def on_simpy(arrivals: int) -> float:
    """Return the mean wait in s, simulated with a SimPy process for each customer."""
    environment = simpy.Environment()
    servers = simpy.Resource(environment, SERVERS)
    gap_ns, service_ns = draws()
    waited_ns = 0

    def customer() -> Generator[simpy.Event, None, None]:
        nonlocal waited_ns
        arrived_ns = environment.now
        with servers.request() as request:
            yield request
            waited_ns += int(environment.now - arrived_ns)
            yield environment.timeout(service_ns())

    def door() -> Generator[simpy.Event, None, None]:
        for _ in range(arrivals):
            environment.process(customer())
            yield environment.timeout(gap_ns())

    environment.process(door())
    environment.run()
    return waited_ns / arrivals / NS_PER_S


def timed(simulate: Callable[[int], float], arrivals: int) -> tuple[float, float]:
    """Return events per second (two for each arrival) and the mean wait in s."""
    gc.collect()
    begun_s = perf_counter()
    wait_s = simulate(arrivals)
    return 2 * arrivals / (perf_counter() - begun_s), wait_s


def main() -> None:
    """Run the pairs, print them and record the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arrivals", type=int, default=ARRIVALS)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    theory_s = mmc_mean_wait_s(SERVERS, ARRIVAL_RATE_PER_S, MEAN_SERVICE_S)
    print(f"M/M/{SERVERS} at 0.9, {options.arrivals:,} arrivals, on {machine()['cpu']}")
    rows: list[dict[str, float]] = []
    for pair in range(1, options.pairs + 1):
        ours, our_wait_s = timed(on_engine, options.arrivals)
        theirs, their_wait_s = timed(on_simpy, options.arrivals)
        if abs(our_wait_s - their_wait_s) > 1e-9:
            raise SystemExit(f"the two disagree: {our_wait_s} s and {their_wait_s} s")
        rows.append(
            {"engine_events_per_s": ours, "simpy_events_per_s": theirs, "ratio": ours / theirs}
        )
        print(
            f"pair {pair}: engine {ours:,.0f}/s, SimPy {theirs:,.0f}/s, ratio {ours / theirs:.1f}"
        )
    middle = {key: median(row[key] for row in rows) for key in rows[0]}
    print(
        f"median: engine {middle['engine_events_per_s']:,.0f}/s,"
        f" SimPy {middle['simpy_events_per_s']:,.0f}/s, ratio {middle['ratio']:.1f} (must: {MUST})"
    )
    print(f"mean wait {our_wait_s:.4f} s on both, theory {theory_s:.4f} s")
    summary = {**middle, "pairs": len(rows), "arrivals": options.arrivals,
               "mean_wait_s": our_wait_s, "theory_mean_wait_s": theory_s}  # fmt: skip
    if options.arrivals == ARRIVALS:  # a shorter look is no figure
        record("engine-vs-simpy", [summary], command="make bench")
    if middle["ratio"] < MUST:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
