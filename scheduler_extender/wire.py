"""The bytes of kube-scheduler's extender/v1, in and out, exactly as its Go types spell them.

Top-level names are Go-cased, an absent list is null and is not an empty one, scores are whole
numbers, and whatever is wrong with a request is one `InputError`. Parts of a request stay slices of
its own bytes until somebody needs them, and answers are joined from pieces made once for each
node.
This module must not decide who is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import msgspec
import numpy as np

from gpu_fleet.errors import InputError
from gpu_fleet.refusals import Refusal
from gpu_fleet.scores import MICRO
from gpu_fleet.words import shown
from scheduler_extender.objects.wire import PodObject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scheduler_extender.answers import FilterAnswer, PrioritizeAnswer
    from scheduler_extender.explain import DecisionRecord

__all__ = [
    "NamesPieces",
    "Request",
    "Words",
    "decode_names",
    "decode_pod",
    "decode_request",
    "encode_error",
    "encode_filter",
    "encode_priorities",
    "encode_record",
    "listed_names",
]

T = TypeVar("T")

_REMEDY = "is this kube-scheduler's extender/v1, and is nodeCacheCapable set to true?"
_MOST_NAMES = 100_000
_SCORES = 11
_PHRASES = tuple(b":" + msgspec.json.encode(refusal.phrase) for refusal in Refusal)


class _Args(msgspec.Struct, frozen=True):
    """ExtenderArgs, its parts not looked at."""

    pod: msgspec.Raw = msgspec.field(name="Pod", default=msgspec.Raw(b"null"))
    nodes: msgspec.Raw = msgspec.field(name="Nodes", default=msgspec.Raw(b"null"))
    names: msgspec.Raw = msgspec.field(name="NodeNames", default=msgspec.Raw(b"null"))


class _NodeMeta(msgspec.Struct, frozen=True):
    name: str


class _NodeItem(msgspec.Struct, frozen=True):
    metadata: _NodeMeta


class _NodeItems(msgspec.Struct, frozen=True):
    items: list[_NodeItem] | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A filter or prioritize request: bytes of its parts."""

    pod: bytes
    names: bytes
    """The list of names as it was sent, or written anew where whole nodes were sent."""
    sent_nodes: bytes | None = None
    """The whole nodes, in the mode without a node cache."""


_ARGS = msgspec.json.Decoder(_Args)
_POD = msgspec.json.Decoder(PodObject)
_NAMES = msgspec.json.Decoder(list[str])
_ITEMS = msgspec.json.Decoder(_NodeItems)
_RAW_ITEMS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])


def decode_request(body: bytes) -> Request:
    """The parts of an ExtenderArgs; raises `InputError`."""
    args = _decoded(_ARGS, body, "the body")
    pod, nodes, names = bytes(args.pod), bytes(args.nodes), bytes(args.names)
    if pod == b"null":
        raise InputError("is missing", remedy=_REMEDY, field="Pod")
    if names != b"null":
        return Request(pod, names)
    if nodes == b"null":
        raise InputError(
            "nodeCacheCapable names were expected, and there are neither names nor nodes",
            remedy="set nodeCacheCapable: true in the extender's entry",
            field="NodeNames",
        )
    items = _decoded(_ITEMS, nodes, "Nodes").items or []
    return Request(pod, msgspec.json.encode([item.metadata.name for item in items]), nodes)


def decode_pod(pod: bytes) -> PodObject:
    """The pod of a request; raises `InputError`."""
    raw: PodObject = _decoded(_POD, pod, "Pod")
    if not raw.metadata.uid or not raw.metadata.name:
        raise InputError("has no uid or no name", remedy=_REMEDY, field="Pod.metadata")
    return raw


def decode_names(names: bytes) -> tuple[str, ...]:
    """The names of a list, each of them once; raises `InputError`."""
    found: list[str] = _decoded(_NAMES, names, "NodeNames")
    if len(found) > _MOST_NAMES:
        raise InputError(
            f"{len(found):,} names", remedy=f"send at most {_MOST_NAMES:,}", field="NodeNames"
        )
    if len(set(found)) != len(found):
        raise InputError("names a node twice", remedy=_REMEDY, field="NodeNames")
    return tuple(found)


def listed_names(names: bytes) -> tuple[frozenset[bytes], int]:
    """Which names a list has, and how many, by its bytes alone: much less work than to decode it.

    Lists with the same names, written as kube-scheduler writes them, are equal here; one that is
    written otherwise is equal to none.
    """
    plain = names.startswith(b'["') and names.endswith(b'"]') and b"\\" not in names
    found = names[2:-2].split(b'","') if plain else [names]
    return frozenset(found), len(found)


class Words:
    """What answers say of a node, as bytes: its name quoted, and its HostPriority for each rank.

    kube-scheduler names the same nodes in another order for nearly every pod (its workers append as
    they finish), so the bytes are kept by node and not by list.
    """

    __slots__ = ("_of",)

    def __init__(self) -> None:
        self._of: dict[str, tuple[bytes, ...]] = {}

    def of(self, names: Sequence[str]) -> list[tuple[bytes, ...]]:
        """For each name the name as a JSON string, and by score, from 1, its HostPriorities."""
        try:
            return [self._of[name] for name in names]
        except KeyError:
            self._learn(names)
        return [self._of[name] for name in names]

    def _learn(self, names: Sequence[str]) -> None:
        if len(self._of) > _MOST_NAMES:  # names of nodes that are long gone
            self._of.clear()
        for name in names:
            if name not in self._of:
                quoted = msgspec.json.encode(name)
                hosts = [b'{"Host":%b,"Score":%d}' % (quoted, score) for score in range(1, _SCORES)]
                self._of[name] = (quoted, *hosts)


