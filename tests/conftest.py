"""What every test may ask for: the control plane, a namespace on it, a fleet, and real peers.

It only names where they are made. Nothing is started, built or imported from a library here,
because every run of pytest reads this file, whatever it selects.
"""

from __future__ import annotations

pytest_plugins = [
    "tests.cluster.fixtures",
    "tests.cluster.karpenter.fixtures",
    "tests.cluster.prometheus.fixtures",
]
