"""Run every benchmark, one process after the other, so that none warms up or crowds another.

Each module beside this one is a benchmark: it prints its ratios, and leaves with 1 below its must.
"""

from __future__ import annotations

import subprocess
import sys
from pkgutil import iter_modules

from tests import bench


def main() -> int:
    """Run them all, whatever fails; return 1 if any did."""
    names = sorted(module.name for module in iter_modules(bench.__path__, "tests.bench."))
    failed = [
        name
        for name in names
        if not name.endswith(".__main__")
        and subprocess.run([sys.executable, "-m", name], check=False).returncode
    ]
    for name in failed:
        print(f"failed: python -m {name}", file=sys.stderr)  # noqa: T201 - a benchmark prints
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
