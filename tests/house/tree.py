"""What stands in the repository: its rooms, modules and files, found by walking.

The laws hold for files that nobody has written yet, so tests ask here instead of keeping lists.
It uses no version control: a bare machine has none. It must not import a room.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "ROOT",
    "SHELLS",
    "decision_modules",
    "docstring",
    "is_decision",
    "module_name",
    "python_files",
    "rooms",
    "text_files",
]

ROOT = Path(__file__).resolve().parents[2]

SHELLS = frozenset({"__main__", "commands", "readers", "report", "runs", "workers"})
"""The parts of `simulations` that may read clocks and files and start processes."""

EXTENDER_DECISIONS = frozenset(
    {
        "",
        "accounting",
        "answers",
        "explain",
        "extender",
        "objects",
        "placement",
        "regret",
        "term_budget",
    }
)
"""The parts of `scheduler_extender` that decide, all but the structs of the wire in them."""

AUTOSCALER_SHELLS = frozenset({"sources", "store"})
"""The parts of `autoscaler` that read files and ask servers."""

NOT_OURS = frozenset(
    {".git", ".hypothesis", ".venv", "__pycache__", "build", "dist", "out", "shared"}
)
"""Folders that hold what a tool made or what was laid beside the sources."""


def rooms() -> list[str]:
    """Every shipped package: a folder with code that is not the tests."""
    found = (path.parent.name for path in ROOT.glob("*/__init__.py"))
    return sorted(name for name in found if name != "tests")


def python_files(folder: str) -> list[Path]:
    """All Python files below one folder of the repository."""
    return sorted(
        path for path in (ROOT / folder).rglob("*.py") if not NOT_OURS.intersection(path.parts)
    )


def module_name(path: Path) -> str:
    """The name a file is imported by."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_decision(module: str) -> bool:
    """Whether the law of purity covers this module."""
    room, *rest = module.split(".")
    inner = rest[0] if rest else ""
    if room == "scheduler_extender":
        return inner in EXTENDER_DECISIONS and rest[-1:] != ["wire"]
    if room == "autoscaler":
        return inner not in AUTOSCALER_SHELLS
    if room == "simulations":
        return inner not in SHELLS
    return room == "gpu_fleet"


def decision_modules() -> list[str]:
    """Every module that must stay pure, in a stable order."""
    names = (module_name(path) for room in rooms() for path in python_files(room))
    return sorted(name for name in names if is_decision(name))


def docstring(path: Path) -> str:
    """The text a module opens with; empty when it has none."""
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def text_files() -> Iterator[tuple[Path, str]]:
    """Every file a person may read, with its text; caches, results and binaries are left out."""
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT).parts
        if NOT_OURS.intersection(inside) or not path.is_file() or inside[0].endswith("_cache"):
            continue
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
