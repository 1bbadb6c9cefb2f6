"""Measurements that people publish: speed of jobs by GPU model, and latencies by component.

The columns are those of Gavel's throughput table (OSDI 2020) and of the latency samples in
cluster-trace-v2026-GenAI. This module must not turn a measurement into a workload.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gpu_fleet.errors import InputError
from gpu_fleet.words import counted, listed, shown
from simulations.readers.cells import whole
from simulations.readers.decimals import decimal
from simulations.readers.files import read_text
from simulations.readers.table import Table

__all__ = ["Latencies", "Throughputs", "read_latencies", "read_throughputs"]

THROUGHPUT_COLUMNS = ("gpu", "job_type", "scale_factor", "steps_per_s")
LATENCY_COLUMNS = ("component", "value_ms")
BASE, ADAPTER = "base_model_load", "lora_load"
_MOST_STEPS = 1e9
_MOST_MS = 86_400_000.0
"""A day; loading weights for longer is a broken clock."""
_MOST_SCALE = 1 << 20


@dataclass(frozen=True, slots=True)
class Throughputs:
    """Steps a second of one-GPU jobs, by job and GPU model; a model on which it fails is absent."""

    steps_per_s: dict[str, dict[str, float]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds that base weights and adapters took to load, as observed."""

    base_s: tuple[float, ...]
    adapter_s: tuple[float, ...]
    notes: tuple[str, ...] = ()


def read_throughputs(path: Path | str) -> Throughputs:
    """The one-GPU rows of a throughput table; raises `InputError`."""
    source = read_text(Path(path))
    try:
        return _throughputs(Table(source.text))
    except InputError as error:
        raise error.within(source.file) from None


def read_latencies(path: Path | str) -> Latencies:
    """The load times among latency samples; raises `InputError`."""
    source = read_text(Path(path))
    try:
        return _latencies(Table(source.text))
    except InputError as error:
        raise error.within(source.file) from None


def _throughputs(table: Table) -> Throughputs:
    table.require(THROUGHPUT_COLUMNS, "a throughput table", "")
    gpu, job, scale, steps = (table.columns.index(column) for column in THROUGHPUT_COLUMNS)
    spread = table.index("consolidated")
    found: dict[str, dict[str, float]] = {}
    lines: dict[tuple[str, ...], int] = {}
    several = failed = 0
    for line, row in table.rows():
        if whole(row[scale], "scale_factor", line, least=1, most=_MOST_SCALE) > 1:
            several += 1
            continue
        name, model = _word(row[job], "job_type", line), _word(row[gpu], "gpu", line)
        # One GPU is on one server however it is called, so the two rows say the same.
        key = (name, model, row[spread].strip() if spread is not None else "")
        if (first := lines.setdefault(key, line)) != line:
            raise InputError(
                f"{shown(name)} on {shown(model)} is already on line {first}",
                remedy="keep one of them",
                line=line,
                field="job_type",
            )
        speed = decimal(row[steps], "steps_per_s", line, most=_MOST_STEPS)
        if speed > 0:
            found.setdefault(name, {})[model] = speed
        else:
            failed += 1
    if not found:
        raise InputError(
            "no job runs on one GPU",
            remedy="give rows with scale_factor 1 and steps_per_s above 0",
            line=1,
        )
    return Throughputs(found, _throughput_notes(several, failed))


def _throughput_notes(several: int, failed: int) -> tuple[str, ...]:
    notes = []
    if several:
        notes.append(f"{counted(several, 'row')} for several GPUs: not used")
    if failed:
        notes.append(f"{counted(failed, 'row')} with 0 steps a second: the job is kept off there")
    return tuple(notes)


def _latencies(table: Table) -> Latencies:
    table.require(LATENCY_COLUMNS, "a list of latencies", "")
    component, value = (table.columns.index(column) for column in LATENCY_COLUMNS)
    seconds: dict[str, list[float]] = {BASE: [], ADAPTER: []}
    others = set()
    for line, row in table.rows():
        name = _word(row[component], "component", line)
        ms = decimal(row[value], "value_ms", line, most=_MOST_MS)
        if name in seconds:
            seconds[name].append(ms / 1_000)
        else:
            others.add(name)
    if not seconds[BASE]:
        raise InputError(
            f"no row has component {BASE}",
            remedy=f"give load times; {ADAPTER} may be there too",
            line=1,
            field="component",
        )
    notes = (f"latencies not used: {listed(others)}",) if others else ()
    return Latencies(tuple(seconds[BASE]), tuple(seconds[ADAPTER]), notes)


def _word(text: str, column: str, line: int) -> str:
    word = text.strip()
    if not word or not word.isprintable():
        raise InputError(f"{shown(text)} is not a name", remedy="name it", line=line, field=column)
    return word
