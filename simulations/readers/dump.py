"""A kubectl dump taken apart: which objects are in it, and which one is wrong.

`kubectl get nodes,pods -A -o json` prints one v1 List. Objects are decoded one by one, so that a
complaint can name the object and the field as kubectl would. This module must not interpret them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from gpu_fleet.errors import InputError
from gpu_fleet.words import counted, shown
from scheduler_extender.objects.complaints import complaint, named
from scheduler_extender.objects.wire import Meta, NodeObject, PodObject

__all__ = ["REMEDY", "Dump", "take_apart"]

REMEDY = "print it with: kubectl get nodes,pods -A -o json"

_KIND_OF_LIST = {"NodeList": "Node", "PodList": "Pod"}
T = TypeVar("T")


class Envelope(msgspec.Struct, frozen=True):
    """What `kubectl get -o json` prints around the objects."""

    kind: str = ""
    items: list[msgspec.Raw] | None = None


class Head(msgspec.Struct, frozen=True):
    """Enough of any object to say which one it is."""

    kind: str = ""
    metadata: Meta = Meta()


@dataclass(slots=True)
class Dump:
    """The objects of one file, in its order."""

    nodes: list[NodeObject] = field(default_factory=list)
    pods: list[PodObject] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    """How many objects of each other kind there are; they are not read."""

    def contents(self) -> str:
        """What is in it, for a complaint about what is not."""
        kinds = Counter(Node=len(self.nodes), Pod=len(self.pods)) + self.others
        parts = (counted(many, shown(kind).strip("'")) for kind, many in kinds.most_common(4))
        return ", ".join(parts) or "nothing"


def take_apart(text: str) -> Dump:
    """The nodes and pods of a v1 List, a NodeList or a PodList."""
    envelope = _decode(text, Envelope)
    if envelope.kind != "List" and envelope.kind not in _KIND_OF_LIST:
        what = f"is {shown(envelope.kind)}" if envelope.kind else "is missing"
        raise InputError(f"{what}, not a List of nodes and pods", remedy=REMEDY, field="kind")
    dump = Dump()
    for place, raw in enumerate(envelope.items or ()):
        _sort_in(dump, raw, _KIND_OF_LIST.get(envelope.kind), place)
    return dump


def _sort_in(dump: Dump, raw: msgspec.Raw, kind: str | None, place: int) -> None:
    head = _decode(raw, Head, f"items[{place}]")
    kind = kind or head.kind
    if kind not in ("Node", "Pod"):
        dump.others[kind or "object without a kind"] += 1
        return
    owner = named(kind, head.metadata)
    if not head.metadata.name or not head.metadata.name.isprintable():
        raise complaint(f"{kind} items[{place}]", "metadata.name", "is no name", REMEDY)
    if kind == "Node":
        dump.nodes.append(_decode(raw, NodeObject, owner))
    else:
        dump.pods.append(_decode(raw, PodObject, owner))


def _decode(content: str | msgspec.Raw, shape: type[T], owner: str = "") -> T:
    try:
        return msgspec.json.decode(content, type=shape)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `")
        where = path.removesuffix("`").removeprefix("$").removeprefix(".")
        raise complaint(owner, where, _plain(problem), REMEDY) from None
    except (msgspec.DecodeError, RecursionError) as error:
        problem = f"is not JSON ({_plain(str(error).removeprefix('JSON is '))})"
        raise InputError(problem, remedy=REMEDY, field=owner or None) from None


def _plain(problem: str) -> str:
    text = problem.replace("`", "")
    return text[:1].lower() + text[1:] if text.isprintable() else shown(text)
