"""Files that people have, read into the values that experiments run on.

This is shell: it opens files and nothing else does. The content decides the format (openb's CSV
columns, or the JSON that `kubectl get nodes,pods -A -o json` prints), and whatever cannot be used
is one `InputError`. Readers must not decide anything about placement.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simulations.readers import openb
from simulations.readers.files import read_text

if TYPE_CHECKING:
    from simulations.workload import Inventory, Workload

__all__ = ["read_inventory", "read_workload"]


def read_inventory(path: Path | str) -> Inventory:
    """The nodes in `path`, and the pods that are bound to them; raises `InputError`."""
    source = read_text(Path(path))
    return openb.inventory(source)


def read_workload(path: Path | str) -> Workload:
    """The pods in `path` that want a place, in file order; raises `InputError`."""
    source = read_text(Path(path))
    return openb.workload(source)
