"""How long a pod that failed waits, to the second: durations, expiry and release.

A wait doubles from one second to ten; it ends on a whole second, cut down, and is over only in the
second after that, so the real wait is up to a second longer than the nominal one.
This module must not keep any pod.
"""

from __future__ import annotations

from math import sqrt

from gpu_fleet.clock import NS_PER_S

__all__ = ["backoff_ns", "expiry_ns", "is_backing_off", "release_ns"]

_FIRST_NS = NS_PER_S
_MOST_NS = 10 * NS_PER_S


def backoff_ns(failures: int, pods: int = 1) -> int:
    """The nominal wait after so many failures; a group's longest is that of one x sqrt(pods)."""
    if failures == 0:
        return 0
    most = _MOST_NS if pods == 1 else int(_MOST_NS * sqrt(pods))
    # A shift of more than this many doublings is beyond any limit.
    return min(most, _FIRST_NS << min(failures - 1, 40))


def expiry_ns(failed_at_ns: int, failures: int, pods: int = 1) -> int:
    """The whole second, cut down, in which the wait ends."""
    return _second(failed_at_ns + backoff_ns(failures, pods))


def is_backing_off(expiry: int, now_ns: int) -> bool:
    """Whether a pod still waits: also during the whole second in which the wait ends."""
    return expiry >= _second(now_ns)


def release_ns(expiry: int) -> int:
    """When a flush, which comes on every whole second, finds that the wait is over."""
    return expiry + NS_PER_S


def _second(at_ns: int) -> int:
    return at_ns // NS_PER_S * NS_PER_S
