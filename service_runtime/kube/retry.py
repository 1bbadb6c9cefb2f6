"""How long to wait before asking again, so that many who failed together do not return together.

Full jitter: the wait is drawn between nothing and a ceiling that doubles up to a cap, which
spreads callers better than a fixed ladder with noise. A server that names a time is obeyed.
Draws come from the caller, and so do time and the decision to give up: this module must not sleep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Backoff", "Retry"]

_DOUBLINGS = 32
"""Beyond it every ceiling is at the cap, and a float would overflow at 1,024 failures."""


@dataclass(frozen=True, slots=True)
class Retry:
    """What to do after a failure: wait so long, or, without a wait, give up."""

    failures: int
    wait_s: float | None

    @property
    def given_up(self) -> bool:
        """Whether the budget is spent."""
        return self.wait_s is None


@dataclass(frozen=True, slots=True)
class Backoff:
    """A policy of waiting; `budget` is how many retries are allowed, None for no end."""

    base_s: float
    cap_s: float
    budget: int | None = None

    def ceiling_s(self, failures: int) -> float:
        """The longest wait after so many failures in a row."""
        doublings = min(max(failures - 1, 0), _DOUBLINGS)
        return min(self.cap_s, self.base_s * 2.0**doublings)

    def after(
        self, failures: int, draw: Callable[[], float], asked_s: float | None = None
    ) -> Retry:
        """The retry after `failures` in a row (1 is the first); `draw` is uniform in [0, 1).

        `asked_s` is what the server asked for (`Retry-After`): the wait is never shorter, and the
        jitter is added on top, since everybody was told the same number.
        """
        if self.budget is not None and failures > self.budget:
            return Retry(failures, None)
        return Retry(failures, (asked_s or 0.0) + draw() * self.ceiling_s(failures))
