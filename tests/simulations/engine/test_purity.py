"""The kernel needs nothing but itself: it can be read, and trusted, alone."""

from __future__ import annotations

import subprocess
import sys


def test_the_engine_loads_without_numpy_or_scipy() -> None:
    """A what-if that only needs the clock starts at once."""
    code = (
        "import simulations.engine, sys;"
        "print([name for name in ('numpy', 'scipy', 'simpy') if name in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout

    assert printed.strip() == "[]"


def test_statistics_load_scipy_only_when_an_interval_is_asked_for() -> None:
    """Importing scipy.special takes as long as importing numpy."""
    code = (
        "import simulations.statistics as s, sys;"
        "s.mean_interval([1.0]); print('scipy' in sys.modules);"
        "s.mean_interval([1.0, 2.0]); print('scipy' in sys.modules, 'scipy.stats' in sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout

    assert printed.split() == ["False", "True", "False"]
