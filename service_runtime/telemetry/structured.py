"""Writes events: one JSON object a line for machines, aligned text for a person at a terminal.

Each line has `time` (UTC, RFC 3339), `level`, `component` and `event`, then the event's own fields.
Nothing here may raise because of what it is told or where it writes: a line that cannot be written
is counted and given up.
"""

from __future__ import annotations

import threading
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from structlog.dev import ConsoleRenderer
from structlog.processors import JSONRenderer

from gpu_fleet.errors import SynthscaleError
from service_runtime.telemetry.flood import Flood
from service_runtime.telemetry.plain import plain_fields, rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from structlog.typing import Processor

    from service_runtime.telemetry.flood import HeldBack
    from service_runtime.telemetry.log import Level
    from service_runtime.telemetry.metrics import Metrics
    from service_runtime.telemetry.settings import LogSettings
    from service_runtime.timing import Timing

__all__ = ["LEVELS", "StructuredLog"]

LEVELS: tuple[Level, ...] = ("info", "warning", "error")
_OURS = frozenset({"time", "level", "component", "event"})
_MOST_TRACEBACK = 8_000


@dataclass(frozen=True, slots=True)
class _Said:
    level: Level
    component: str
    name: str
    fields: Mapping[str, object]


class _Sink:
    """The one place where lines leave: what is written, held back or lost is decided here."""

    def __init__(
        self, settings: LogSettings, timing: Timing, stream: TextIO, metrics: Metrics
    ) -> None:
        self._timing = timing
        self._stream = stream
        self._render = _renderer(settings, stream)
        self._least = LEVELS.index(settings.level)
        self._repeats: Flood[_Said] = Flood(settings.repeat_window_s, 1)
        self._names: Flood[_Said] = Flood(settings.repeat_window_s, settings.most_of_one_event)
        # Libraries log from threads of their own.
        self._lock = threading.Lock()
        self._told = metrics.counter(
            "synthscale_log_events_total",
            "Events that were told, whether written or held back as repetitions.",
            {"level": LEVELS},
        )
        self._lost = metrics.counter(
            "synthscale_log_lines_lost_total",
            "Lines that could not be written, since nobody reads the log or the disk is full.",
        )

    def tell(self, said: _Said) -> None:
        if LEVELS.index(said.level) < self._least:
            return
        self._told.add(level=said.level)
        key = (said.level, said.component, said.name)
        with self._lock:
            self._tell_due()
            now_ns = self._timing.now_ns()
            if not self._repeats.passes((*key, repr(said.fields)), said, now_ns):
                return
            bare = _Said(*key, {})
            if self._names.passes(key, bare, now_ns):
                self._write(said)

    def flush(self) -> None:
        with self._lock:
            self._tell_due()

    def close(self) -> None:
        with self._lock:
            now_ns = self._timing.now_ns()
            for held in (*self._repeats.rest(now_ns), *self._names.rest(now_ns)):
                self._summarise(held)

    def _tell_due(self) -> None:
        now_ns = self._timing.now_ns()
        for held in (*self._repeats.due(now_ns), *self._names.due(now_ns)):
            self._summarise(held)

    def _summarise(self, held: HeldBack[_Said]) -> None:
        said = held.what
        counted = {**said.fields, "repeated": held.times, "repeated_over_s": round(held.over_s, 3)}
        self._write(_Said(said.level, said.component, said.name, counted))

    def _write(self, said: _Said) -> None:
        line = {
            "time": rfc3339(self._timing.wall()),
            "level": said.level,
            "component": said.component,
            "event": said.name,
            **said.fields,
        }
        try:
            self._stream.write(f"{self._render(None, said.level, line)}\n")  # type: ignore[str-bytes-safe]
            self._stream.flush()
        except (OSError, ValueError):  # a broken pipe, a full disk, a closed stream
            self._lost.add()


class StructuredLog:
    """The log of a running service; see `Log`."""

    __slots__ = ("_component", "_sink")

    def __init__(
        self,
        settings: LogSettings,
        timing: Timing,
        stream: TextIO,
        metrics: Metrics,
    ) -> None:
        self._component = "service"
        self._sink = _Sink(settings, timing, stream, metrics)

    def event(self, name: str, /, **fields: object) -> None:
        """Write it as `info`."""
        self.tell("info", name, fields)

    def warn(self, name: str, /, **fields: object) -> None:
        """Write it as `warning`."""
        self.tell("warning", name, fields)

    def error(self, name: str, /, **fields: object) -> None:
        """Write it as `error`; an exception that nobody foresaw brings its traceback."""
        self.tell("error", name, {**fields, **_trace(fields)})

    def component(self, name: str, /) -> StructuredLog:
        """The same log and the same flood control, for events of this part."""
        other = object.__new__(StructuredLog)
        other._component = name
        other._sink = self._sink
        return other

    def tell(self, level: Level, name: str, fields: Mapping[str, object]) -> None:
        """Write one event of a level that is known only now."""
        named = {f"{key}_" if key in _OURS else key: value for key, value in fields.items()}
        self._sink.tell(_Said(level, self._component, name, plain_fields(named)))

    def flush(self) -> None:
        """Write counts of repetitions whose time has come."""
        self._sink.flush()

    def close(self) -> None:
        """Write all counts of repetitions; nothing more will come."""
        self._sink.close()


def _renderer(settings: LogSettings, stream: TextIO) -> Processor:
    terminal = stream.isatty() if settings.format == "auto" else settings.format == "terminal"
    if terminal:
        # Strings as Python writes them: a stranger's text must not move somebody's cursor.
        return ConsoleRenderer(colors=stream.isatty(), timestamp_key="time", repr_native_str=True)
    return JSONRenderer(serializer=_json)


def _json(line: object, **_: object) -> str:
    return msgspec.json.encode(line).decode()


def _trace(fields: Mapping[str, object]) -> dict[str, object]:
    """A foreseen error is told in a line; a traceback therefore always means a bug of ours."""
    for value in fields.values():
        if isinstance(value, BaseException) and not isinstance(value, SynthscaleError):
            text = "".join(traceback.format_exception(value))
            return {"traceback": text[-_MOST_TRACEBACK:].splitlines()[-30:]}
    return {}
