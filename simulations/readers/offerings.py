"""Price lists: what kinds of node can be bought, and for how much an hour.

Two forms are read. Ours is made to be written by hand:
`name,cpu_milli,memory_mib,gpu,model,cost_per_hour` and, where wanted, `limit` and `gpu_memory_mib`.
The other is the table that clouds' prices are usually kept in: `instance_type` (or `vm_size`, or
`machine_type`), `vcpu`, `memory_gib`, `gpu_name`, `gpu_count`, `gpu_mem_gib`, `od_usd_h`, with a
`region` where it lists several. This module must not read files or convert currencies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gpu_fleet.accelerators import allocatable_memory_mib
from gpu_fleet.errors import InputError
from gpu_fleet.nodes import MAX_DEVICES, MOST_CPU_MILLI, MOST_MEMORY_MIB, Device
from gpu_fleet.pools import Offering
from gpu_fleet.readings import Missing
from gpu_fleet.words import counted, did_you_mean, listed, shown
from scheduler_extender.objects.tally import Tally
from simulations.capacity.market import PriceList
from simulations.readers.cells import whole
from simulations.readers.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.readers.files import SourceText

__all__ = ["CLOUD_COLUMNS", "OFFERING_COLUMNS", "Selection", "price_list"]

OFFERING_COLUMNS = ("name", "cpu_milli", "memory_mib", "gpu", "model", "cost_per_hour")
CLOUD_COLUMNS = ("vcpu", "memory_gib", "gpu_name", "gpu_count", "od_usd_h")
CLOUD_NAMES = ("instance_type", "vm_size", "machine_type")
_OURS_IF_PRESENT = ("limit", "gpu_memory_mib")
_CLOUDS_IF_PRESENT = ("gpu_mem_gib", "region", "limit", "arch")

_MIB_PER_GIB = 1_024
_MOST_NODES = 1_000_000
_MOST_COST = 1_000_000
"""An hour of one node; a price beyond it is a price for a year, or in another unit."""
_NUMBER = re.compile(r"\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
_MOST_CHARACTERS = 40
_ASSUMED = "nodes offer all that the price list says: nothing is set aside for the system"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows are meant."""

    region: str | None = None
    names: tuple[str, ...] = ()
    """Patterns as in `g5.*`; empty means all."""

    def takes(self, name: str) -> bool:
        """Whether an offering of this name is meant."""
        return not self.names or any(fnmatchcase(name, pattern) for pattern in self.names)


def price_list(source: SourceText, selection: Selection | None = None) -> PriceList:
    """The offerings that are meant, in file order; raises `InputError`."""
    try:
        return _price_list(source, selection or Selection())
    except InputError as error:
        raise error.within(source.file) from None


def _price_list(source: SourceText, selection: Selection) -> PriceList:
    table = Table(source.text)
    name = next((column for column in CLOUD_NAMES if column in table.columns), None)
    reader: _Reader = _Ours(table) if name is None else _Cloud(table, name, selection.region)
    if selection.region is not None and table.index("region") is None:
        raise InputError(
            "the price list has no column region", remedy="leave the flag out", field="--region"
        )
    offerings: dict[str, tuple[Offering, int]] = {}
    for line, row in table.rows():
        offering = reader.read(row, line) if selection.takes(reader.name(row)) else None
        if offering is None:
            continue
        _check_name(offering.name, line, reader.name_column, offerings)
        offerings[offering.name] = (offering, line)
    if not offerings:
        raise _nothing(reader, selection)
    found = tuple(offering for offering, _ in offerings.values())
    notes = (_ASSUMED, *_memory_notes(found), *reader.notes(), *reader.unread())
    return PriceList(source.stem, found, notes, source.file)


