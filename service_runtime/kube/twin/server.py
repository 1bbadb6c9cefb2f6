"""The twin itself: objects, versions and streams behind the seam, in one process and one thread.

Stored objects are never changed, only replaced, so a list in pages is the snapshot it has to be.
Time is passed in; bookmarks, timeouts of streams and the end of a continue token follow it.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

import msgspec

from service_runtime.kube.api import EVERYTHING
from service_runtime.kube.refusals import Asked, refused
from service_runtime.kube.twin.faults import Faults
from service_runtime.kube.twin.history import History, Past
from service_runtime.kube.twin.ownership import applied, updated
from service_runtime.kube.twin.selectors import matcher
from service_runtime.kube.wire import Status
from service_runtime.timing import elapsed_s, within

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping

    from service_runtime.kube.api import Resource, Selection
    from service_runtime.kube.twin.ownership import Owners
    from service_runtime.kube.view import Key
    from service_runtime.timing import Timing

__all__ = ["Twin"]

_OPEN_LISTS: Final = 256
"""Lists in mid-pagination at once; the oldest are forgotten beyond it."""
_LAST_BOOKMARK_S: Final = 2.0
"""The API server sends a bookmark so long before it ends a watch."""
_SERVER_OWNED: Final = ("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp")
_IDENTITY: Final = ("name", "namespace", *_SERVER_OWNED)


@dataclass(frozen=True, slots=True)
class _Stored:
    content: dict[str, Any]
    owners: Owners = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _OpenList:
    version: int
    rest: tuple[dict[str, Any], ...]
    began_ns: int


class Twin:
    """A `KubeApi` in memory. `faults` switches faults on; `put` and `remove` are other people."""

    def __init__(
        self,
        timing: Timing,
        *,
        history: int = 10_000,
        bookmark_s: float = 60.0,
        continue_s: float = 300.0,
        manager: str = "synthscale",
    ) -> None:
        self.faults = Faults()
        self.requests: list[Asked] = []
        """Everything that was asked, in order."""
        self._timing = timing
        self._bookmark_s = bookmark_s
        self._continue_s = continue_s
        self._updater = f"{manager} (update)"
        self._version = 1
        self._objects: defaultdict[Resource, dict[Key, _Stored]] = defaultdict(dict)
        self._histories: defaultdict[Resource, History] = defaultdict(lambda: History(history, 1))
        self._open_lists: OrderedDict[str, _OpenList] = OrderedDict()
        self._answers: dict[Resource, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        self._made = 0

    # ------------------------------------------------------------ what a test does to it

    def put(self, resource: Resource, content: Mapping[str, Any]) -> dict[str, Any]:
        """Somebody creates or replaces an object as a whole, status included; returns it."""
        metadata = content.get("metadata", {})
        key = (metadata.get("namespace", ""), metadata.get("name", ""))
        return self._store(resource, key, dict(content), self._updater)

    def remove(self, resource: Resource, name: str, namespace: str = "") -> None:
        """Somebody deletes an object, and it goes at once."""
        self._drop(resource, (namespace, name))

    def answer(self, resource: Resource, reply: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Answer what is created of a kind that is asked and not stored, such as a TokenReview."""
        self._answers[resource] = reply

    def cut(self) -> None:
        """Break every open stream."""
        self.faults.cut()
        self._stir()

    def stop(self) -> None:
        """Answer nothing from now on."""
        self.faults.down = True
        self._stir()

    def start(self) -> None:
        """Answer again."""
        self.faults.down = False

    def expire(self) -> None:
        """Forget the past: open streams, older versions and continue tokens meet a 410."""
        self._version += 1
        self._open_lists.clear()
        for resource in self._objects:
            self._histories[resource].forget(self._version)
        self._stir()

    def objects(self, resource: Resource) -> dict[Key, dict[str, Any]]:
        """What is stored of a kind now."""
        return {key: stored.content for key, stored in self._objects[resource].items()}

    # ------------------------------------------------------------ the seam

    async def list_page(
        self,
        resource: Resource,
        selection: Selection,
        *,
        limit: int,
        continue_token: str = "",
        resource_version: str = "",  # noqa: ARG002 - the newest state satisfies every demand
    ) -> bytes:
        """One page of a snapshot; its token is good for `continue_s`."""
        asked = Asked("list", resource, namespace=selection.namespace)
        await self._admit(asked)
        found = self._open_list(asked, resource, selection, continue_token)
        page, rest = found.rest[:limit], found.rest[limit:]
        token = self._keep_open(_OpenList(found.version, rest, found.began_ns)) if rest else ""
        metadata = {"resourceVersion": str(found.version), "continue": token}
        return msgspec.json.encode(
            {
                "kind": f"{resource.kind}List",
                "apiVersion": resource.api_version,
                "metadata": metadata,
                "items": page,
            }
        )

    @asynccontextmanager
    async def watch(
        self,
        resource: Resource,
        selection: Selection,
        *,
        resource_version: str,
        timeout_s: int,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Events after a version, bookmarks in between, until the timeout."""
        asked = Asked("watch", resource, namespace=selection.namespace)
        await self._admit(asked)
        matches = self._matcher(asked, selection)
        version = self._version_of(asked, resource_version)
        self._objects[resource]  # so that `expire` reaches a kind of which nothing is stored yet
        if self.faults.expiry_as_status and not self._histories[resource].knows(version):
            raise refused(asked, 410, _too_old(resource_version))
        lines = self._stream(asked, matches, version, timeout_s)
        async with aclosing(lines):
            yield lines

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> bytes:
        """One object."""
        asked = Asked("get", resource, name, namespace)
        await self._admit(asked)
        return msgspec.json.encode(self._found(asked).content)

    async def create(self, resource: Resource, body: bytes, namespace: str | None = None) -> bytes:
        """A new object, or the answer to a review."""
        content = _decoded(Asked("create", resource, namespace=namespace), body)
        metadata = content.setdefault("metadata", {})
        asked = Asked("create", resource, metadata.get("name"), namespace)
        await self._admit(asked)
        if resource in self._answers:
            return msgspec.json.encode(self._answers[resource](content))
        if not metadata.get("name") and metadata.get("generateName"):
            self._made += 1
            metadata["name"] = f"{metadata['generateName']}{self._made:05d}"
        if not metadata.get("name"):
            _refuse(asked, 422, "Invalid", "metadata.name: Required value")
        if namespace is not None:
            metadata["namespace"] = namespace
        key = (namespace or "", metadata["name"])
        if key in self._objects[resource]:
            _refuse(asked, 409, "AlreadyExists", f'{resource.plural} "{key[1]}" already exists')
        return msgspec.json.encode(self._store(resource, key, content, self._updater))

    async def replace(
        self, resource: Resource, name: str, body: bytes, namespace: str | None = None
    ) -> bytes:
        """Compare and swap; the status is not touched."""
        asked = Asked("update", resource, name, namespace)
        content = _decoded(asked, body)
        await self._admit(asked)
        stored = self._found(asked).content
        wanted, held = content.get("metadata", {}), stored["metadata"]
        if not wanted.get("resourceVersion"):
            _refuse(asked, 422, "Invalid", "metadata.resourceVersion: must be specified")
        if any(wanted.get(one, held[one]) != held[one] for one in ("resourceVersion", "uid")):
            _refuse(asked, 409, "Conflict", "the object has been modified")
        content.pop("status", None)
        if "status" in stored:
            content["status"] = stored["status"]
        key = (namespace or "", name)
        return msgspec.json.encode(self._store(resource, key, content, self._updater))

    async def apply(
        self,
        resource: Resource,
        name: str,
        body: bytes,
        *,
        manager: str,
        namespace: str | None = None,
        subresource: str | None = None,
        force: bool = False,
    ) -> bytes:
        """Server-side apply; creates what is not there, unless it is about the status."""
        asked = Asked("patch", resource, name, namespace, subresource)
        wanted = _scope(_decoded(asked, body), subresource)
        await self._admit(asked)
        key = (namespace or "", name)
        stored = self._objects[resource].get(key)
        if stored is None:
            if subresource is not None:
                self._found(asked)
            stored = _Stored({"metadata": _named(key)})
        owner = manager if subresource is None else f"{manager} ({subresource})"
        after = applied(stored.content, stored.owners, wanted, owner, force=force)
        if after.conflicts and not force:
            told = "; ".join(f'"{who}": .{".".join(path)}' for who, path in after.conflicts)
            _refuse(asked, 409, "Conflict", f"Apply failed: conflict with {told}")
        content = self._store(resource, key, after.content, owner, after.owners)
        return msgspec.json.encode(content)

    async def delete(self, resource: Resource, name: str, namespace: str | None = None) -> None:
        """Gone at once, or, with finalizers, marked to go."""
        asked = Asked("delete", resource, name, namespace)
        await self._admit(asked)
        content = self._found(asked).content
        key = (namespace or "", name)
        if not content["metadata"].get("finalizers"):
            self._drop(resource, key)
        elif "deletionTimestamp" not in content["metadata"]:
            self._store(resource, key, content, self._updater, ends=True)

    # ------------------------------------------------------------ objects and versions

    def _store(
        self,
        resource: Resource,
        key: Key,
        content: dict[str, Any],
        manager: str,
        owners: Owners | None = None,
        *,
        ends: bool = False,
    ) -> dict[str, Any]:
        """Keep a new state, unless it is the old one; the server's own fields are the server's."""
        held = self._objects[resource].get(key)
        before = {} if held is None else held.content
        metadata = dict(content.get("metadata", {})) | self._server_owned(before)
        if ends:
            metadata["deletionTimestamp"] = self._wall()
        after = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            **content,
            "metadata": metadata | _named(key),
        }
        if owners is None:
            known: Owners = {} if held is None else held.owners
            owners = updated(_owned(before), _owned(after), known, manager)
        if after == before:
            self._objects[resource][key] = _Stored(before, owners)
            return before
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            return self._drop(resource, key)
        self._version += 1
        after["metadata"]["resourceVersion"] = str(self._version)
        self._objects[resource][key] = _Stored(after, owners)
        self._remember(resource, before or None, after)
        return after

    def _drop(self, resource: Resource, key: Key) -> dict[str, Any]:
        gone = self._objects[resource].pop(key).content
        self._version += 1
        last = gone | {"metadata": gone["metadata"] | {"resourceVersion": str(self._version)}}
        self._remember(resource, last, None)
        return last

    def _remember(
        self, resource: Resource, before: dict[str, Any] | None, after: dict[str, Any] | None
    ) -> None:
        self._histories[resource].remember(Past(self._version, before, after))

    def _server_owned(self, before: Mapping[str, Any]) -> dict[str, Any]:
        if before:
            held = before["metadata"]
            return {one: held[one] for one in _SERVER_OWNED if one in held}
        self._made += 1
        return {"uid": f"uid-{self._made}", "creationTimestamp": self._wall()}

    def _wall(self) -> str:
        return self._timing.wall().strftime("%Y-%m-%dT%H:%M:%SZ")

    def _found(self, asked: Asked) -> _Stored:
        stored = self._objects[asked.resource].get((asked.namespace or "", asked.name or ""))
        if stored is None:
            _refuse(asked, 404, "NotFound", f'{asked.resource.plural} "{asked.name}" not found')
        return stored

    # ------------------------------------------------------------ lists and streams

    def _open_list(
        self, asked: Asked, resource: Resource, selection: Selection, token: str
    ) -> _OpenList:
        now_ns = self._timing.now_ns()
        if token:
            found = self._open_lists.get(token)
            if found is None or elapsed_s(found.began_ns, now_ns) > self._continue_s:
                _refuse(asked, 410, "Expired", "The provided continue parameter is too old")
            return found
        matches = self._matcher(asked, selection)
        stored = sorted(self._objects[resource].items(), key=lambda item: item[0])
        chosen = tuple(one.content for _, one in stored if matches(one.content))
        return _OpenList(self._version, chosen, now_ns)

    def _keep_open(self, rest: _OpenList) -> str:
        self._made += 1
        token = f"page-{self._made}"
        self._open_lists[token] = rest
        while len(self._open_lists) > _OPEN_LISTS:
            self._open_lists.popitem(last=False)
        return token

    async def _stream(
        self,
        asked: Asked,
        matches: Callable[[Mapping[str, Any]], bool],
        version: int,
        timeout_s: int,
    ) -> AsyncGenerator[bytes]:
        history = self._histories[asked.resource]
        cuts, began_ns = self.faults.cuts, self._timing.now_ns()
        bookmark_at_s = _next_bookmark_s(0.0, timeout_s, self._bookmark_s)
        while True:
            self.faults.check(asked, cuts=cuts)
            if not history.knows(version):
                yield _line("ERROR", msgspec.to_builtins(_too_old(str(version))))
                return
            stirred, upto = history.stirred, self._version
            for line in filter(None, (_event(past, matches) for past in history.after(version))):
                self.faults.check(asked, cuts=cuts)
                yield line
            version = upto
            lasted_s = elapsed_s(began_ns, self._timing.now_ns())
            if lasted_s >= timeout_s:
                return
            if lasted_s >= bookmark_at_s:
                bookmark_at_s = _next_bookmark_s(lasted_s, timeout_s, self._bookmark_s)
                yield _bookmark(asked.resource, version)
            await self._pause(stirred, min(bookmark_at_s, timeout_s) - lasted_s)

    async def _pause(self, stirred: asyncio.Event, seconds: float) -> None:
        """Wait until something stirs, or for so long."""
        with suppress(TimeoutError):
            await within(self._timing, max(seconds, 0.0), stirred.wait())

    async def _admit(self, asked: Asked) -> None:
        self.requests.append(asked)
        if self.faults.delay_s:
            await self._timing.sleep(self.faults.delay_s)
        self.faults.check(asked)

    def _matcher(self, asked: Asked, selection: Selection) -> Callable[[Mapping[str, Any]], bool]:
        if selection == EVERYTHING:
            return lambda _: True
        try:
            return matcher(selection)
        except ValueError as error:
            _refuse(asked, 400, "BadRequest", str(error))

    def _version_of(self, asked: Asked, text: str) -> int:
        if not text.isdecimal():
            _refuse(asked, 400, "BadRequest", f"invalid resource version {text!r}")
        version = int(text)
        if version > self._version:
            _refuse(asked, 504, "Timeout", f"Too large resource version: {version}")
        return version

    def _stir(self) -> None:
        for history in self._histories.values():
            history.stir()


def _refuse(asked: Asked, code: int, reason: str, message: str) -> NoReturn:
    raise refused(asked, code, Status(code, reason, message))


def _too_old(version: str) -> Status:
    return Status(410, "Expired", f"too old resource version: {version}")


def _decoded(asked: Asked, body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        _refuse(asked, 400, "BadRequest", f"the body is no JSON object: {error}")


def _named(key: Key) -> dict[str, str]:
    namespace, name = key
    return {"namespace": namespace, "name": name} if namespace else {"name": name}


def _scope(wanted: dict[str, Any], subresource: str | None) -> dict[str, Any]:
    """What an apply is about: all but the status, or nothing but the subresource."""
    if subresource is not None:
        return {subresource: wanted[subresource]} if subresource in wanted else {}
    wanted.pop("status", None)
    return _owned(wanted)


def _owned(content: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that can have an owner: all but what identifies the object."""
    rest = {key: value for key, value in content.items() if key not in {"apiVersion", "kind"}}
    metadata = {k: v for k, v in rest.pop("metadata", {}).items() if k not in _IDENTITY}
    return rest | ({"metadata": metadata} if metadata else {})


def _next_bookmark_s(lasted_s: float, timeout_s: float, every_s: float) -> float:
    """When the next bookmark is due: at the interval, or shortly before the stream ends."""
    last_s = timeout_s - _LAST_BOOKMARK_S
    return min(lasted_s + every_s, last_s) if lasted_s < last_s else lasted_s + every_s


def _event(past: Past, matches: Callable[[Mapping[str, Any]], bool]) -> bytes | None:
    """A change as a selection sees it: an object enters or leaves it also by a new label."""
    was = past.before is not None and matches(past.before)
    if past.after is not None and matches(past.after):
        return _line("MODIFIED" if was else "ADDED", past.after)
    if not was or past.before is None:
        return None
    metadata = past.before["metadata"] | {"resourceVersion": str(past.version)}
    return _line("DELETED", {**past.before, "metadata": metadata})


def _bookmark(resource: Resource, version: int) -> bytes:
    metadata = {"resourceVersion": str(version), "creationTimestamp": None}
    body = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
    return _line("BOOKMARK", body)


def _line(kind: str, content: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode({"type": kind, "object": content})
