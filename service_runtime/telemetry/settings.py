"""What an operator can choose about a service's log.

It stands apart from what writes the log, so that settings can be read and printed without it.
This module must hold choices only.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

__all__ = ["LogSettings"]


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is told, in which form, and how a flood of it is held back."""

    level: Annotated[
        Literal["info", "warning", "error"],
        Meta(description="Events below this level are not written."),
    ] = "info"
    library_level: Annotated[
        Literal["info", "warning", "error"],
        Meta(description="The same for what the libraries we stand on tell."),
    ] = "warning"
    format: Annotated[
        Literal["auto", "json", "terminal"],
        Meta(description="One JSON object a line, or text for people; auto: text on a terminal."),
    ] = "auto"
    repeat_window_s: Annotated[
        float,
        Meta(
            description="An event that repeats an earlier one exactly is counted for this long, "
            "then the count is written once; 0 writes every one.",
            ge=0,
            le=3600,
        ),
    ] = 60.0
    most_of_one_event: Annotated[
        int,
        Meta(
            description="Lines of one event name within that time, whatever their fields; "
            "what is beyond is counted.",
            ge=1,
            le=100_000,
        ),
    ] = 200
