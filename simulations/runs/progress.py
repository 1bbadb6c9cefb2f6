"""Says on stderr how far a sweep is and when it will end; stdout stays clean for results.

A terminal gets one line that redraws itself; a pipe or a log file gets nothing but the end.
This module must not be asked whether something succeeded.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """A progress bar with a name."""

    label: str
    shown: bool = True

    @contextmanager
    def over(self, steps: int) -> Iterator[Callable[[], None]]:
        """Yields what to call after each step."""
        # Imported here: rich costs 0.1 s, and a test or a library caller never sees a bar.
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bar  # noqa: PLC0415

        console = Console(stderr=True)
        if not self.shown or not console.is_terminal:
            yield lambda: None
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Bar(*columns, console=console, transient=True) as bar:
            task = bar.add_task(self.label, total=steps)
            yield lambda: bar.advance(task)
