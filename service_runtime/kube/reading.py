"""Turns pages and lines into objects, so that one that cannot be read costs only itself.

A page is decoded in one go, which is the fast path; only when that fails is each item tried
alone, and the ones that fail come out as `Unreadable`, with as much identity as can be saved.
Nothing here may keep a reference to the bytes it read, and nothing may know what came before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeVar

import msgspec

from service_runtime.kube.refusals import malformed, refused
from service_runtime.kube.wire import (
    Bookmark,
    Identified,
    Identity,
    ListPage,
    Status,
    WatchEvent,
    WithMetadata,
)

if TYPE_CHECKING:
    from service_runtime.kube.refusals import Asked

__all__ = ["Happened", "Heartbeat", "Page", "Reader", "Unreadable"]

T = TypeVar("T", bound=WithMetadata)

_HAPPENINGS: Final[dict[str, Literal["ADDED", "MODIFIED", "DELETED"]]] = {
    "ADDED": "ADDED",
    "MODIFIED": "MODIFIED",
    "DELETED": "DELETED",
}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An object that is there and cannot be decoded; a name is empty where not even that could."""

    name: str
    namespace: str
    uid: str
    version: str
    problem: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list."""

    version: str
    continue_token: str
    objects: list[T]
    unreadable: tuple[Unreadable, ...]


@dataclass(frozen=True, slots=True)
class Happened(Generic[T]):
    """An object came, changed or went."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: T | Unreadable

    @property
    def version(self) -> str:
        """From where a watch goes on after this; empty where it could not be read."""
        if isinstance(self.object, Unreadable):
            return self.object.version
        return self.object.metadata.resource_version


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing happened up to this version."""

    version: str


class Reader(Generic[T]):
    """Decodes one kind of object; `asked` is what its errors speak of."""

    def __init__(self, kind: type[T], asked: Asked) -> None:
        self._asked = asked
        self._page = msgspec.json.Decoder(ListPage[kind])  # type: ignore[valid-type]
        self._loose_page = msgspec.json.Decoder(ListPage[msgspec.Raw])
        self._object = msgspec.json.Decoder(kind)
        self._event = msgspec.json.Decoder(WatchEvent)
        self._bookmark = msgspec.json.Decoder(Bookmark)
        self._status = msgspec.json.Decoder(Status)
        self._identified = msgspec.json.Decoder(Identified)

    def page(self, body: bytes) -> Page[T]:
        """A page of a list; raises `KubeMalformed` when the body is no list at all."""
        try:
            page: ListPage[T] = self._page.decode(body)
        except msgspec.MsgspecError:
            return self._item_by_item(body)
        return Page(
            page.metadata.resource_version, page.metadata.continue_token, page.items or [], ()
        )

    def event(self, line: bytes) -> Happened[T] | Heartbeat:
        """A line of a watch; raises `KubeExpired` or its like for an ERROR event."""
        try:
            event = self._event.decode(line)
            if event.type == "BOOKMARK":
                return Heartbeat(self._bookmark.decode(event.object).metadata.resource_version)
            if event.type == "ERROR":
                status = self._status.decode(event.object)
                raise refused(self._asked, status.code, status)
        except msgspec.MsgspecError as error:
            raise malformed(self._asked, f"an event of a watch: {error}") from error
        happening = _HAPPENINGS.get(event.type)
        if happening is None:
            raise malformed(self._asked, f"an event of unknown type {event.type!r}")
        return Happened(happening, self._read(event.object))

    def _item_by_item(self, body: bytes) -> Page[T]:
        try:
            page = self._loose_page.decode(body)
        except msgspec.MsgspecError as error:
            raise malformed(self._asked, f"a page of a list: {error}") from error
        read = [self._read(item) for item in page.items or ()]
        return Page(
            page.metadata.resource_version,
            page.metadata.continue_token,
            [one for one in read if not isinstance(one, Unreadable)],
            tuple(one for one in read if isinstance(one, Unreadable)),
        )

    def _read(self, item: msgspec.Raw) -> T | Unreadable:
        try:
            return self._object.decode(item)
        except msgspec.MsgspecError as error:
            seen = self._identity(item)
            return Unreadable(
                seen.name, seen.namespace, seen.uid, seen.resource_version, str(error)
            )

    def _identity(self, item: msgspec.Raw) -> Identity:
        try:
            return self._identified.decode(item).metadata
        except msgspec.MsgspecError:
            return Identity()
