"""A record of a decision for a person: what was decided, by which terms, and why not elsewhere.

It takes the JSON that the service returns and that events carry, so that both are told alike; what
a record of another version lacks is left out. This module must not ask anybody anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gpu_fleet.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["as_text"]


class _Term(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    gpu_seconds: float
    why: str = ""


class _Node(msgspec.Struct, frozen=True, rename="camel"):
    node: str
    refused: str | None = None
    gpu_seconds: float | None = None
    terms: list[_Term] = []


class _View(msgspec.Struct, frozen=True, rename="camel"):
    version: int = 0
    age_ns: int | None = None
    stale: bool = False


class _Regret(msgspec.Struct, frozen=True):
    policy: str
    node: str
    gpu_seconds: float = 0.0


class _Record(msgspec.Struct, frozen=True, rename="camel"):
    pod: str
    decision: str
    entry: str = ""
    shape: str = ""
    policy: str = ""
    mix: str = ""
    view: _View = _View()
    asked: int = 0
    kept: int = 0
    times: int = 1
    winner: str | None = None
    devices: list[int] = []
    nodes: list[_Node] = []
    why_not: dict[str, int] = {}
    problem: str = ""
    regrets: list[_Regret] = []


def as_text(content: bytes) -> str:
    """The record as lines for a terminal."""
    try:
        record = msgspec.json.decode(content, type=_Record)
    except msgspec.MsgspecError as error:
        raise ServiceError(
            f"the record cannot be read ({error}); use the command of the service's own version"
        ) from error
    return "\n".join(_lines(record))


def _lines(record: _Record) -> Iterator[str]:
    yield f"{record.pod}: {record.decision}"
    if record.shape:
        yield f"  asks for {record.shape}"
    if record.policy:
        mix = f", mix {record.mix}" if record.mix else ""
        yield f"  decided by {record.policy}{mix}; asked as {record.entry}{_view(record.view)}"
    if record.problem:
        yield f"  {record.problem}"
    if record.nodes:
        yield ""
        yield from _table(_rows(record.nodes))
    if record.why_not:
        yield ""
        yield f"  {sum(record.why_not.values())} of {record.asked} nodes refused:"
        yield from (f"    {many:>6}  {why}" for why, many in record.why_not.items())
    for regret in record.regrets:
        lost = f"{regret.gpu_seconds:g} GPU-seconds more"
        yield f"  {regret.policy} would have lost {lost} on {regret.node}"


def _view(view: _View) -> str:
    if view.age_ns is None:
        return ", by no view at all"
    return f", by a {'stale ' if view.stale else ''}view {view.age_ns / 1e9:.1f} s old"


def _rows(nodes: Sequence[_Node]) -> list[list[str]]:
    names = list(dict.fromkeys(term.name for node in nodes for term in node.terms))
    head = ["node", *names, "GPU-seconds"]
    return [head, *(_row(node, names) for node in nodes)]


def _row(node: _Node, names: Sequence[str]) -> list[str]:
    if node.gpu_seconds is None:
        return [node.node, *("" for _ in names), node.refused or ""]
    losses = {term.name: term.gpu_seconds for term in node.terms}
    return [
        node.node,
        *(f"{losses[name]:.1f}" if name in losses else "" for name in names),
        f"{node.gpu_seconds:.1f}",
    ]


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        yield f"  {row[0].ljust(widths[0])}  {'  '.join(cells)}".rstrip()
