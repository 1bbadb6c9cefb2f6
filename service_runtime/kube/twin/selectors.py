"""Label and field selectors, as the API server reads them.

Equality, inequality, sets and existence for labels; equality and inequality of any path for
fields, where a field that is absent counts as empty. A selector that cannot be read is a
`ValueError`, which the twin turns into a 400. Nothing here may know a kind of object.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service_runtime.kube.api import Selection

__all__ = ["matcher"]

_KEY: Final = r"[A-Za-z0-9][A-Za-z0-9._/-]*"
_TERM: Final = re.compile(
    rf"\s*(?:(?P<absent>!\s*)?(?P<key>{_KEY})"
    r"(?:\s*(?P<operator>==|=|!=|\s(?:in|notin)\s)\s*(?P<value>\([^)]*\)|[^,()]*))?)\s*(?:,|$)"
)
_FIELD: Final = re.compile(r"(?P<path>[A-Za-z0-9.\[\]-]+?)(?P<operator>==|=|!=)(?P<value>.*)")


@dataclass(frozen=True, slots=True)
class _Requirement:
    """One condition on a value that may be absent; `values` None asks for presence only."""

    key: str
    values: frozenset[str] | None
    wanted: bool

    def holds(self, value: str | None) -> bool:
        present = value is not None if self.values is None else value in self.values
        return present is self.wanted


def matcher(selection: Selection) -> Callable[[Mapping[str, Any]], bool]:
    """A test whether an object is in the selection; raises `ValueError` for one it cannot read."""
    labels = _labels(selection.label_selector)
    fields = _fields(selection.field_selector)

    def matches(one: Mapping[str, Any]) -> bool:
        metadata = one.get("metadata", {})
        if selection.namespace is not None and selection.namespace != metadata.get("namespace"):
            return False
        worn = metadata.get("labels") or {}
        return all(label.holds(worn.get(label.key)) for label in labels) and all(
            field.holds(_at(one, field.key)) for field in fields
        )

    return matches


def _labels(selector: str) -> tuple[_Requirement, ...]:
    found = []
    position = 0
    while position < len(selector):
        term = _TERM.match(selector, position)
        if term is None:
            raise ValueError(f"unable to parse label selector {selector!r}")
        found.append(_label(term, selector))
        position = term.end()
    return tuple(found)


def _label(term: re.Match[str], selector: str) -> _Requirement:
    operator = (term["operator"] or "").strip()
    if not operator:
        return _Requirement(term["key"], None, wanted=not term["absent"])
    if term["absent"]:
        raise ValueError(f"unable to parse label selector {selector!r}")
    text = term["value"].strip()
    in_set = operator in {"in", "notin"}
    if in_set is not text.startswith("("):
        raise ValueError(f"unable to parse label selector {selector!r}")
    values = text[1:-1].split(",") if in_set else [text]
    wanted = operator in {"=", "==", "in"}
    return _Requirement(term["key"], frozenset(value.strip() for value in values), wanted)


def _fields(selector: str) -> tuple[_Requirement, ...]:
    found = []
    for part in filter(None, selector.split(",")):
        field = _FIELD.fullmatch(part.strip())
        if field is None:
            raise ValueError(f"invalid field selector {part!r}")
        values = frozenset({field["value"]})
        found.append(_Requirement(field["path"], values, wanted=field["operator"] != "!="))
    return tuple(found)


def _at(one: Mapping[str, Any], path: str) -> str:
    value: Any = one
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