class _Reader:
    """What both forms share: cells by column."""

    wanted: tuple[str, ...]
    if_present: tuple[str, ...]
    name_column: str

    def __init__(self, table: Table, hint: str) -> None:
        table.require((self.name_column, *self.wanted), "a price list", hint)
        self._table = table
        self._tally = Tally("offering")

    def name(self, row: Sequence[str]) -> str:
        return self._cell(row, self.name_column)

    def read(self, row: Sequence[str], line: int) -> Offering | None:
        raise NotImplementedError

    def notes(self) -> tuple[str, ...]:
        return self._tally.notes()

    def unread(self) -> tuple[str, ...]:
        read = {self.name_column, *self.wanted, *self.if_present}
        unread = [column for column in self._table.columns if column and column not in read]
        return (f"price list columns not read: {listed(unread)}",) if unread else ()

    def _cell(self, row: Sequence[str], column: str) -> str:
        place = self._table.index(column)
        return "" if place is None else row[place].strip()

    def _limit(self, row: Sequence[str], line: int) -> int | None:
        text = self._cell(row, "limit")
        return whole(text, "limit", line, most=_MOST_NODES) if text else None

    def _model(self, row: Sequence[str], column: str, gpus: int, line: int) -> str | None:
        model = self._cell(row, column)
        if not gpus:
            return None
        if not model or not model.isprintable():
            raise InputError(
                f"{counted(gpus, 'GPU')} of no model",
                remedy="name the model as pods do",
                line=line,
                field=column,
            )
        return model


class _Ours(_Reader):
    wanted = OFFERING_COLUMNS[1:]
    if_present = _OURS_IF_PRESENT
    name_column = OFFERING_COLUMNS[0]

    def __init__(self, table: Table) -> None:
        clouds = f"{'|'.join(CLOUD_NAMES)},{','.join(CLOUD_COLUMNS)}"
        super().__init__(table, f", or {clouds}")

    def read(self, row: Sequence[str], line: int) -> Offering:
        gpus = whole(self._cell(row, "gpu"), "gpu", line, most=MAX_DEVICES)
        model = self._model(row, "model", gpus, line)
        cpu, memory = self._cell(row, "cpu_milli"), self._cell(row, "memory_mib")
        device = self._cell(row, "gpu_memory_mib")
        known = (
            whole(device, "gpu_memory_mib", line, least=1, most=MOST_MEMORY_MIB) if device else None
        )
        return Offering(
            name=self.name(row),
            cpu_milli=whole(cpu, "cpu_milli", line, most=MOST_CPU_MILLI),
            memory_mib=whole(memory, "memory_mib", line, most=MOST_MEMORY_MIB),
            devices=_devices(gpus, model, known),
            gpu_model=model,
            cost_per_hour=float(
                _decimal(self._cell(row, "cost_per_hour"), "cost_per_hour", line, _MOST_COST)
            ),
            limit=self._limit(row, line),
        )


