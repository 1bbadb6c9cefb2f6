"""What is painted is the level of the mean of what was given, cell by cell."""

from __future__ import annotations

import itertools
import re
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from simulations.report.cells import UNKNOWN_LEVEL, Layer, layers, levels_of, shrink

Levels: TypeAlias = NDArray[np.int8]
NAN = float("nan")


def painted(layers: tuple[Layer, ...], shape: tuple[int, int]) -> Levels:
    """What is seen once all layers are painted, read from the paths as a browser does."""
    seen = np.full(shape, -1, dtype=np.int8)
    for layer in layers:
        if not layer.path:
            seen[:] = layer.level
        x, y = 0, 0
        for verb, first, second in re.findall(r"([Mmh])(-?\d+)(?: (-?\d+))?", layer.path):
            if verb == "h":
                seen[y, x : x + int(first)] = layer.level
                x += int(first)
            else:
                x, y = (0, 0) if verb == "M" else (x, y)
                x, y = x + int(first), y + int(second)
    return seen


@settings(max_examples=200, deadline=None)
@given(
    levels=hnp.arrays(
        np.int8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 10)
    )
)
def test_the_last_paint_on_a_cell_is_its_level(levels: Levels) -> None:
    """Layers may pass under one another, but nothing wrong is left to be seen."""
    shape = (levels.shape[0], levels.shape[1])

    assert painted(layers(levels), shape).tolist() == levels.tolist()


@pytest.mark.parametrize(
    ("share", "level"),
    [
        (0.0, 0),
        (0.0999, 0),
        (0.1, 1),
        (0.3, 3),
        (0.1 + 0.2, 3),
        (0.7, 7),
        (0.9, 9),
        (1.0, 9),
        (-0.5, 0),
        (7.0, 9),
        (NAN, UNKNOWN_LEVEL),
    ],
)
def test_a_share_belongs_to_its_tenth(share: float, level: int) -> None:
    """Bounds belong to the upper tenth, 1 to the last, and unknown to none."""
    assert levels_of(np.array([[share]])).tolist() == [[level]]


@settings(max_examples=200, deadline=None)
@given(
    matrix=hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=40),
        elements=st.one_of(st.just(NAN), st.floats(0, 1, width=16)),
    ),
    cut=st.floats(0, 1),
    max_rows=st.integers(2, 12),
    max_columns=st.integers(1, 12),
)
def test_a_shrunk_map_is_made_of_means_within_groups(
    matrix: NDArray[np.float64], cut: float, max_rows: int, max_columns: int
) -> None:
    """It fits, no cell mixes two groups, and each is the mean of its known cells or unknown."""
    first = int(cut * matrix.shape[0])
    shrunk = shrink(matrix, [first, matrix.shape[0] - first], max_rows, max_columns)
    rows, columns = shrunk.matrix.shape

    assert rows == sum(shrunk.group_rows) <= max_rows
    assert columns <= max_columns
    upper, lower = np.split(shrunk.matrix, [shrunk.group_rows[0]])
    for given_rows, drawn in ((matrix[:first], upper), (matrix[first:], lower)):
        blocks = [
            np.array_split(strip, drawn.shape[1], axis=1)
            for strip in _strips(given_rows, drawn.shape[0])
        ]
        for row, strip in enumerate(blocks):
            # Widths of bins may differ by one between two fair ways to cut; the sum may not.
            assert np.isnan(drawn[row]).all() == all(np.isnan(block).all() for block in strip)
            known = drawn[row][~np.isnan(drawn[row])]
            whole = np.concatenate([block.ravel() for block in strip])
            if known.size:
                assert np.nanmin(whole) - 1e-9 <= known.min()
                assert known.max() <= np.nanmax(whole) + 1e-9


def _strips(matrix: NDArray[np.float64], count: int) -> list[NDArray[np.float64]]:
    """The rows that each drawn row stands for."""
    edges = [matrix.shape[0] * index // max(1, count) for index in range(count + 1)]
    return [matrix[a:b] for a, b in itertools.pairwise(edges)]


def test_a_map_that_fits_is_left_as_it_is() -> None:
    """No averaging where none is needed."""
    matrix = np.array([[0.0, NAN, 0.5], [1.0, 0.25, NAN]])
    shrunk = shrink(matrix, [1, 1], 150, 160)

    assert np.array_equal(shrunk.matrix, matrix, equal_nan=True)
    assert (shrunk.most_rows, shrunk.most_columns) == (1, 1)


def test_a_mean_leaves_unknown_cells_out() -> None:
    """Half full and unknown is half full, not a quarter."""
    shrunk = shrink(np.array([[0.5, NAN], [0.5, NAN], [NAN, NAN], [NAN, NAN]]), [4], 2, 2)

    assert np.array_equal(shrunk.matrix, [[0.5, NAN], [NAN, NAN]], equal_nan=True)


def test_a_small_group_keeps_a_row_of_its_own() -> None:
    """Two nodes of a rare model are seen beside a thousand of a common one."""
    matrix = np.concatenate([np.zeros((1000, 4)), np.ones((2, 4))])
    shrunk = shrink(matrix, [1000, 2], 50, 4)

    assert shrunk.group_rows[1] == 1
    assert shrunk.matrix[-1].tolist() == [1.0] * 4


def test_more_groups_than_rows_are_pooled() -> None:
    """A thousand groups of one node are one fleet."""
    shrunk = shrink(np.zeros((1000, 4)), [1] * 1000, 50, 4)

    assert shrunk.matrix.shape == (50, 4)
