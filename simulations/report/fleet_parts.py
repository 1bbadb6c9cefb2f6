"""Parts that the pages of placement and of replay share: maps of the fleet, losses, facts.

Nodes are rows, sorted by GPU model, and rows of one model share a label; a share is of the GPUs of
the row. This module must not run anything, nor know which experiment it draws for.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from simulations.report.document import Column, HeatMap, HeatMaps, RowGroup, Table
from simulations.report.numbers import MINUS, NARROW, interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from simulations.report.document import Cell
    from simulations.statistics import Estimate

__all__ = [
    "FleetMaps",
    "difference_cells",
    "facts",
    "fleet_maps",
    "interval_cell",
    "loss_table",
    "sentences",
    "spec_json",
    "typeset",
]

_MOST_MAPS = 4
"""Policies whose maps are shown: more than that nobody compares by eye."""
_STRANDED_TOP = 0.5
"""Rarely is more than half of a row stranded; the colours are spent below."""
_VALUED = (
    "Every policy's choices, valued by the terms of least-loss: that tells where losses come from, "
    "and is no contest, since the judge is a competitor."
)
_TERMS = {
    "stranding": (
        "Stranding: useful room destroyed beyond what the pod uses; below zero it filled holes "
        "that little else fits into."
    ),
    "gang-room": "Gang-room: nearly empty nodes begun, where whole ones for large pods run short.",
    "reserve": "Reserve: the price of nodes that are kept for later.",
    "locality": "Locality: GPUs that wait for data.",
    "specialisation": "Specialisation: work that runs slower on this GPU model.",
    "capability": "Capability: a GPU model that other agents need.",
}
"""What each term means, for those that are shown; a term without a line stands by its name."""


@dataclass(frozen=True, slots=True, eq=False)
class FleetMaps:
    """One policy's maps of one run, rows by columns."""

    policy: str
    allocated: NDArray[np.float32]
    stranded: NDArray[np.float32]
    labels: tuple[str, ...]


def fleet_maps(
    maps: Sequence[FleetMaps], seed: int, x_label: str, x_range: tuple[float, float]
) -> tuple[HeatMaps, ...]:
    """Allocated and stranded GPU by node and time, best policies first; nothing without maps."""
    if not maps:
        return ()
    shown = maps[:_MOST_MAPS]
    left = len(maps) - len(shown)
    others = f" {left} more policies are left out." if left else ""
    allocated = _side_by_side([(m, m.allocated) for m in shown], x_label, x_range)
    stranded = _side_by_side([(m, m.stranded) for m in shown], x_label, x_range)
    return (
        HeatMaps(
            title="Where the fleet fills up",
            legend="Share of the GPUs that is allocated",
            maps=allocated,
            caption=f"One run, seed {seed}; nodes by GPU model, large ones first.{others}",
        ),
        HeatMaps(
            title="Where GPU lies free that pods like these cannot use",
            legend="Share of the GPUs that is stranded",
            maps=stranded,
            caption=(
                "Free GPU that is in pieces too small for the mix, or without CPU or memory beside "
                "it. The same run."
            ),
            alarming=True,
            top=_STRANDED_TOP,
        ),
    )


def _side_by_side(
    drawn: Sequence[tuple[FleetMaps, NDArray[np.float32]]],
    x_label: str,
    x_range: tuple[float, float],
) -> tuple[HeatMap, ...]:
    return tuple(
        HeatMap(
            title=maps.policy,
            matrix=matrix.astype(np.float64),
            x_label=x_label,
            x_range=x_range,
            row_groups=_groups(maps.labels),
        )
        for maps, matrix in drawn
    )


def _groups(labels: tuple[str, ...]) -> tuple[RowGroup, ...]:
    return tuple(RowGroup(label, len(list(rows))) for label, rows in groupby(labels))


