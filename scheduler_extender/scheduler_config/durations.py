"""Go's way of writing a duration, which kube-scheduler's configuration uses (`1m30s`, `200ms`).

It reads what Go's time.ParseDuration reads and nothing else: a duration that we understand and
kube-scheduler does not would be a trap of our own. This module must not know what is too long.
"""

from __future__ import annotations

import re

__all__ = ["seconds"]

_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


def seconds(text: str) -> float | None:
    """The duration in seconds; None where Go would refuse the text."""
    sign = -1.0 if text.startswith("-") else 1.0
    rest = text[1:] if text[:1] in {"-", "+"} else text
    if rest == "0":
        return 0.0
    if not rest or _PART.sub("", rest):
        return None
    return sign * sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(rest))
