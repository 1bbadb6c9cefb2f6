"""Makes whatever a caller puts into an event plain, short and free of secrets.

A log is read by more people than a secret may be, and lasts longer than any memory; so a value
under a token-like name, and what looks like a token, a bearer header or a private key inside a
text, is replaced before it is written. Nothing here may raise: telling must not fail.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from enum import Enum
from itertools import islice
from pathlib import PurePath
from typing import Any, cast

import msgspec

__all__ = ["REDACTED", "is_secret_name", "plain_fields", "rfc3339"]

REDACTED = "[redacted]"

MOST_CHARACTERS = 1024
MOST_ITEMS = 32
MOST_DEPTH = 4
_INT64 = 1 << 63

_SECRET_NAME = re.compile(
    r"(^|_)(token|password|passwd|passphrase|secret|authorization|cookie|credentials?|bearer"
    r"|(api|private|signing|client|encryption)_?key)s?($|_)"
)
_HARMLESS_END = re.compile(r"_(file|path|name|kind|age|count|total|limit|review|reviews|s|bytes)$")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SECRET_TEXT = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\bauthorization[\"']?\s*[:=]\s*[\"']?\w+\s+[^\s\"']+"
    r"|\bbearer\s+[\w.~+/=-]{16,}"
    r"|\beyJ[\w-]{5,}\.[\w-]{5,}(\.[\w-]*)?"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",
    re.DOTALL | re.IGNORECASE,
)
"""Private keys, authorization headers, JSON web tokens, and a URL's user and password."""


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret itself, not a path or a figure of one."""
    words = _CAMEL.sub("_", name).lower().replace("-", "_")
    return bool(_SECRET_NAME.search(words)) and not _HARMLESS_END.search(words)


def rfc3339(moment: datetime) -> str:
    """A moment in UTC to the millisecond, as other machines read it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plain_fields(fields: Mapping[str, object], depth: int = 0) -> dict[str, object]:
    """The fields as JSON can hold them: bounded in number, depth and length, secrets replaced."""
    kept = {
        _text(str(name)): _hidden(value) if is_secret_name(str(name)) else _plain(value, depth)
        for name, value in list(fields.items())[:MOST_ITEMS]
    }
    if len(fields) > MOST_ITEMS:
        kept["left_out"] = len(fields) - MOST_ITEMS
    return kept


def _hidden(value: object) -> object:
    """A figure or an absence tells no secret; anything else might."""
    return value if value is None or isinstance(value, bool | int | float) else REDACTED


def _plain(value: object, depth: int) -> object:
    for kinds, make in _LEAVES:
        if isinstance(value, kinds):
            return make(value)
    named = _named(value)
    if depth >= MOST_DEPTH or (named is None and not isinstance(value, Collection)):
        return _text(_said(value))
    if named is not None:
        return plain_fields(named, depth + 1)
    return _listed(cast("Collection[object]", value), depth + 1)


def _named(value: object) -> Mapping[str, object] | None:
    """The parts of a value that has named ones: our decisions explain themselves in a log, too."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: getattr(value, one.name, None) for one in dataclasses.fields(value)}
    return None


def _listed(values: Collection[object], depth: int) -> list[object]:
    kept = [_plain(one, depth) for one in islice(values, MOST_ITEMS)]
    return [*kept, f"({len(values) - MOST_ITEMS} more)"] if len(values) > MOST_ITEMS else kept


def _figure(value: float) -> object:
    """JSON has no NaN, and readers of it no integers beyond 64 bits."""
    fits = -_INT64 <= value < _INT64 if isinstance(value, int) else math.isfinite(value)
    return value if fits else _text(str(value))


def _said(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a stranger's __str__ may raise anything
        return f"<{type(value).__name__}>"


def _text(text: str) -> str:
    # What is far beyond the limit is cut first: a search through megabytes is a denial of service.
    near = text[: 4 * MOST_CHARACTERS]
    safe = _SECRET_TEXT.sub(REDACTED, near).encode("utf-8", "backslashreplace").decode()
    if len(safe) <= MOST_CHARACTERS and len(near) == len(text):
        return safe
    return f"{safe[:MOST_CHARACTERS]}... ({len(text)} characters)"


_LEAVES: tuple[tuple[type | tuple[type, ...], Callable[[Any], object]], ...] = (
    ((bool, type(None)), lambda value: value),
    (str, _text),
    ((int, float), _figure),
    ((bytes, bytearray, memoryview), lambda value: f"<{len(value)} bytes>"),
    (Enum, lambda value: _plain(value.value, MOST_DEPTH)),
    (datetime, rfc3339),
    (BaseException, lambda value: _text(f"{type(value).__name__}: {_said(value)}")),
    (PurePath, lambda value: _text(str(value))),
)
