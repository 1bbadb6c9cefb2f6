"""What every part writes to: events that have a name and fields, at one of three levels.

An event is data that an operator can filter (`event=watch_expired resource=pods`), so no prose is
put together from fragments, and what varies is a field. This module must not know how events are
written: `structured` writes them for people and machines, `RecordedLog` keeps them for a test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EVENT_NAME", "Level", "Log", "RecordedEvent", "RecordedLog"]

EVENT_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
"""How an event is named: `certificate_reloaded`."""

Level = str
"""`info`, `warning` or `error`."""


class Log(Protocol):
    """Where a part says what happens. No method raises or waits on anything but the output.

    A field's value may be anything: an exception is written as its class and text, a token-like
    field is redacted, what is too long is cut.
    """

    def event(self, name: str, /, **fields: object) -> None:
        """Something happened as it should."""
        ...

    def warn(self, name: str, /, **fields: object) -> None:
        """Something went wrong that the service heals by itself; somebody may want to look."""
        ...

    def error(self, name: str, /, **fields: object) -> None:
        """Something went wrong that a person has to mend."""
        ...

    def component(self, name: str, /) -> Log:
        """The same log, whose events say that they come from this part."""
        ...


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event as a test reads it."""

    level: Level
    component: str
    name: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RecordedLog:
    """Keeps every event in memory, and holds names to their form: the log of a test."""

    events: list[RecordedEvent] = field(default_factory=list)
    of: str = "service"

    def event(self, name: str, /, **fields: object) -> None:
        """Keep it as `info`."""
        self._keep("info", name, fields)

    def warn(self, name: str, /, **fields: object) -> None:
        """Keep it as `warning`."""
        self._keep("warning", name, fields)

    def error(self, name: str, /, **fields: object) -> None:
        """Keep it as `error`."""
        self._keep("error", name, fields)

    def component(self, name: str, /) -> RecordedLog:
        """A log that keeps its events in the same list."""
        return RecordedLog(self.events, name)

    def names(self, level: Level | None = None) -> list[str]:
        """The names of what happened, in order; of one level, if one is given."""
        return [one.name for one in self.events if level in (None, one.level)]

    def named(self, name: str) -> list[RecordedEvent]:
        """Every event of this name, in order."""
        return [one for one in self.events if one.name == name]

    def _keep(self, level: Level, name: str, fields: Mapping[str, object]) -> None:
        if not EVENT_NAME.fullmatch(name):
            raise ValueError(f"event {name!r} is not named in lower_case_with_underscores")
        self.events.append(RecordedEvent(level, self.of, name, dict(fields)))
