"""One call of a scheduler: the bytes of a request in, the bytes of its answer out.

It joins the wire to the extender and remembers what repeats: the pod of the call before (filter and
prioritize send the same bytes), lists of names and what was looked up for them, refusals that are
given again. A request that makes no sense is answered as the protocol wants it.
This module must not open a socket or read a clock, and must not decide anything itself.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError
from scheduler_extender.objects.observed import PodReader
from scheduler_extender.wire import (
    NamesPieces,
    Words,
    decode_names,
    decode_pod,
    decode_request,
    encode_error,
    encode_filter,
    encode_priorities,
    listed_names,
)

if TYPE_CHECKING:
    from scheduler_extender.answers import Asked, Entry, FilterAnswer, PrioritizeAnswer
    from scheduler_extender.extender import Extender
    from scheduler_extender.objects.observed import ObservedPod

__all__ = ["Calls", "Reply"]

_MOST_LISTS = 64
"""Lists of names remembered: a prioritize call repeats what the filter call before it left, and a
scheduler names the same nodes in another order for the next pod that finds them all refused."""
_MOST_NAMES_KEPT = 100_000
"""Names in all remembered lists together; 5,000 names take some 0.5 MB."""
_MOST_REFUSALS = 256


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back."""

    body: bytes
    problem: str = ""
    """What was wrong with the request; prioritize has no place for it but the status."""
    age_ns: int | None = None
    stale: bool = False
    uid: str = ""
    """Whose pod it was; its record tells more."""
    answer: FilterAnswer | PrioritizeAnswer | None = None
    """What was decided, for figures; None where the request made no sense."""


@dataclass(slots=True)
class _List:
    asked: Asked
    pieces: NamesPieces
    nodes: frozenset[bytes] = frozenset()
    """Its names, where the same nodes may be named in another order."""


class Calls:
    """Answers the calls of both entries of a scheduler's configuration."""

    def __init__(self, extender: Extender, reader: PodReader | None = None) -> None:
        self.extender = extender
        self._reader = reader or PodReader()
        self._words = Words()
        self._lists: OrderedDict[bytes, _List] = OrderedDict()
        self._orders: dict[frozenset[bytes], bytes] = {}
        """For the same nodes in any order: the list that is kept."""
        self._names_kept = 0
        self._last_pod: tuple[bytes, ObservedPod] | None = None
        self._refusals: OrderedDict[int, tuple[FilterAnswer, bytes]] = OrderedDict()

    def filter(self, entry: Entry, body: bytes, now_ns: int) -> Reply:
        """The answer to a filter call; what is wrong with it is said in the answer."""
        try:
            request = decode_request(body)
            pod = self._pod(request.pod)
            names = self._list(request.names, in_any_order=request.sent_nodes is None)
        except InputError as error:
            return Reply(encode_error(str(error)), problem=str(error))
        answer = self.extender.filter(entry, pod, names.asked, now_ns)
        sent = request.sent_nodes
        encoded = self._known_refusal(answer) if sent is None else None
        if encoded is None:
            encoded, kept = encode_filter(answer, names.pieces, sent)
            self._remember(answer, kept, encoded)
        return Reply(encoded, age_ns=answer.age_ns, stale=answer.stale, uid=pod.uid, answer=answer)

    def prioritize(self, entry: Entry, body: bytes, now_ns: int) -> Reply:
        """The answer to a prioritize call; one that makes no sense has an empty list and a problem.

        kube-scheduler drops a list that it cannot read without a word, so the shell answers a
        problem with a status that is counted.
        """
        try:
            request = decode_request(body)
            pod = self._pod(request.pod)
            names = self._list(request.names, in_any_order=True)
        except InputError as error:
            return Reply(b"[]", problem=str(error))
        answer = self.extender.prioritize(entry, pod, names.asked, now_ns)
        body = encode_priorities(answer, names.pieces)
        return Reply(body, age_ns=answer.age_ns, stale=answer.stale, uid=pod.uid, answer=answer)

    def _pod(self, raw: bytes) -> ObservedPod:
        if self._last_pod is not None and self._last_pod[0] == raw:
            return self._last_pod[1]
        pod = self._reader.read(decode_pod(raw))
        self._last_pod = (raw, pod)
        return pod

    def _list(self, raw: bytes, *, in_any_order: bool) -> _List:
        known = self._lists.get(raw)
        if known is not None:
            self._lists.move_to_end(raw)
            if not self.extender.is_current(known.asked):
                known.asked = self.extender.look_up(known.asked.names)
            return known
        nodes, many = listed_names(raw)
        if in_any_order and (first := self._orders.get(nodes)) is not None:
            same = self._list(first, in_any_order=True)  # what is known of these nodes holds
            if len(same.asked.names) == many:
                return same
        names = decode_names(raw)
        pieces = NamesPieces(raw, names, self._words)
        return self._keep(raw, _List(self.extender.look_up(names), pieces, nodes))

    def _keep(self, raw: bytes, made: _List) -> _List:
        self._lists[raw] = made
        if made.nodes:
            self._orders[made.nodes] = raw
        self._names_kept += len(made.asked.names)
        while len(self._lists) > _MOST_LISTS or self._names_kept > _MOST_NAMES_KEPT:
            _, dropped = self._lists.popitem(last=False)
            self._names_kept -= len(dropped.asked.names)
            self._orders.pop(dropped.nodes, None)
        return made

    def _known_refusal(self, answer: FilterAnswer) -> bytes | None:
        known = self._refusals.get(id(answer.why))
        return known[1] if known is not None and known[0].why is answer.why else None

    def _remember(self, answer: FilterAnswer, kept: bytes, encoded: bytes) -> None:
        """A refusal may be given again; who stays will be asked about in a moment."""
        if answer.why.all() and len(answer.why):
            self._refusals[id(answer.why)] = (answer, encoded)
            while len(self._refusals) > _MOST_REFUSALS:
                self._refusals.popitem(last=False)
        elif answer.why.any() and kept not in self._lists:
            asked = self.extender.part_of(answer.asked, answer.kept.nonzero()[0])
            self._keep(kept, _List(asked, NamesPieces(kept, asked.names, self._words)))
