"""The normalisation that plugins share: the largest raw score becomes 100.

Integer division as in Go; scores are never negative here.
This module must not know what was scored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MAX_NODE_SCORE", "by_maximum"]

MAX_NODE_SCORE = 100


def by_maximum(raw: NDArray[np.int64], *, reverse: bool = False) -> NDArray[np.int64]:
    """Scores from 0 to 100; reversed, the largest becomes 0, and all are 100 if all were 0."""
    largest = int(raw.max(initial=0))
    if largest == 0:
        return np.full(len(raw), MAX_NODE_SCORE, np.int64) if reverse else raw
    share = MAX_NODE_SCORE * raw // largest
    return np.asarray(MAX_NODE_SCORE - share if reverse else share)
