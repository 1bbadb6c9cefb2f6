"""The objects of a selection as last known, and what changed from one moment to the next.

An object is the same while its uid is; the same name with another uid is another object, so it
is reported as a deletion and an addition. Versions are compared for equality only.

An object whose newest state cannot be decoded keeps its last good copy, marked in `unreadable`:
to forget a running pod would free its GPU in our books and place a second one there, while an
old copy is at worst late. It goes when the API server says that it is gone.

Nothing here may do I/O, wait, or hold more than one copy of an object.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from service_runtime.kube.wire import WithMetadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service_runtime.kube.reading import Unreadable
    from service_runtime.kube.wire import HasIdentity

__all__ = ["Added", "Change", "Deleted", "Key", "Updated", "View", "key_of"]

T = TypeVar("T", bound=WithMetadata)

Key: TypeAlias = tuple[str, str]
"""Namespace (empty where the kind has none) and name."""


@dataclass(frozen=True, slots=True)
class Added(Generic[T]):
    """An object that was not known."""

    object: T


@dataclass(frozen=True, slots=True)
class Updated(Generic[T]):
    """An object in a new version, and the version it replaces."""

    object: T
    before: T


@dataclass(frozen=True, slots=True)
class Deleted(Generic[T]):
    """An object that is gone, as it was last known."""

    object: T


Change: TypeAlias = Added[T] | Updated[T] | Deleted[T]


def key_of(metadata: HasIdentity) -> Key:
    """The key of an object."""
    return metadata.namespace, metadata.name


class View(Generic[T]):
    """Holds the objects; each method takes what was learnt and returns what that changed."""

    def __init__(self) -> None:
        self._objects: dict[Key, T] = {}
        self._unreadable: dict[Key, Unreadable] = {}

    @property
    def objects(self) -> Mapping[Key, T]:
        """The objects by key; a live view that nobody else can write."""
        return MappingProxyType(self._objects)

    @property
    def unreadable(self) -> Mapping[Key, Unreadable]:
        """The objects whose newest state could not be decoded, whether a good copy is held or not.

        One that does not even tell its name stands under the empty key.
        """
        return MappingProxyType(self._unreadable)

    def kept(self, listed: T) -> T:
        """The copy we hold of the very same version, else `listed`: so that a list costs little."""
        held = self._objects.get(key_of(listed.metadata))
        return held if held is not None and _same(held, listed) else listed

    def put(self, seen: T) -> tuple[Change[T], ...]:
        """An object was seen in some version."""
        key = key_of(seen.metadata)
        self._unreadable.pop(key, None)
        held = self._objects.get(key)
        if held is not None and _same(held, seen):
            return ()
        self._objects[key] = seen
        if held is None:
            return (Added(seen),)
        if held.metadata.uid != seen.metadata.uid:
            return Deleted(held), Added(seen)
        return (Updated(seen, held),)

    def remove(self, key: Key, uid: str) -> tuple[Change[T], ...]:
        """An object is gone; news of an earlier object of that name change nothing."""
        marked = self._unreadable.get(key)
        if marked is not None and _may_be(marked.uid, uid):
            del self._unreadable[key]
        held = self._objects.get(key)
        if held is None or not _may_be(held.metadata.uid, uid):
            return ()
        return (Deleted(self._objects.pop(key)),)

    def mark(self, bad: Unreadable) -> tuple[Change[T], ...]:
        """An object was seen that cannot be decoded: the last good copy of the same uid stays."""
        key = (bad.namespace, bad.name)
        self._unreadable[key] = bad
        held = self._objects.get(key)
        if held is None or _may_be(held.metadata.uid, bad.uid):
            return ()
        return (Deleted(self._objects.pop(key)),)

    def replace(
        self, listed: Mapping[Key, T], unreadable: Iterable[Unreadable]
    ) -> tuple[Change[T], ...]:
        """A list is complete: what is not in it is gone, and that is told first.

        Where an object does not even tell its name, nobody can say which one it is, so nothing
        that is missing from the list is believed gone until a list is readable again.
        """
        marks = {(bad.namespace, bad.name): bad for bad in unreadable}
        nameless = any(not name for _, name in marks)
        gone = tuple(
            Deleted(held)
            for key, held in self._objects.items()
            if not _still_there(held, listed.get(key), marks.get(key), nameless=nameless)
        )
        for change in gone:
            del self._objects[key_of(change.object.metadata)]
        self._unreadable = marks
        came = (change for one in listed.values() for change in self.put(one))
        return gone + tuple(came)


def _same(held: WithMetadata, seen: WithMetadata) -> bool:
    return (
        held.metadata.uid == seen.metadata.uid
        and held.metadata.resource_version == seen.metadata.resource_version
    )


def _may_be(uid: str, other: str) -> bool:
    """Whether two uids may be one, given that an unreadable object may not tell its own."""
    return uid == other or not uid or not other


def _still_there(
    held: WithMetadata, listed: WithMetadata | None, bad: Unreadable | None, *, nameless: bool
) -> bool:
    if listed is not None:
        return listed.metadata.uid == held.metadata.uid
    if bad is not None:
        return _may_be(held.metadata.uid, bad.uid)
    return nameless
