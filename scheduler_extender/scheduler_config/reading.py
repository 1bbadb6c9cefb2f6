"""YAML in, typed configurations out: plain files, several documents, or ConfigMaps that hold one.

It reads as strictly as kube-scheduler does, but keeps unknown keys for a rule to explain, since
one misspelt key is the commonest mistake. It must not judge: what cannot be read at all raises
`InputError`, and everything else is left to the rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import msgspec.inspect
import yaml

from gpu_fleet.errors import InputError
from scheduler_extender.scheduler_config.document import (
    API_GROUP,
    API_VERSION,
    KIND,
    SchedulerConfiguration,
)
from scheduler_extender.scheduler_config.finding import UnknownField

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Reading", "read"]

_KINDS_SHOWN = 4
_LITERAL = "|"
_MOST_DEPTH = 60
_MOST_NODES = 100_000
_TYPES = msgspec.inspect.type_info(SchedulerConfiguration)


@dataclass(frozen=True, slots=True)
class Reading:
    """One configuration, and where each of its parts stands."""

    source: str
    """The file, and the ConfigMap's key where it stood in one."""
    config: SchedulerConfiguration
    unknown: tuple[UnknownField, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    """The line of the file that each path begins on."""

    def line(self, where: str) -> int | None:
        """The line of a path, or of the nearest thing around it that was written."""
        while where and where not in self.lines:
            where = (
                where.rpartition(".")[0] if not where.endswith("]") else where.rpartition("[")[0]
            )
        return self.lines.get(where)


def read(text: str, name: str) -> tuple[Reading, ...]:
    """Every KubeSchedulerConfiguration in `text`; raises `InputError` where there is none."""
    found: list[Reading] = []
    others: list[str] = []
    for node in _documents(text, name):
        content = _Content.of(node, name)
        kind = str(content.value.get("kind", "no kind"))
        if kind == KIND:
            found.append(_typed(content, name))
        elif kind == "ConfigMap":
            found.extend(_inside(content, node, name))
        others.append(kind)
    if found:
        return tuple(found)
    kinds = ", ".join(others[:_KINDS_SHOWN]) or "nothing"
    raise InputError(
        f"holds {kinds}, but no {KIND}",
        remedy=f"give the file behind kube-scheduler's --config (apiVersion: {API_VERSION})",
        file=name,
    )


# -- YAML ----------------------------------------------------------------------------------------


def _documents(text: str, name: str) -> list[yaml.Node]:
    try:
        composed: list[yaml.Node | None] = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(
            f"is not YAML: {getattr(error, 'problem', None) or error}",
            remedy="correct the line, or quote the value",
            file=name,
            line=None if mark is None else mark.line + 1,
        ) from error
    except RecursionError as error:
        raise _too_much(name) from error
    # Between two `---` there may be nothing, which YAML takes for a null.
    return [n for n in composed if n is not None and n.tag != "tag:yaml.org,2002:null"]


def _too_much(name: str) -> InputError:
    return InputError(
        "is nested or repeated without end",
        remedy="write a configuration without anchors",
        file=name,
    )


@dataclass(frozen=True, slots=True)
class _Content:
    """A document as plain values without nulls, with the line of each path."""

    value: dict[str, Any]
    lines: dict[str, int]

    @classmethod
    def of(cls, node: yaml.Node, name: str, first_line: int = 1) -> _Content:
        walk = _Walk(name, first_line)
        try:
            value = walk.plain(node, "")
        except (yaml.YAMLError, ValueError) as error:
            problem = getattr(error, "problem", None) or str(error)
            raise InputError(
                f"is not plain YAML: {problem}", remedy="write plain values", file=name
            ) from error
        if not isinstance(value, dict):
            raise InputError("is not a mapping", remedy="give a Kubernetes object", file=name)
        return cls(value, walk.lines)


@dataclass(slots=True)
class _Walk:
    """One pass over a document: it stops where an alias would make it endless."""

    name: str
    first_line: int
    lines: dict[str, int] = field(default_factory=dict)
    nodes: int = 0

    def plain(self, node: yaml.Node, where: str, depth: int = 0) -> Any:  # noqa: ANN401 - YAML
        """A node as Python values; Go takes a null for a key that is not there, and so do we."""
        self.nodes += 1
        if depth > _MOST_DEPTH or self.nodes > _MOST_NODES:
            raise _too_much(self.name)
        if where:
            self.lines.setdefault(where, node.start_mark.line + self.first_line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where, depth + 1)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.plain(item, f"{where}[{at}]", depth + 1) for at, item in enumerate(node.value)
            ]
        return yaml.SafeLoader("").construct_object(node)

    def _mapping(self, node: yaml.MappingNode, where: str, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        written: set[str] = set()
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + self.first_line
            inner = f"{where}.{key}" if where else key
            if key in written:
                # YAML readers keep the last in silence.
                raise InputError(
                    "is written twice",
                    remedy="keep one; kube-scheduler refuses the file",
                    file=self.name,
                    line=line,
                    field=inner,
                )
            written.add(key)
            self.lines[inner] = line
            value = self.plain(value_node, inner, depth)
            if value is not None:
                result[key] = value
        return result


# -- types ---------------------------------------------------------------------------------------


def _typed(content: _Content, source: str) -> Reading:
    try:
        config = msgspec.convert(content.value, SchedulerConfiguration)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at ")
        path = re.sub(r"^\$\.?|`", "", place.strip("`"))
        raise InputError(
            problem[:1].lower() + problem[1:],
            remedy="write the type that kube-scheduler reads",
            file=source,
            line=content.lines.get(path),
            field=path or None,
        ) from error
    if config.api_version.partition("/")[0] != API_GROUP:
        raise InputError(
            f"has apiVersion {config.api_version!r}",
            remedy=f"write apiVersion: {API_VERSION}",
            file=source,
            line=content.lines.get("apiVersion"),
        )
    unknown = tuple(_unknown(content.value, _TYPES, ""))
    return Reading(source, config, unknown, content.lines)


def _unknown(raw: object, kind: msgspec.inspect.Type, where: str) -> Iterator[UnknownField]:
    """The keys below `where` that the types do not have."""
    if isinstance(kind, msgspec.inspect.UnionType):
        kind = next(one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType))
    if isinstance(kind, msgspec.inspect.VarTupleType) and isinstance(raw, list):
        for at, item in enumerate(raw):
            yield from _unknown(item, kind.item_type, f"{where}[{at}]")
    if isinstance(kind, msgspec.inspect.StructType) and isinstance(raw, dict):
        known = {one.encode_name: one.type for one in kind.fields}
        for key, value in raw.items():
            inner = f"{where}.{key}" if where else key
            if key in known:
                yield from _unknown(value, known[key], inner)
            else:
                yield UnknownField(inner, key, tuple(known))


def _inside(content: _Content, node: yaml.Node, name: str) -> Iterator[Reading]:
    """The configurations that a ConfigMap carries, told by its name and key."""
    metadata, data = content.value.get("metadata"), content.value.get("data")
    called = metadata.get("name", "") if isinstance(metadata, dict) else ""
    for key, text in (data if isinstance(data, dict) else {}).items():
        if not isinstance(text, str) or KIND not in text:
            continue
        source = f"{name} (ConfigMap {called}, {key})"
        for inner in _documents(text, source):
            held = _Content.of(inner, source, _first_line(node, key))
            if held.value.get("kind") == KIND:
                yield _typed(held, source)


def _first_line(node: yaml.Node, key: str) -> int:
    """The line of the file on which a ConfigMap's text begins."""
    for top, held in node.value:
        if top.value != "data":
            continue
        for name, value in held.value:
            if name.value == key:
                line: int = value.start_mark.line + 1
                return line + 1 if value.style == _LITERAL else line
    return 1
