"""The outermost frame of a service's process: one event loop, one line on stderr, one exit code.

What was foreseen is told in one line; a traceback always means a bug of ours. The line is the last
that is written, so that Kubernetes shows it as the container's termination message. This module
must not know a service: it runs one coroutine and translates how it ended.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

from gpu_fleet.errors import SynthscaleError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from service_runtime.process.endings import Ending

__all__ = ["execute"]

INTERRUPTED = 130
_LAST_CALL_S = 1.0
"""What a stray task may take to notice that it is cancelled."""


def execute(name: str, service: Callable[[], Coroutine[Any, Any, Ending]]) -> int:
    """Run a service and return its exit code; see `endings` for the codes."""
    try:
        ending = asyncio.run(_to_its_end(name, service))
    except SynthscaleError as error:
        _say(name, str(error))
        return error.exit_code
    except KeyboardInterrupt:  # before the runner took the signals over
        _say(name, "interrupted")
        return INTERRUPTED
    _say(name, ending.line)
    return ending.code


async def _to_its_end(name: str, service: Callable[[], Coroutine[Any, Any, Ending]]) -> Ending:
    ending = await service()
    strays = asyncio.all_tasks() - {asyncio.current_task()}
    for stray in strays:
        stray.cancel()
    if strays:
        await asyncio.wait(strays, timeout=_LAST_CALL_S)
    if any(not stray.done() for stray in strays):
        # The loop would wait for them without end; what they do is given up with the process.
        _say(name, ending.line)
        sys.stdout.flush()
        os._exit(ending.code)
    return ending


def _say(name: str, line: str) -> None:
    if not line:
        return
    try:
        sys.stderr.write(f"{name}: {line}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # nobody reads; the exit code still tells
