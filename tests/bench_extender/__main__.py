"""Measure the extender's speed: round trips at a Go client, then pods a second of a real scheduler.

    python -m tests.bench_extender [--nodes 500 5000] [--fleets 1000 5000] [--pairs 5]

Figures go to docs/figures with the load of the machine beside them; it leaves with 1 only where a
must fails on a quiet machine.
"""

from __future__ import annotations

import argparse
import sys

from tests.bench_extender import round_trip, throughput


def main() -> int:
    """Both halves, whatever the first says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, nargs="*", default=[500, 5_000])
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--fleets", type=int, nargs="*", default=[1_000, 5_000])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--pods", type=int, default=600)
    options = parser.parse_args()
    holds = [
        not options.nodes or round_trip.run(options.nodes, options.calls),
        not options.fleets or throughput.run(options.fleets, options.pairs, options.pods),
    ]
    return 0 if all(holds) else 1


if __name__ == "__main__":
    sys.exit(main())
