"""Node and pod lists in the columns of openb, the GPU cluster that Alibaba published in 2023.

The format is small enough to be written by hand or by a spreadsheet, which is why it is ours too.
Meanings follow the published simulator: `gpu_milli` speaks only where one GPU is asked for, and
several GPUs are always whole ones. This module must not read files or sort pods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.accelerators import allocatable_memory_mib
from gpu_fleet.admission import ANYWHERE, Admission
from gpu_fleet.errors import InputError
from gpu_fleet.nodes import (
    MAX_DEVICES,
    MOST_CPU_MILLI,
    MOST_MEMORY_MIB,
    WHOLE_GPU_MILLI,
    Device,
    Node,
)
from gpu_fleet.pods import Pod, PodShape
from gpu_fleet.readings import Missing
from gpu_fleet.words import counted, listed, shown
from simulations.readers.cells import MOST_TIME_S, whole
from simulations.readers.table import Table
from simulations.workload import Inventory, TracedPod, Workload

if TYPE_CHECKING:
    from simulations.readers.files import SourceText

__all__ = ["NODE_COLUMNS", "POD_COLUMNS", "inventory", "workload"]

NODE_COLUMNS = ("sn", "cpu_milli", "memory_mib", "gpu", "model")
POD_COLUMNS = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli")
_READ_IF_PRESENT = ("gpu_spec", "creation_time", "deletion_time")


def inventory(source: SourceText) -> Inventory:
    """The nodes of an openb node list; nothing runs on them yet."""
    try:
        return _inventory(source)
    except InputError as error:
        raise error.within(source.file) from None


def workload(source: SourceText) -> Workload:
    """The pods of an openb pod list, in file order."""
    try:
        return _workload(source)
    except InputError as error:
        raise error.within(source.file) from None


def _inventory(source: SourceText) -> Inventory:
    table = Table(source.text)
    swapped = "; this is a pod list: give it as --pods" if "num_gpu" in table.columns else ""
    table.require(NODE_COLUMNS, "a node list", swapped)
    places = [table.columns.index(column) for column in NODE_COLUMNS]
    names = _Names("sn", "node")
    nodes = []
    for line, row in table.rows():
        name, cpu, memory, gpus, model = (row[place].strip() for place in places)
        names.add(name, line)
        nodes.append(_node(name, (cpu, memory, gpus), model, line))
    if not nodes:
        raise _nothing("node", NODE_COLUMNS)
    return Inventory(
        name=source.stem,
        nodes=tuple(nodes),
        notes=_node_notes(nodes, _unread(table, NODE_COLUMNS)),
        file=source.file,
    )


def _node(name: str, amounts: tuple[str, str, str], model: str, line: int) -> Node:
    cpu, memory, gpus = amounts
    count = whole(gpus, "gpu", line, most=MAX_DEVICES)
    if count and not model:
        raise InputError(
            f"node {shown(name)} has {counted(count, 'GPU')} of no model",
            remedy="name the model, any name will do",
            line=line,
            field="model",
        )
    device = Device(memory_mib=allocatable_memory_mib(model)) if count else None
    return Node(
        name=name,
        cpu_milli=whole(cpu, "cpu_milli", line, most=MOST_CPU_MILLI),
        memory_mib=whole(memory, "memory_mib", line, most=MOST_MEMORY_MIB),
        devices=(device,) * count if device else (),
        gpu_model=model if count else None,
    )


def _node_notes(nodes: list[Node], unread: tuple[str, ...]) -> tuple[str, ...]:
    unknown = {
        node.gpu_model
        for node in nodes
        if node.gpu_model and any(isinstance(d.memory_mib, Missing) for d in node.devices)
    }
    if not unknown:
        return unread
    note = f"device memory of {listed(unknown)} is unknown: no pod that asks for some goes there"
    return (note, *unread)


def _workload(source: SourceText) -> Workload:
    table = Table(source.text)
    swapped = "; this is a node list: give it as --nodes" if "sn" in table.columns else ""
    table.require(POD_COLUMNS, "a pod list", swapped)
    reader = _PodReader(table)
    lines, pods = [], []
    for line, row in table.rows():
        pods.append(reader.read(row, line))
        lines.append(line)
    if not pods:
        raise _nothing("pod", POD_COLUMNS)
    return Workload(
        name=source.stem,
        pods=tuple(pods),
        notes=reader.notes() + _unread(table, POD_COLUMNS + _READ_IF_PRESENT),
        file=source.file,
        lines=tuple(lines),
    )


class _PodReader:
    """Rows to pods. Shapes are parsed once for each distinct text: 151 times for 8,152 pods."""

    def __init__(self, table: Table) -> None:
        self._names = _Names("name", "pod")
        self._name = table.columns.index("name")
        self._amounts = tuple(table.columns.index(column) for column in POD_COLUMNS[1:])
        self._spec = table.index("gpu_spec")
        self._created = table.index("creation_time")
        self._deleted = table.index("deletion_time")
        self._parsed: dict[tuple[str, ...], _Parsed] = {}
        self._shapes: dict[PodShape, PodShape] = {}
        self._partial_several = 0

    def read(self, row: list[str], line: int) -> TracedPod:
        name = row[self._name].strip()
        self._names.add(name, line)
        parsed = self._parse(row, line)
        self._partial_several += parsed.partial_several
        created = _time(row, self._created, "creation_time", line)
        deleted = _time(row, self._deleted, "deletion_time", line)
        if created is not None and deleted is not None and deleted < created:
            raise InputError(
                f"{deleted} is before creation_time {created}",
                remedy="correct one of them, or leave deletion_time empty",
                line=line,
                field="deletion_time",
            )
        return TracedPod(Pod(name, parsed.shape), created, deleted)

    def notes(self) -> tuple[str, ...]:
        if not self._partial_several:
            return ()
        pods = counted(self._partial_several, "pod asks", "pods ask")
        return (f"{pods} for parts of several GPUs: counted as whole GPUs",)

    def _parse(self, row: list[str], line: int) -> _Parsed:
        cpu, memory, count, milli = self._amounts
        spec = "" if self._spec is None else row[self._spec]
        key = (row[cpu], row[memory], row[count], row[milli], spec)
        parsed = self._parsed.get(key)
        if parsed is None:
            parsed = _parse_shape(key, line)
            shape = self._shapes.setdefault(parsed.shape, parsed.shape)
            self._parsed[key] = parsed = _Parsed(shape, parsed.partial_several)
        return parsed


@dataclass(frozen=True, slots=True)
class _Parsed:
    shape: PodShape
    partial_several: bool
    """It asked for parts of several GPUs, which openb does not have."""


def _parse_shape(cells: tuple[str, ...], line: int) -> _Parsed:
    cpu, memory, count_text, milli_text, spec = cells
    count = whole(count_text, "num_gpu", line, most=MAX_DEVICES)
    milli = _gpu_milli(milli_text, count, line)
    shape = PodShape(
        cpu_milli=whole(cpu, "cpu_milli", line, most=MOST_CPU_MILLI),
        memory_mib=whole(memory, "memory_mib", line, most=MOST_MEMORY_MIB),
        gpu_count=count,
        gpu_milli=milli if count == 1 else WHOLE_GPU_MILLI if count else 0,
        admission=_admission(spec, line) if count else ANYWHERE,
    )
    return _Parsed(shape, count > 1 and 0 < milli < WHOLE_GPU_MILLI)


def _gpu_milli(text: str, count: int, line: int) -> int:
    if count == 1:
        return whole(text, "gpu_milli", line, least=1, most=WHOLE_GPU_MILLI)
    return whole(text, "gpu_milli", line, most=WHOLE_GPU_MILLI * MAX_DEVICES)


def _admission(spec: str, line: int) -> Admission:
    if not spec.strip():
        return ANYWHERE
    models = {model.strip() for model in spec.split("|")}
    if "" in models:
        raise InputError(
            f"{shown(spec)} has an empty model",
            remedy="join the allowed models with single bars, as in T4|P100",
            line=line,
            field="gpu_spec",
        )
    return Admission(gpu_models=tuple(sorted(models)))


def _time(row: list[str], place: int | None, column: str, line: int) -> int | None:
    if place is None or not row[place].strip():
        return None
    return whole(row[place], column, line, most=MOST_TIME_S)


class _Names:
    """Names must be there, be readable, and be unique; the first use is named in the complaint."""

    def __init__(self, column: str, what: str) -> None:
        self._column = column
        self._what = what
        self._lines: dict[str, int] = {}

    def add(self, name: str, line: int) -> None:
        if not name or not name.isprintable():
            raise InputError(
                f"{shown(name)} is not a name",
                remedy=f"give every {self._what} a name",
                line=line,
                field=self._column,
            )
        first = self._lines.setdefault(name, line)
        if first != line:
            raise InputError(
                f"{self._what} {shown(name)} is already on line {first}",
                remedy="rename or remove one of them",
                line=line,
                field=self._column,
            )


def _unread(table: Table, read: tuple[str, ...]) -> tuple[str, ...]:
    unread = [column for column in table.columns if column and column not in read]
    return (f"columns not read: {listed(unread)}",) if unread else ()


def _nothing(what: str, columns: tuple[str, ...]) -> InputError:
    return InputError(
        f"there is no {what} under the header",
        remedy=f"add a row for each {what}: {','.join(columns)}",
        line=1,
    )
