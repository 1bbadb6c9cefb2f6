"""Who owns which field, as far as server-side apply needs it: a pure function over plain objects.

A leaf is a scalar, a list (taken whole, where the API server merges some lists by key) or an
empty object. An apply owns the leaves it names; naming a leaf that another manager owns, with
another value, is a conflict unless forced; leaves that a manager named before and names no more
go, unless another manager owns them too. Nothing here may change an object it was given.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Applied", "Owners", "Path", "applied", "leaves", "updated"]

Path: TypeAlias = tuple[str, ...]
Owners: TypeAlias = dict[str, frozenset[Path]]
"""The leaves of each manager."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The object and its owners after an apply, or, where `conflicts` are told, nothing new."""

    content: dict[str, Any]
    owners: Owners
    conflicts: tuple[tuple[str, Path], ...] = ()
    """Each with the manager that owns the leaf."""


def leaves(content: Mapping[str, Any], prefix: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every leaf of an object with its path."""
    for key, value in content.items():
        path = (*prefix, key)
        if isinstance(value, dict) and value:
            yield from leaves(value, path)
        else:
            yield path, value


def applied(
    current: Mapping[str, Any],
    owners: Owners,
    wanted: Mapping[str, Any],
    manager: str,
    *,
    force: bool,
) -> Applied:
    """Lay what `manager` wants over the current object."""
    content = copy.deepcopy(dict(current))
    named = dict(leaves(wanted))
    held = dict(leaves(current))
    changed = frozenset(path for path, value in named.items() if held.get(path, ...) != value)
    conflicts = tuple(
        (other, path)
        for other, paths in owners.items()
        if other != manager
        for path in sorted(paths & changed)
    )
    if conflicts and not force:
        return Applied(content, owners, conflicts)
    after = {other: paths - changed for other, paths in owners.items() if other != manager}
    still_owned = frozenset().union(*after.values())
    for path in owners.get(manager, frozenset()) - named.keys() - still_owned:
        _remove(content, path)
    for path, value in named.items():
        _set(content, path, value)
    after[manager] = frozenset(named)
    return Applied(content, {one: paths for one, paths in after.items() if paths})


def updated(
    before: Mapping[str, Any], after: Mapping[str, Any], owners: Owners, manager: str
) -> Owners:
    """The owners after a whole object was put: what it changed is now the putter's."""
    was, now = dict(leaves(before)), dict(leaves(after))
    changed = frozenset(path for path, value in now.items() if was.get(path, ...) != value)
    left = {one: (paths - changed) & now.keys() for one, paths in owners.items()}
    left[manager] = left.get(manager, frozenset()) | changed
    return {one: paths for one, paths in left.items() if paths}


def _set(content: dict[str, Any], path: Path, value: object) -> None:
    for step in path[:-1]:
        inner = content.get(step)
        if not isinstance(inner, dict):
            inner = content[step] = {}
        content = inner
    content[path[-1]] = copy.deepcopy(value)


def _remove(content: dict[str, Any], path: Path) -> None:
    """Take a leaf out, and the objects that are empty without it."""
    head, *rest = path
    if not rest:
        content.pop(head, None)
        return
    inner = content.get(head)
    if not isinstance(inner, dict):
        return
    _remove(inner, tuple(rest))
    if not inner:
        del content[head]