class _Cloud(_Reader):
    wanted = CLOUD_COLUMNS
    if_present = _CLOUDS_IF_PRESENT

    def __init__(self, table: Table, name_column: str, region: str | None) -> None:
        self.name_column = name_column
        super().__init__(table, "")
        self._region = region
        self._regions: dict[str, None] = {}

    def read(self, row: Sequence[str], line: int) -> Offering | None:
        if not self._is_here(row, line):
            return None
        price = self._cell(row, "od_usd_h")
        self._tally.add("has no price: left out", "have no price: left out", when=not price)
        if not price:
            return None
        gpus = whole(self._cell(row, "gpu_count") or "0", "gpu_count", line, most=MAX_DEVICES)
        model = self._model(row, "gpu_name", gpus, line)
        device = self._cell(row, "gpu_mem_gib")
        is_arm = self._cell(row, "arch").startswith("arm")
        self._tally.add(
            "is arm64: its images must be, too", "are arm64: their images must be, too", when=is_arm
        )
        return Offering(
            name=self.name(row),
            cpu_milli=self._scaled(row, "vcpu", line, 1_000, MOST_CPU_MILLI),
            memory_mib=self._scaled(row, "memory_gib", line, _MIB_PER_GIB, MOST_MEMORY_MIB),
            devices=_devices(
                gpus,
                model,
                self._scaled(row, "gpu_mem_gib", line, _MIB_PER_GIB, MOST_MEMORY_MIB)
                if device
                else None,
            ),
            gpu_model=model,
            cost_per_hour=float(_decimal(price, "od_usd_h", line, _MOST_COST)),
            limit=self._limit(row, line),
        )

    def _is_here(self, row: Sequence[str], line: int) -> bool:
        region = self._cell(row, "region")
        self._regions[region] = None
        if self._region is not None:
            return region == self._region
        if len(self._regions) > 1:
            # Prices differ between regions, so one is not as good as another.
            raise InputError(
                f"the price list has several regions ({listed(self._all_regions())})",
                remedy="choose one with --region",
                line=line,
                field="region",
            )
        return True

    def _all_regions(self) -> list[str]:
        place = self._table.index("region")
        rest = [] if place is None else [row[place].strip() for _, row in self._table.rows()]
        return [*dict.fromkeys((*self._regions, *rest))]

    def regions(self) -> tuple[str, ...]:
        """Those seen so far."""
        return tuple(self._regions)

    def _scaled(self, row: Sequence[str], column: str, line: int, units: int, most: int) -> int:
        """Whole units of what a decimal cell says, rounded down as allocatable amounts are."""
        return int(_decimal(self._cell(row, column), column, line, most // units) * units)


def _devices(gpus: int, model: str | None, known_mib: int | None) -> tuple[Device, ...]:
    if not gpus or model is None:
        return ()
    memory = allocatable_memory_mib(model) if known_mib is None else known_mib
    return (Device(memory_mib=memory),) * gpus


def _decimal(text: str, column: str, line: int, most: int) -> Decimal:
    remedy = f"give a number from 0 to {most}"
    if not text:
        raise InputError("is empty", remedy=remedy, line=line, field=column)
    if len(text) > _MOST_CHARACTERS or not _NUMBER.fullmatch(text):
        raise InputError(f"{shown(text)} is not possible", remedy=remedy, line=line, field=column)
    number = Decimal(text)
    if number > most:
        raise InputError(f"{shown(text)} is not possible", remedy=remedy, line=line, field=column)
    return number


def _check_name(name: str, line: int, column: str, known: dict[str, tuple[Offering, int]]) -> None:
    if not name or not name.isprintable():
        raise InputError(
            f"{shown(name)} is not a name",
            remedy="give every offering a name",
            line=line,
            field=column,
        )
    if name in known:
        raise InputError(
            f"offering {shown(name)} is already on line {known[name][1]}",
            remedy="rename or remove one of them",
            line=line,
            field=column,
        )


def _memory_notes(offerings: Sequence[Offering]) -> tuple[str, ...]:
    unknown = {
        offering.gpu_model
        for offering in offerings
        if offering.gpu_model and any(isinstance(d.memory_mib, Missing) for d in offering.devices)
    }
    if not unknown:
        return ()
    what = f"device memory of {listed(unknown)} is unknown"
    return (f"{what}: pods that ask for device memory do not go there",)


def _nothing(reader: _Reader, selection: Selection) -> InputError:
    regions = reader.regions() if isinstance(reader, _Cloud) else ()
    if selection.region is not None and selection.region not in regions and regions:
        return InputError(
            f"no offering is in {shown(selection.region)}",
            remedy=f"use one of {listed(regions)}{did_you_mean(selection.region, regions)}",
            field="--region",
        )
    if selection.names:
        return InputError(
            f"no offering has a name like {shown(','.join(selection.names))}",
            remedy="give names as they are in the price list, * stands for any characters",
            field="--only",
        )
    return InputError(
        "there is no offering under the header",
        remedy=f"add a row for each kind of node: {','.join((reader.name_column, *reader.wanted))}",
        line=1,
    )
