"""What every test may ask for: the control plane, a namespace on it, a fleet, and real peers.

It only names where they are made. Nothing is started, built or imported from a library here,
because every run of pytest reads this file, whatever it selects.
"""

from __future__ import annotations

import signal

pytest_plugins = [
    "tests.cluster.fixtures",
    "tests.cluster.karpenter.fixtures",
    "tests.cluster.prometheus.fixtures",
]


def pytest_configure() -> None:
    """Let programs that tests start hear Ctrl-C and a hang-up, also where this run is a job.

    A shell starts a background job with these signals ignored, and what is ignored is inherited.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
