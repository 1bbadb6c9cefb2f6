"""Ctrl-C that is not lost, whatever code it meets.

Python raises KeyboardInterrupt wherever the main thread happens to be. Where that is a callback out
of C, as a compiler makes, the exception is dropped; where it is an extension module that is being
imported, it becomes an ImportError. So what answers Ctrl-C has to remember that there was one.
This module must not end anything itself: it only tells.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["held_back", "remembered"]


@contextmanager
def remembered() -> Iterator[Callable[[], bool]]:
    """Ctrl-C interrupts as ever, and is remembered too; yields what tells whether there was one.

    Where nobody may interrupt (another thread, `nohup`), nothing is changed.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield lambda: False
        return
    seen = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        seen.set()
        before(number, frame)

    def unraisable(dropped: sys.UnraisableHookArgs) -> None:
        if dropped.exc_type is not KeyboardInterrupt:
            hook(dropped)

    hook, sys.unraisablehook = sys.unraisablehook, unraisable
    signal.signal(signal.SIGINT, note)
    try:
        yield seen.is_set
    finally:
        signal.signal(signal.SIGINT, before)
        sys.unraisablehook = hook


@contextmanager
def held_back() -> Iterator[None]:
    """Ctrl-C waits until the block is left.

    A pool starts its processes when it is given work. They inherit the mask, so a Ctrl-C while they
    import, before they can leave interrupts alone, makes them print no traceback. The mask holds
    for this thread only; a Ctrl-C that another thread receives still runs our handler here, in the
    middle of starting a process, so the handler only takes note.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen = threading.Event()
    handler = signal.signal(signal.SIGINT, lambda _number, _frame: seen.set())
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if seen.is_set():
        raise KeyboardInterrupt
