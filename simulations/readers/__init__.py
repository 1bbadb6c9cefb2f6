"""Files that people have, read into the values that experiments run on.

This is shell: it opens files and nothing else does. The content decides the format (openb's CSV
columns, or the JSON that `kubectl get nodes,pods -A -o json` prints), and whatever cannot be used
is one `InputError`. Readers must not decide anything about placement.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simulations.readers import kubectl, openb
from simulations.readers.files import read_text
from simulations.readers.models import unknown_models

if TYPE_CHECKING:
    from simulations.workload import Inventory, Workload

__all__ = ["read_inventory", "read_workload", "unknown_models"]


def read_inventory(path: Path | str) -> Inventory:
    """The nodes in `path`, and the pods that are bound to them; raises `InputError`."""
    source = read_text(Path(path))
    return kubectl.inventory(source) if source.is_json else openb.inventory(source)


def read_workload(path: Path | str) -> Workload:
    """The pods in `path` that want a place, in file order; raises `InputError`."""
    source = read_text(Path(path))
    return kubectl.workload(source) if source.is_json else openb.workload(source)
