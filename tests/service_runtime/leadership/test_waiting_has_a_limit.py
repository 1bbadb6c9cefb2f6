"""What an elector waits for ends at a limit, by a clock that goes on while a machine sleeps.

`within` is asked on virtual time, the machine's own clock only which one it is.
"""

from __future__ import annotations

import asyncio
import time

import pytest

from service_runtime.timing import SystemTiming, within
from tests.service_runtime.leadership.test_elector_leads_and_leaves import LoopTiming
from tests.service_runtime.leadership.world import on_virtual_time


def test_an_answer_in_time_is_the_answer() -> None:
    """What was called returns, or raises, as if nobody had waited."""

    async def answers() -> int:
        await asyncio.sleep(4)
        return 7

    async def breaks() -> int:
        raise ZeroDivisionError

    async def main() -> None:
        assert await within(LoopTiming(), 5, answers()) == 7
        with pytest.raises(ZeroDivisionError):
            await within(LoopTiming(), 5, breaks())

    on_virtual_time(main)


def test_what_is_late_is_cancelled_and_has_ended() -> None:
    """After the limit nothing of the call goes on."""
    ends: list[float] = []

    async def late() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ends.append(asyncio.get_running_loop().time())

    async def main() -> None:
        with pytest.raises(TimeoutError, match="no end after 5 s"):
            await within(LoopTiming(), 5, late())
        assert ends == [5]

    on_virtual_time(main)


def test_the_machine_s_clock_counts_the_time_it_was_suspended() -> None:
    """It is CLOCK_BOOTTIME: a leader that wakes must find its lease over."""
    before_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    now_ns = SystemTiming().now_ns()

    assert before_ns <= now_ns <= time.clock_gettime_ns(time.CLOCK_BOOTTIME)
