"""Where settings are given: a TOML file and the environment, each value with its place.

TOML, since Python reads it without a further library, its words mean one thing (no `no` that is
false, no `08` that is a string), and a key that stands twice is an error of the language itself; a
ConfigMap mounts it as it mounts any text. This module must not know which settings exist.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError
from service_runtime.settings.keys import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OTHER_VARIABLES", "SettingsFile", "our_variables", "read_file"]

OTHER_VARIABLES = frozenset({"SYNTHSCALE_CLUSTER", "SYNTHSCALE_CLUSTER_RUN"})
"""Variables with our prefix that are no settings: what `make cluster` gives its shell."""

MOST_BYTES = 1 << 20
"""What a ConfigMap can hold at most; a larger file is not a settings file."""

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TWICE = ("Cannot overwrite a value", "Cannot declare", "Cannot mutate", "Cannot redefine")
_TABLE = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*(#.*)?$")
_ENTRY = re.compile(r"\s*([\w.\"' -]+?)\s*=")
_LINK = re.compile(r"_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_\w+)?)$")


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What a file says, and on which line."""

    path: str
    tables: Mapping[str, object]
    lines: Mapping[tuple[str, ...], int]

    def line(self, *path: str) -> int | None:
        """The line of a key, or of what it is in; None where neither has one of its own."""
        return self.lines.get(path) or self.lines.get(path[:1])

    def place(self, *path: str) -> str:
        """`FILE:LINE`."""
        line = self.line(*path)
        return self.path if line is None else f"{self.path}:{line}"


def read_file(path: str) -> SettingsFile:
    """Read a file of settings; whatever is wrong with it as a whole is an `InputError`."""
    if path.endswith((".yaml", ".yml", ".json")):
        raise InputError(
            "settings are written in TOML", remedy="write [subject], then key = value", file=path
        )
    text = _text_of(path)
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _malformed(path, str(error)) from error
    return SettingsFile(path, tables, _lines_of(text))


def _text_of(path: str) -> str:
    remedy = "give the path of a TOML file that this user may read"
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be read ({reason})", remedy=remedy, file=path) from error
    if len(content) > MOST_BYTES:
        raise InputError(f"longer than {MOST_BYTES} bytes", remedy=remedy, file=path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError("not UTF-8", remedy="save it as UTF-8", file=path, line=line) from error


def _malformed(path: str, told: str) -> InputError:
    place = _PLACE.search(told)
    line = int(place[1]) if place and place[1] else None
    words = _PLACE.sub("", told)
    if words.startswith(_TWICE):
        return InputError(
            "this key or table is there already", remedy="keep one of them", file=path, line=line
        )
    where = f" at column {place[2]}" if line is not None and place else ""
    return InputError(
        f"not TOML{where} ({words[:200]})", remedy="correct it there", file=path, line=line
    )


def _lines_of(text: str) -> dict[tuple[str, ...], int]:
    """Where each table and key begins: good enough for a message, and only used for messages.

    A line inside a text of several lines may look like a key; the first that does is taken, and
    such texts do not occur in settings.
    """
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if opens := _TABLE.match(line):
            table = _path(opens[1])
            found.setdefault(table, number)
        elif entry := _ENTRY.match(line):
            path = (*table, *_path(entry[1]))
            found.setdefault(path[:1], number)
            found.setdefault(path, number)
    return found


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def our_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables with our prefix, without those that Kubernetes makes for a Service of ours.

    A Service called `synthscale-extender` gives every pod `SYNTHSCALE_EXTENDER_SERVICE_HOST`,
    `SYNTHSCALE_EXTENDER_PORT` and a dozen more; they are known by the one that is always there.
    """
    ours = {name: text for name, text in environment.items() if name.startswith(PREFIX)}
    services = tuple(
        name.removesuffix("_SERVICE_HOST") for name in environment if name.endswith("_SERVICE_HOST")
    )
    return {
        name: text
        for name, text in ours.items()
        if name not in OTHER_VARIABLES and not _is_link(name, services)
    }


def _is_link(name: str, services: tuple[str, ...]) -> bool:
    return any(
        name.startswith(f"{service}_") and _LINK.fullmatch(name.removeprefix(service))
        for service in services
    )
