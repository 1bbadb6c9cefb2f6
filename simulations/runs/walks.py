"""Walks of forecasters through history: the part of a backtest that takes time, and is kept.

Each walk of one model through one series is a task of its own. With a folder, a finished walk is
written there and found again, so that a run that was interrupted goes on where it was; a file that
is of other data, other settings or other code, or no walk at all, is said and not believed. Nothing
is unpickled. This module must not look at what a forecaster told.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import time
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

import autoscaler
from autoscaler.backtest.walk import Told, walk
from autoscaler.forecasters.registry import forecaster
from autoscaler.store.models import digest
from gpu_fleet.errors import InputError
from gpu_fleet.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoscaler.backtest.walk import WalkPlan
    from gpu_fleet.forecasts import Target
    from gpu_fleet.series import Series

__all__ = ["Kept", "WalkTask", "checked_folder", "kept_in_words", "take"]

_LIBRARIES = ("lightgbm", "numpy", "scipy", "statsmodels", "synthscale")
_CODE = ("autoscaler/forecasters", "autoscaler/backtest")
_SPARE_BYTES = 1 << 20
"""What a file may be larger than its answers."""
_UNREADABLE = (
    EOFError,
    KeyError,
    MemoryError,
    OSError,
    RuntimeError,  # a zip that is encrypted, or packed in a way that is not known
    TypeError,
    ValueError,
    msgspec.MsgspecError,
    zipfile.BadZipFile,
    zlib.error,
)
"""All that reading a file of anybody's making may end in."""


@dataclass(frozen=True, slots=True)
class WalkTask:
    """One model that walks through one series."""

    series: Series
    model: str
    targets: tuple[Target, ...]
    levels: tuple[float, ...]
    plan: WalkPlan
    folder: Path | None = None

    @property
    def key(self) -> str:
        """Of all that decides the answers: data, settings and code."""
        asked = [(target.ahead, target.peak) for target in self.targets]
        parts = (
            digest(self.series),
            self.model,
            asked,
            self.levels,
            (self.plan.first, self.plan.end, self.plan.refits),
            code_version(),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @property
    def file(self) -> Path | None:
        """Where it is kept."""
        if self.folder is None:
            return None
        # Names that differ only in what a file name cannot hold stay apart by their digest.
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", self.series.name)[:60]
        apart = hashlib.sha256(self.series.name.encode()).hexdigest()[:8]
        return self.folder / f"{plain}-{apart}-{self.model}.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A walk, and whether it was found or had to be taken."""

    told: Told
    was_found: bool = False
    refused: str = ""
    """Why a file was not believed."""


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is beside the answers in a file."""

    key: str
    name: str
    fit_s: float
    predict_ms: float
    refusal: str


class _NotBelievedError(Exception):
    """A file that is not what this task would have written."""


def checked_folder(path: str | None) -> Path | None:
    """The folder of `--resume`; raises `InputError` where it cannot be one."""
    if path is None:
        return None
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{path} cannot be a folder ({error.strerror})",
            remedy="name a folder that can be written",
            field="--resume",
        ) from error
    if not os.access(folder, os.W_OK):
        raise InputError(
            f"cannot write into {path}", remedy="name a folder that you may write", field="--resume"
        )
    return folder


def take(task: WalkTask) -> Kept:
    """What the model told: out of its file where there is a sound one, else by walking."""
    refused = ""
    if task.file is not None and task.file.exists():
        try:
            return Kept(_read(task.file, task), was_found=True)
        except _NotBelievedError as reason:
            refused = f"{task.file.name} {reason}"
    told = _walked(task)
    if task.file is not None:
        _write(task.file, told, task.key)
    return Kept(told, refused=refused)


def _walked(task: WalkTask) -> Told:
    try:
        return walk(
            task.series,
            # One thread each: walks share the cores by --workers, and threads of one model that
            # wait for each other on a busy machine take many times as long.
            forecaster(task.model),
            task.targets,
            task.levels,
            task.plan,
            time.perf_counter,
        )
    except ModuleNotFoundError as error:
        raise InputError(
            f"{task.model} needs the package {error.name}, which is not installed",
            remedy="pip install 'synthscale[forecast]', or name other models",
            field="--models",
        ) from error


def kept_in_words(kept: Sequence[Kept]) -> tuple[str, ...]:
    """How much was found, and what was not believed."""
    found = sum(one.was_found for one in kept)
    first = (f"{counted(found, 'walk')} of {len(kept)} found again",) if found else ()
    return first + tuple(f"{one.refused}; taken anew" for one in kept if one.refused)


@cache
def code_version() -> str:
    """Of the forecasters' code and the libraries that they compute with."""
    seen = hashlib.sha256()
    root = Path(autoscaler.__file__).parents[1]
    for place in _CODE:
        for path in sorted((root / place).glob("*.py")):
            seen.update(path.name.encode())
            seen.update(path.read_bytes())
    for library in _LIBRARIES:
        seen.update(f"{library} {_version(library)}".encode())
    return seen.hexdigest()


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "absent"


def _write(path: Path, told: Told, key: str) -> None:
    """In one move: a file is whole or not there."""
    header = _Header(key, told.name, told.fit_s, told.predict_ms, told.refusal)
    content = io.BytesIO()
    np.savez(
        content, header=np.frombuffer(msgspec.json.encode(header), dtype=np.uint8), raw=told.raw
    )
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content.getbuffer())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _read(path: Path, task: WalkTask) -> Told:
    shape = (task.plan.end - task.plan.first, len(task.targets), len(task.levels))
    try:
        _refuse_large(path, 8 * shape[0] * shape[1] * shape[2] + _SPARE_BYTES)
        with np.load(path, allow_pickle=False) as file:
            header = msgspec.json.decode(file["header"].tobytes(), type=_Header)
            if header.key != task.key or header.name != task.model:
                raise _NotBelievedError("is of other data, settings or code")
            raw = file["raw"]
    except _UNREADABLE as error:
        raise _NotBelievedError("is no walk of ours") from error
    if raw.shape != shape or raw.dtype != np.float64:
        raise _NotBelievedError("is no walk of ours")
    return Told(header.name, raw, header.fit_s, header.predict_ms, header.refusal)


def _refuse_large(path: Path, most_bytes: int) -> None:
    """A few kilobytes that unpack to more than all memory are no walk."""
    with zipfile.ZipFile(path) as packed:
        if sum(part.file_size for part in packed.infolist()) > most_bytes:
            raise _NotBelievedError("is of other data, settings or code")
