"""How a service ended, as a value: the reason, the part it came from and the exit code.

    0        ended by SIGTERM, every part in order
    1        a part failed, ended by itself, was not ready in time or did not end in time; or a bug
    2        something from outside is wrong (`InputError`): the line says what to correct
    130      ended by SIGINT (Ctrl-C), every part in order
    128 + n  a second signal, number n, cut the end short: 143 for SIGTERM, 130 for SIGINT

SIGTERM is how a cluster ends a healthy pod, so it is a success; 130 is what a shell expects of
Ctrl-C. This module must not end anything.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError, SynthscaleError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Ending", "after", "by_second", "by_signal", "failed", "not_ready", "stuck"]

FAILED = 1
_SIGNALLED = 128


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a service ends; `part` is empty where none is to blame."""

    code: int
    reason: str
    part: str = ""
    cause: BaseException | None = None

    @property
    def line(self) -> str:
        """What a person reads on stderr; empty where nothing went wrong."""
        if not self.part:
            return ""
        return f"{self.part}: {self.reason}"


def by_signal(one: signal.Signals) -> Ending:
    """Asked to end, and free to do it in order."""
    return Ending(0 if one == signal.SIGTERM else _SIGNALLED + one, one.name)


def by_second(one: signal.Signals) -> Ending:
    """Asked again, and so to end at once."""
    return Ending(_SIGNALLED + one, f"second signal: {one.name}")


def failed(part: str, cause: BaseException | None) -> Ending:
    """A part raised, or simply returned though nobody had asked it to."""
    if cause is None:
        return Ending(FAILED, "ended by itself; look at its last event", part)
    leaves = list(_leaves(cause))
    foreseen = [one for one in leaves if isinstance(one, InputError)]
    return Ending(
        foreseen[0].exit_code if foreseen else FAILED,
        "; ".join(dict.fromkeys(map(_told, leaves))),
        part,
        cause,
    )


def not_ready(part: str, limit_s: float) -> Ending:
    """A part took too long to start."""
    reason = f"not ready within {limit_s:g} s; its events say what it waits for"
    return Ending(FAILED, reason, part)


def stuck(part: str, limit_s: float) -> Ending:
    """A part took too long to end."""
    return Ending(FAILED, f"did not end within {limit_s:g} s, and was given up", part)


def after(first: Ending, then: Ending) -> Ending:
    """The first reason stays, unless all was well until the second came."""
    return first if first.code else then


def _told(error: BaseException) -> str:
    return str(error) if isinstance(error, SynthscaleError) else f"{type(error).__name__}: {error}"


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """What is really wrong: a part that stands on task groups raises groups of groups."""
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for one in error.exceptions:
        yield from _leaves(one)
