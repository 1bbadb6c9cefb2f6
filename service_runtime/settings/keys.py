"""What can be set, read from the declaration: every key with its type, bounds, default and words.

The struct is the only source; whatever is printed, checked or suggested is derived from it here.
This module must not read a file or the environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import msgspec
from msgspec import NODEFAULT, inspect

from gpu_fleet.errors import SynthscaleError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PREFIX", "Form", "Key", "Subject", "subjects_of"]

PREFIX = "SYNTHSCALE_"
SEPARATOR = "__"
"""Between subject and field; field names hold single underscores, so one would be ambiguous."""

_BOUNDS = (
    ("gt", "> "),
    ("ge", ">= "),
    ("lt", "< "),
    ("le", "<= "),
    ("multiple_of", "multiple of "),
)
_LENGTHS = (("min_length", "at least"), ("max_length", "at most"))
_PLAIN: Mapping[type[inspect.Type], str] = {
    inspect.BoolType: "true or false",
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
    inspect.StrType: "text",
    inspect.NoneType: "nothing",
}
_LISTS = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)

S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Form:
    """What a value must be, in words, and how a text from the environment becomes one."""

    words: str
    """Type and bounds: `whole number >= 1, <= 65535`."""
    listed: bool = False
    """A list of plain values: commas separate them in the environment."""
    plain: bool = True
    """False for what only a file can hold, such as a list of tables."""


@dataclass(frozen=True, slots=True)
class Key:
    """One setting."""

    subject: str
    name: str
    type: Any  # a type as msgspec understands it
    form: Form
    default: object
    """As plain data; None where the default is nothing."""
    required: bool
    documentation: str

    @property
    def path(self) -> str:
        """As a file has it, and as errors name it."""
        return f"{self.subject}.{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"{PREFIX}{self.subject}{SEPARATOR}{self.name}".upper()


@dataclass(frozen=True, slots=True)
class Subject:
    """One struct of settings."""

    name: str
    type: type[msgspec.Struct]
    documentation: str
    keys: Mapping[str, Key]
    required: bool
    """Whether it has to be there because a key without a default is in it."""


def subjects_of(settings: type[msgspec.Struct]) -> dict[str, Subject]:
    """Every subject of a service's settings, in the order of their declaration."""
    hints = get_type_hints(settings, include_extras=True)
    found = {}
    for field in msgspec.structs.fields(settings):
        kind = hints[field.name]
        if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            raise SynthscaleError(
                f"{settings.__name__}.{field.name} is no struct; put it into a subject of its own"
            )
        found[field.name] = _subject(field.name, kind)
    return found


def _subject(name: str, kind: type[msgspec.Struct]) -> Subject:
    hints = get_type_hints(kind, include_extras=True)
    keys = {
        field.encode_name: _key(name, field, hints[field.name])
        for field in msgspec.structs.fields(kind)
    }
    words = (kind.__doc__ or "").strip().partition("\n")[0]
    return Subject(name, kind, words, keys, any(key.required for key in keys.values()))


def _key(subject: str, field: msgspec.structs.FieldInfo, hint: object) -> Key:
    default = field.default
    if default is NODEFAULT and field.default_factory is not NODEFAULT:
        default = field.default_factory()
    info = inspect.type_info(hint)
    schema = (info.extra_json_schema or {}) if isinstance(info, inspect.Metadata) else {}
    return Key(
        subject,
        field.encode_name,
        hint,
        _form(info),
        None if default is NODEFAULT else msgspec.to_builtins(default),
        required=default is NODEFAULT,
        documentation=str(schema.get("description", "")),
    )


def _form(info: inspect.Type) -> Form:
    if isinstance(info, inspect.Metadata):
        return _form(info.type)
    if isinstance(info, inspect.LiteralType | inspect.EnumType):
        return _one_of(info)
    if isinstance(info, inspect.UnionType):
        parts = [_form(one) for one in info.types]
        words = " or ".join(dict.fromkeys(part.words for part in parts))
        return Form(words, plain=all(part.plain for part in parts))
    if isinstance(info, _LISTS):
        item = _form(info.item_type)
        bounds = _lengths(info, "values")
        words = ", ".join([f"list of {item.words}", *bounds])
        return Form(words, listed=item.plain, plain=item.plain)
    plain = _PLAIN.get(type(info))
    if plain is None:
        return Form("table", plain=False)
    return Form(", ".join([f"{plain}{_range(info)}", *_lengths(info, "characters")]))


def _one_of(info: inspect.LiteralType | inspect.EnumType) -> Form:
    values = (
        info.values if isinstance(info, inspect.LiteralType) else [one.value for one in info.cls]
    )
    return Form(f"one of {', '.join(map(str, values))}")


def _range(info: inspect.Type) -> str:
    parts = [
        f"{sign}{bound:g}"
        for name, sign in _BOUNDS
        if (bound := getattr(info, name, None)) is not None
    ]
    return f" {', '.join(parts)}" if parts else ""


def _lengths(info: inspect.Type, what: str) -> list[str]:
    bounds = [(words, getattr(info, name, None)) for name, words in _LENGTHS]
    told = [f"{words} {bound} {what}" for words, bound in bounds if bound is not None]
    pattern = getattr(info, "pattern", None)
    return told if pattern is None else [*told, f"matching {pattern}"]
