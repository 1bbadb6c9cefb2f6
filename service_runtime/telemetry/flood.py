"""Which repetitions of an event are written, and which are only counted.

A service that cannot reach the API server may say so a thousand times a second, and the line that
matters drowns in it. The rule is a pure function of time and what came before: within a window the
first so many of a key pass, the rest are counted, and the count is due when the window ends.
This module must not know what an event is, nor read a clock.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from service_runtime.timing import elapsed_s

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["Flood", "HeldBack"]

MOST_KEYS = 2_000

_What = TypeVar("_What")


@dataclass(slots=True)
class _Window(Generic[_What]):
    what: _What
    began_ns: int
    passed: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class HeldBack(Generic[_What]):
    """How often something was held back, and for how long that went on."""

    what: _What
    times: int
    over_s: float


class Flood(Generic[_What]):
    """Lets the first `allowance` of a key pass in each window of `window_s` seconds."""

    __slots__ = ("_allowance", "_window_s", "_windows")

    def __init__(self, window_s: float, allowance: int) -> None:
        self._window_s = window_s
        self._allowance = allowance
        # In the order in which they began, which is the order in which they end.
        self._windows: OrderedDict[Hashable, _Window[_What]] = OrderedDict()

    def passes(self, key: Hashable, what: _What, now_ns: int) -> bool:
        """Whether to write this one. Ask `due` first: a window that has ended must be told."""
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window(what, now_ns)
        if window.passed < self._allowance:
            window.passed += 1
            return True
        window.held += 1
        return False

    def due(self, now_ns: int) -> list[HeldBack[_What]]:
        """What was held back in windows that have ended, oldest first; each is told once.

        Beyond `MOST_KEYS` the oldest window ends early, so that memory stays bounded.
        """
        told = []
        while self._windows and (
            len(self._windows) > MOST_KEYS
            or self._ended(next(iter(self._windows.values())), now_ns)
        ):
            told += self._end(now_ns)
        return told

    def rest(self, now_ns: int) -> list[HeldBack[_What]]:
        """What is held back still, when nothing more will come."""
        told = []
        while self._windows:
            told += self._end(now_ns)
        return told

    def _ended(self, window: _Window[_What], now_ns: int) -> bool:
        return elapsed_s(window.began_ns, now_ns) >= self._window_s

    def _end(self, now_ns: int) -> list[HeldBack[_What]]:
        _, window = self._windows.popitem(last=False)
        if not window.held:
            return []
        return [HeldBack(window.what, window.held, elapsed_s(window.began_ns, now_ns))]