def loss_table(
    losses: Mapping[str, Mapping[str, float]], best: str, when: str
) -> tuple[Table, ...]:
    """GPU-seconds lost for each placed pod by policy and term, but for terms that lost nothing."""
    terms = dict.fromkeys(
        term for by_term in losses.values() for term, loss in by_term.items() if loss
    )
    if not terms:
        return ()
    rows = tuple(_loss_row(policy, by_term, tuple(terms)) for policy, by_term in losses.items())
    return (
        Table(
            title="What a placed pod loses, by term",
            columns=(
                Column("Policy"),
                *(Column(term, unit="GPU-s a pod", decimals=1) for term in terms),
                Column("all terms", unit="GPU-s a pod", decimals=1),
            ),
            rows=rows,
            caption=" ".join((when, _VALUED, *(_TERMS[term] for term in terms if term in _TERMS))),
            highlight=next((at for at, row in enumerate(rows) if row[0] == best), None),
        ),
    )


def _loss_row(
    policy: str, by_term: Mapping[str, float], terms: tuple[str, ...]
) -> tuple[Cell, ...]:
    values = [by_term.get(term, 0.0) for term in terms]
    return (policy, *values, sum(values))


def difference_cells(gap: Estimate | None, decimals: int = 2) -> tuple[Cell, Cell]:
    """A paired difference and its interval, as two cells; nothing for the one compared with."""
    if gap is None:
        return "-", "-"
    if gap.lo is None or gap.hi is None:
        return gap.mean, None
    return gap.mean, interval(gap.lo, gap.hi, decimals, signed=True)


def interval_cell(estimate: Estimate, decimals: int = 2) -> Cell:
    """The interval of a mean, as one cell."""
    if estimate.lo is None or estimate.hi is None:
        return None
    return interval(estimate.lo, estimate.hi, decimals)


def typeset(sentence: str) -> str:
    """A sentence for a page: minus signs are minus signs, per cent signs stay with figures."""
    return re.sub(r"(?<=[ (])-(?=\d)", MINUS, sentence.replace(" %", f"{NARROW}%"))


def sentences(notes: Sequence[str]) -> tuple[str, ...]:
    """Notes as whole sentences, as readers of a page expect them; the same one is said once."""
    return tuple(dict.fromkeys(f"{note[:1].upper()}{note[1:].rstrip('.')}." for note in notes))


def facts(content: Mapping[str, object], *own: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """What ran, from the document that `--json` writes, with what only the experiment can say."""
    spec = _spec(content)
    seeds = [int(str(seed)) for seed in _listed(spec["seeds"])]
    return (
        ("Command", f"synthscale {content['command']}"),
        ("Version", str(content["version"])),
        ("Pods", _input(spec, "pods")),
        ("Nodes", _input(spec, "nodes")),
        ("Fleet", f"{spec['nodes_used']} nodes with {spec['gpus']} GPUs"),
        ("Seeds", _runs_of(seeds)),
        ("Choice among equals", str(spec["tie_break"])),
        *own,
    )


def _runs_of(seeds: Sequence[int]) -> str:
    """Seeds as people write them: neighbours as 42..51."""
    parts: list[str] = []
    for _, run in groupby(enumerate(seeds), key=lambda at: at[1] - at[0]):
        numbers = [seed for _, seed in run]
        parts.append(f"{numbers[0]}..{numbers[-1]}" if len(numbers) > 1 else str(numbers[0]))
    return ", ".join(parts)


def _input(spec: Mapping[str, object], which: str) -> str:
    digest = spec.get(f"{which}_sha256")
    return f"{spec[which]}, SHA-256 {str(digest)[:16]}..." if digest else str(spec[which])


def spec_json(content: Mapping[str, object]) -> str:
    """The spec that repeats the run, as text."""
    return json.dumps(_spec(content), indent=2)


def _spec(content: Mapping[str, object]) -> Mapping[str, object]:
    spec = content["spec"]
    assert isinstance(spec, dict)  # noqa: S101 - our own document
    return spec


def _listed(value: object) -> list[object]:
    assert isinstance(value, list)  # noqa: S101 - our own document
    return value
