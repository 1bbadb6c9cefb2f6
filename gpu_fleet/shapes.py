"""The table in which a view interns pod shapes, as columns that kernels can read.

A shape's id is its row; ids are given in order of first appearance and never reused, so that caches
keyed by id stay true. This module must not look at nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.admission import Admission
    from gpu_fleet.pods import PodShape

__all__ = ["TAGS", "ShapeTable", "tag_of"]

TAGS = 18
"""Tag columns: 0 no GPU, 1 part of one GPU, 1 + k for k whole GPUs, up to 16."""


def tag_of(shape: PodShape) -> int:
    """The class by which GPU clustering keeps like with like (FGD paper, section 6)."""
    if shape.gpu_count == 0:
        return 0
    return 1 if shape.is_share else 1 + shape.gpu_count


class ShapeTable:
    """Shapes by id, and their amounts as arrays."""

    def __init__(self) -> None:
        self._ids: dict[PodShape, int] = {}
        self._shapes: list[PodShape] = []
        self._admission_ids: dict[Admission, int] = {}
        self.admissions: list[Admission] = []
        self.cpu_milli: NDArray[np.int64] = np.zeros(0, np.int64)
        self.memory_mib: NDArray[np.int64] = np.zeros(0, np.int64)
        self.gpu_count: NDArray[np.int64] = np.zeros(0, np.int64)
        self.gpu_milli: NDArray[np.int64] = np.zeros(0, np.int64)
        self.gpu_memory_mib: NDArray[np.int64] = np.zeros(0, np.int64)
        self.admission_id: NDArray[np.int64] = np.zeros(0, np.int64)
        self.tag: NDArray[np.int64] = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._shapes)

    def __getitem__(self, shape_id: int) -> PodShape:
        return self._shapes[shape_id]

    def find(self, shape: PodShape) -> int | None:
        """The id of a shape that is known, or None."""
        return self._ids.get(shape)

    def intern(self, shape: PodShape) -> int:
        """The id of this shape, new or known. O(shapes) when new, O(1) when known."""
        known = self._ids.get(shape)
        if known is not None:
            return known
        shape_id = len(self._shapes)
        self._ids[shape] = shape_id
        self._shapes.append(shape)
        self.cpu_milli = np.append(self.cpu_milli, shape.cpu_milli)
        self.memory_mib = np.append(self.memory_mib, shape.memory_mib)
        self.gpu_count = np.append(self.gpu_count, shape.gpu_count)
        self.gpu_milli = np.append(self.gpu_milli, shape.gpu_milli)
        self.gpu_memory_mib = np.append(self.gpu_memory_mib, shape.gpu_memory_mib)
        self.admission_id = np.append(self.admission_id, self.intern_admission(shape.admission))
        self.tag = np.append(self.tag, tag_of(shape))
        return shape_id

    def intern_admission(self, admission: Admission) -> int:
        """The row of an admission rule, new or known."""
        known = self._admission_ids.get(admission)
        if known is not None:
            return known
        self._admission_ids[admission] = len(self.admissions)
        self.admissions.append(admission)
        return len(self.admissions) - 1
