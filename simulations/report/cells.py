"""A matrix made small enough for paper: rows and columns averaged, levels, runs of one level.

A thousand nodes by five hundred steps is half a million cells, and neither an eye nor a file of
3 MB has room for them. What is averaged is counted, so that the caption can say so.
It must not know how a level looks, and it must not turn an unknown cell into a number.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LEVELS", "UNKNOWN_LEVEL", "Layer", "Shrunk", "layers", "levels_of", "shrink"]

LEVELS: Final = 10
UNKNOWN_LEVEL: Final = LEVELS

Shares: TypeAlias = NDArray[np.float64]
Levels: TypeAlias = NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Shrunk:
    """A matrix that fits, and how much of the given one a cell of it stands for."""

    matrix: Shares
    group_rows: tuple[int, ...]
    """How many of its rows each group has."""
    most_rows: int
    """How many given rows a row stands for, at most; 1 when nothing was averaged."""
    most_columns: int


@dataclass(frozen=True, slots=True)
class Layer:
    """The cells of one level, as a path of horizontal strokes one row high."""

    level: int
    path: str
    """Empty for the first layer, which covers everything."""


def shrink(matrix: Shares, groups: Sequence[int], max_rows: int, max_columns: int) -> Shrunk:
    """Averages neighbouring rows of a group, and neighbouring columns, until the matrix fits.

    Unknown cells are left out of a mean; a mean of unknown cells only is unknown.
    Each group keeps a row of its own; where there are more groups than rows, they are pooled.
    """
    kept = [rows for rows in groups if rows > 0]
    if len(kept) > max_rows:
        return shrink(matrix, [matrix.shape[0]], max_rows, max_columns)
    per_row = _rows_per_bin(kept, max_rows)
    bins = [-(-rows // per_row) for rows in groups]
    row_edges = _edges(groups, bins)
    column_edges = _edges([matrix.shape[1]], [min(matrix.shape[1], max_columns)])
    known = ~np.isnan(matrix)
    counts = _summed(known.astype(np.float64), row_edges, column_edges)
    sums = _summed(np.where(known, np.clip(matrix, 0, 1), 0.0), row_edges, column_edges)
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return Shrunk(means, tuple(bins), _widest(row_edges), _widest(column_edges))


def levels_of(matrix: Shares) -> Levels:
    """Level 0 for shares in [0, 0.1), ... level 9 for [0.9, 1]; unknown cells get their own."""
    # A mean of tenths may miss its tenth by a rounding error; it belongs to the upper level.
    raised = np.floor(np.nan_to_num(np.clip(matrix, 0, 1)) * LEVELS + 1e-9)
    level = np.minimum(raised, LEVELS - 1)
    return np.where(np.isnan(matrix), UNKNOWN_LEVEL, level).astype(np.int8)


def layers(levels: Levels) -> tuple[Layer, ...]:
    """What to paint, in this order, so that the last paint on each cell is its level.

    The commonest level goes first, over everything; a run of a level then may pass under cells
    that later layers cover. That halves the strokes where neighbours differ.
    """
    if not levels.size:
        return ()
    counts = np.bincount(levels.ravel(), minlength=LEVELS + 1)
    order = [int(level) for level in np.argsort(-counts, kind="stable") if counts[level]]
    rank_of = np.zeros(LEVELS + 1, dtype=np.int8)
    rank_of[order] = np.arange(len(order), dtype=np.int8)
    ranks = rank_of[levels]
    painted = [
        Layer(level, "".join(_strokes(ranks, rank))) for rank, level in enumerate(order) if rank
    ]
    return (Layer(order[0], ""), *painted)


def _strokes(ranks: Levels, rank: int) -> list[str]:
    """Path commands that cover every cell of this rank and none of a lower one."""
    path: list[str] = []
    pen_x, pen_y = 0, 0
    for y, row in enumerate(ranks):
        for start, end in _runs(row, rank):
            move = f"m{start - pen_x} {y - pen_y}" if path else f"M{start} {y}"
            path.append(f"{move}h{end - start}")
            pen_x, pen_y = end, y
    return path


def _runs(row: Levels, rank: int) -> list[tuple[int, int]]:
    """Stretches of a row that begin and end with `rank` and hold nothing lower between."""
    mine = np.flatnonzero(row == rank)
    if not mine.size:
        return []
    lower = np.concatenate(([0], np.cumsum(row < rank)))
    stretch = lower[mine]  # cells with equal counts have nothing lower between them
    cuts = np.flatnonzero(np.diff(stretch)) + 1
    return [(int(run[0]), int(run[-1]) + 1) for run in np.split(mine, cuts)]


def _rows_per_bin(groups: Sequence[int], max_rows: int) -> int:
    """The fewest rows to average so that all groups together fit."""
    size = max(1, -(-sum(groups) // max_rows))
    while sum(-(-rows // size) for rows in groups) > max_rows:
        size += 1
    return size


def _edges(groups: Sequence[int], bins: Sequence[int]) -> list[int]:
    """Where bins begin, and the end: each group cut into nearly equal bins."""
    edges, offset = [0], 0
    for rows, count in zip(groups, bins, strict=True):
        edges += [offset + rows * (index + 1) // count for index in range(count)]
        offset += rows
    return edges


def _summed(matrix: Shares, row_edges: Sequence[int], column_edges: Sequence[int]) -> Shares:
    if not matrix.size:
        return np.zeros((len(row_edges) - 1, len(column_edges) - 1))
    rows: Shares = np.add.reduceat(matrix, row_edges[:-1], axis=0)
    summed: Shares = np.add.reduceat(rows, column_edges[:-1], axis=1)
    return summed


def _widest(edges: Sequence[int]) -> int:
    return max((b - a for a, b in itertools.pairwise(edges)), default=1)
