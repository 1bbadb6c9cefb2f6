"""Prints settings for people, as a file that can be used, and for programs.

What a person reads is itself a settings file: every key with its words above it and its value, so
that it can be saved, changed and mounted. This module must not decide what a value is.
"""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import msgspec

from service_runtime.settings.reading import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from service_runtime.settings.keys import Key, Subject
    from service_runtime.settings.reading import Effective

__all__ = ["as_file", "as_rows"]

_WIDTH = 100


def as_file(
    subjects: Mapping[str, Subject], effective: Effective[msgspec.Struct] | None = None
) -> str:
    """The defaults, or what holds effectively, as TOML with its documentation."""
    blocks = [_subject(subject, effective) for subject in subjects.values()]
    return "\n\n".join(blocks) + "\n"


def as_rows(
    subjects: Mapping[str, Subject], effective: Effective[msgspec.Struct] | None = None
) -> list[dict[str, object]]:
    """One row a key, for programs."""
    return [
        {
            "key": key.path,
            "type": key.form.words,
            "required": key.required,
            "default": key.default,
            "value": _value(key, effective),
            "origin": _origin(key, effective),
            "variable": key.variable if key.form.plain else None,
            "documentation": key.documentation,
        }
        for subject in subjects.values()
        for key in subject.keys.values()
    ]


def _subject(subject: Subject, effective: Effective[msgspec.Struct] | None) -> str:
    head = [*_comment(subject.documentation), f"[{subject.name}]"]
    keys = ["\n".join(_key(key, effective)) for key in subject.keys.values()]
    return "\n\n".join(["\n".join(head), *keys])


def _key(key: Key, effective: Effective[msgspec.Struct] | None) -> Iterator[str]:
    default = "must be given" if key.required else f"default {_toml(key.default)}"
    facts = [key.form.words, default, *([key.variable] if key.form.plain else [])]
    yield from _comment(key.documentation)
    yield from _comment("; ".join(facts))
    origin = _origin(key, effective)
    if origin not in (DEFAULT, None):
        yield from _comment(f"from {origin}")
    value = _value(key, effective)
    yield f"# {key.name} =" if value is None else f"{key.name} = {_toml(value)}"


def _value(key: Key, effective: Effective[msgspec.Struct] | None) -> object:
    if effective is None:
        return key.default
    return msgspec.to_builtins(getattr(getattr(effective.settings, key.subject), key.name))


def _origin(key: Key, effective: Effective[msgspec.Struct] | None) -> str | None:
    if effective is not None:
        return effective.origins[key.path]
    return None if key.required else DEFAULT


def _comment(text: str) -> Iterable[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


def _toml(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(str(name))} = {_toml(one)}" for name, one in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # TOML writes text, numbers and booleans as JSON does, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
