"""One fitted model in one JSON file: what was learned, from which data, by which code, and when.

The file is written beside its place and moved into it. On the way back everything is checked before
anything is believed: the digest of the file's own content, the code's version, the age, and that
the series in hand begins with exactly the data that was learned from.
This module must not fit, and must not fall back to another model: it refuses, the caller decides.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gpu_fleet.errors import InputError

if TYPE_CHECKING:
    from gpu_fleet.forecasts import Fitted, Forecaster
    from gpu_fleet.series import Series

__all__ = ["Freshness", "StoredModel", "digest", "restore", "save"]

FORMAT = 1
REMEDY = "delete the file; the model is then fitted anew"


class StoredModel(msgspec.Struct, frozen=True, kw_only=True):
    """The file, as it is read and written."""

    format: int
    forecaster: str
    code_version: str
    series: str
    steps: int
    """How many steps it was fitted on."""
    data_sha256: str
    """Of these steps."""
    fitted_at_s: float
    """Seconds since 1970 UTC."""
    state: dict[str, object]
    state_sha256: str


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a stored model must match to be believed."""

    code_version: str
    now_s: float
    """Seconds since 1970 UTC."""
    most_age_s: float
    """An older model is stale."""


def digest(series: Series) -> str:
    """Of all that a forecaster can see of a series."""
    seen = hashlib.sha256()
    for part in (series.start_s, series.step_s, series.utc_offset_s, len(series)):
        seen.update(int(part).to_bytes(16, "little", signed=True))
    seen.update(series.values.astype("<f8").tobytes())
    seen.update(series.measured.tobytes())
    return seen.hexdigest()


def save(
    path: Path,
    fitted: Fitted,
    forecaster: Forecaster,
    past: Series,
    *,
    code_version: str,
    now_s: float,
) -> None:
    """Write a model that was fitted on `past`; the file is whole or not there."""
    state = dict(fitted.state())
    model = StoredModel(
        format=FORMAT,
        forecaster=forecaster.name,
        code_version=code_version,
        series=past.name,
        steps=len(past),
        data_sha256=digest(past),
        fitted_at_s=now_s,
        state=state,
        state_sha256=_digest_of(state),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(msgspec.json.encode(model))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def restore(
    path: Path, forecaster: Forecaster, series: Series, fresh: Freshness
) -> tuple[Fitted, StoredModel]:
    """The model in a file, ready to answer from `series`, which may have gone on since.

    Raises InputError that says why a stale, foreign or damaged file is refused.
    """
    model = _read(path)
    problem = _problem(model, forecaster, series, fresh)
    if problem:
        raise InputError(problem, remedy=REMEDY, file=str(path))
    try:
        return forecaster.revive(model.state), model
    except InputError as error:
        raise error.within(str(path)) from error


def _read(path: Path) -> StoredModel:
    try:
        return msgspec.json.decode(path.read_bytes(), type=StoredModel)
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", remedy="give a file", file=str(path)
        ) from error
    except msgspec.MsgspecError as error:
        raise InputError(
            f"is not a stored model ({error})", remedy=REMEDY, file=str(path)
        ) from error


def _problem(model: StoredModel, forecaster: Forecaster, series: Series, fresh: Freshness) -> str:
    """Why a model is not to be believed; empty when it is."""
    age_s = fresh.now_s - model.fitted_at_s
    ours = model.steps <= len(series) and model.data_sha256 == digest(series.upto(model.steps))
    problems = (
        (model.format != FORMAT, f"has format {model.format}, this code reads {FORMAT}"),
        (
            model.state_sha256 != _digest_of(model.state),
            "was changed or damaged since it was written",
        ),
        (
            model.forecaster != forecaster.name,
            f"holds a model of {model.forecaster}, not of {forecaster.name}",
        ),
        (
            model.code_version != fresh.code_version,
            f"was written by version {model.code_version}, this is {fresh.code_version}",
        ),
        (age_s < 0, f"was fitted {-age_s:.0f} s in the future; check the clock"),
        (
            age_s > fresh.most_age_s,
            f"is stale: fitted {age_s:.0f} s ago, {fresh.most_age_s:.0f} s are allowed",
        ),
        (not ours, f"was learned from other data than series {series.name}"),
    )
    return next((text for is_so, text in problems if is_so), "")


def _digest_of(state: dict[str, object]) -> str:
    return hashlib.sha256(msgspec.json.encode(state, order="sorted")).hexdigest()