class NamesPieces:
    """The pieces that answers about one list of names are joined from."""

    __slots__ = ("_words", "raw")

    def __init__(self, raw: bytes, names: Sequence[str], words: Words) -> None:
        self.raw = raw
        """The list as JSON."""
        self._words = words.of(names)

    def quoted(self, chosen: NDArray[np.bool_]) -> list[bytes]:
        """The chosen names as JSON strings."""
        words = self._words
        return [words[place][0] for place in chosen.nonzero()[0].tolist()]

    def hosts(self, scores: NDArray[np.int64]) -> list[bytes]:
        """A HostPriority for each name that has a score; kube-scheduler gives the others 0."""
        words, scored = self._words, scores.nonzero()[0]
        ranks = zip(scored.tolist(), scores[scored].tolist(), strict=True)
        return [words[place][score] for place, score in ranks]


def encode_filter(
    answer: FilterAnswer, pieces: NamesPieces, sent_nodes: bytes | None = None
) -> tuple[bytes, bytes]:
    """An ExtenderFilterResult, and the list of names that stay as it stands in it.

    The scheduler sends that very list back when it asks for an order.
    """
    kept = answer.kept
    names = pieces.raw if kept.all() else b"[" + b",".join(pieces.quoted(kept)) + b"]"
    nodes, listed = b"null", names
    if sent_nodes is not None:
        nodes, listed = _chosen_nodes(sent_nodes, kept), b"null"
    body = (
        b'{"Nodes":%b,"NodeNames":%b,"FailedNodes":null,"FailedAndUnresolvableNodes":%b,"Error":""}'
        % (nodes, listed, _refused(answer.why, pieces))
    )
    return body, names


def encode_priorities(answer: PrioritizeAnswer, pieces: NamesPieces) -> bytes:
    """A HostPriorityList of those that have a score: all that a scheduler has to add up."""
    return b"[" + b",".join(pieces.hosts(answer.scores)) + b"]"


def encode_error(text: str) -> bytes:
    """An ExtenderFilterResult that says only what is wrong."""
    return (
        b'{"Nodes":null,"NodeNames":null,"FailedNodes":null,"FailedAndUnresolvableNodes":null,'
        b'"Error":%b}' % msgspec.json.encode(text)
    )


def encode_record(record: DecisionRecord) -> bytes:
    """A decision as JSON, with words for reasons and seconds for losses."""
    told = {
        "pod": record.pod,
        "uid": record.uid,
        "entry": record.entry,
        "decision": record.line(),
        "shape": record.shape,
        "policy": record.policy,
        "mix": record.mix,
        "atNs": record.at_ns,
        "view": {
            "version": record.view_version,
            "ageNs": record.view_age_ns,
            "stale": record.stale,
        },
        "asked": record.asked,
        "kept": record.kept,
        "times": record.times,
        "winner": record.winner,
        "devices": record.devices,
        "nodes": [
            {
                "node": score.node,
                "refused": score.refusal.phrase if score.refusal else None,
                "gpuSeconds": None if score.refusal else score.total / MICRO,
                "terms": [
                    {"name": term.name, "gpuSeconds": term.loss / MICRO, "why": term.why}
                    for term in score.terms
                ],
            }
            for score in record.best
        ],
        "whyNot": {why.phrase: many for why, many in record.why_not},
        "passed": record.passed,
        "problem": record.problem,
        "regrets": record.regrets,
    }
    return msgspec.json.encode(told)


def _refused(why: NDArray[np.uint8], pieces: NamesPieces) -> bytes:
    """A map from each refused name to its phrase, one reason after the other."""
    parts = []
    for refusal in np.unique(why).tolist():
        if refusal == Refusal.NONE:
            continue
        phrase = _PHRASES[refusal]
        parts.append((phrase + b",").join(pieces.quoted(why == refusal)) + phrase)
    return b"{" + b",".join(parts) + b"}"


def _chosen_nodes(sent: bytes, kept: NDArray[np.bool_]) -> bytes:
    """The NodeList as it was sent, less the nodes that are refused."""
    fields = _RAW_ITEMS.decode(sent)
    items = _RAW_LIST.decode(fields["items"]) if "items" in fields else []
    chosen = b",".join(bytes(item) for item, stays in zip(items, kept, strict=True) if stays)
    others = b"".join(
        msgspec.json.encode(name) + b":" + bytes(value) + b","
        for name, value in fields.items()
        if name != "items"
    )
    return b"{" + others + b'"items":[' + chosen + b"]}"


def _decoded(decoder: msgspec.json.Decoder[T], content: bytes, what: str) -> T:
    try:
        return decoder.decode(content)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `")
        where = path.removesuffix("`").removeprefix("$").removeprefix(".")
        field = f"{what} {where}".strip()
        raise InputError(_plain(problem), remedy=_REMEDY, field=field) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(
            f"is not JSON ({_plain(str(error))})", remedy=_REMEDY, field=what
        ) from None


def _plain(problem: str) -> str:
    text = problem.replace("`", "")
    return text[:1].lower() + text[1:] if text.isprintable() else shown(text)
