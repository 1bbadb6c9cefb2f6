"""A contradiction is refused where the document is built, not where it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from gpu_fleet.errors import SimulationError
from simulations.report.document import (
    Band,
    Column,
    HeatMap,
    HeatMaps,
    Part,
    RowGroup,
    Series,
    Table,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: Table("t", (Column("a"),), (("x",), ("x", "y"))), "row 1 has 2 cells for 1"),
        (lambda: Series("s", (0, 1), (0,)), r"\[1, 2\] points"),
        (lambda: Series("s", (0,), (0,), Band((0,), ())), r"\[0, 1\] points"),
        (lambda: Part("p", -1.0), "a stacked bar takes no negative"),
        (lambda: HeatMap("m", np.zeros(3), "x", (0, 1)), "not rows x columns"),
        (lambda: HeatMap("m", np.zeros((3, 1)), "x", (0, 1), (RowGroup("g", 2),)), "name 2 of 3"),
        (lambda: HeatMaps("h", "l", (), top=0.0), "top is 0.0"),
        (lambda: HeatMaps("h", "l", (), top=50.0), "top is 50.0"),
    ],
)
def test_a_contradiction_names_its_section(build: Callable[[], object], complaint: str) -> None:
    """With what is wrong in it, so that an experiment's author finds the line."""
    with pytest.raises(SimulationError, match=complaint):
        build()
