"""A model comes back as it was, or is refused in one line that says why.

The forecasters are real ones; only the clock is passed in.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoscaler.forecasters.registry import forecaster
from autoscaler.store.models import Freshness, restore, save
from gpu_fleet.errors import InputError
from gpu_fleet.forecasts import Target
from gpu_fleet.series import Level, Series

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LEVELS = (0.05, 0.5, 0.95)
TARGETS = (Target(1), Target(6), Target(6, peak=True))
FRESH = Freshness(code_version="1.2", now_s=1_000.0, most_age_s=3_600.0)


def demand(days: int) -> Series:
    """A day's wave with a little unevenness, hourly."""
    steps = np.arange(24 * days)
    values = 100.0 + 30.0 * np.sin(steps * 2 * np.pi / 24) + (steps * 7 % 5)
    return Series(
        "demand", "GPUs", Level.POOL, 0, 3_600, values, np.ones(len(values), dtype=np.bool_)
    )


@pytest.mark.parametrize("name", ["last-value", "seasonal-naive", "lightgbm"])
def test_it_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    """Byte for byte the same quantiles, also from later steps of a series that went on."""
    known, later = demand(20), demand(21)
    fitted = forecaster(name).fit(known, TARGETS, LEVELS)
    path = tmp_path / "models" / "demand.json"
    save(path, fitted, forecaster(name), known, code_version="1.2", now_s=900.0)

    revived, told = restore(path, forecaster(name), later, FRESH)

    origins = np.arange(24 * 19, 24 * 21)
    assert fitted.quantiles(later, origins).tobytes() == revived.quantiles(later, origins).tobytes()
    assert (told.steps, told.fitted_at_s) == (480, 900.0)
    assert [one.name for one in path.parent.iterdir()] == ["demand.json"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda found: found | {"format": 2}, "has format 2, this code reads 1"),
        (lambda found: found | {"state": {}}, "was changed or damaged since it was written"),
        (lambda found: found | {"forecaster": "ets"}, "holds a model of ets, not of last-value"),
        (lambda found: found | {"code_version": "1.1"}, "written by version 1.1, this is 1.2"),
        (lambda found: found | {"fitted_at_s": 2_000.0}, "fitted 1000 s in the future"),
        (lambda found: found | {"fitted_at_s": -9_000.0}, "is stale: fitted 10000 s ago, 3600 s"),
        (lambda found: found | {"steps": 10}, "was learned from other data than series demand"),
        (lambda found: found | {"steps": 10_000}, "was learned from other data"),
        (lambda found: found | {"steps": "many"}, "is not a stored model"),
        (lambda _: [], "is not a stored model"),
    ],
)
def test_what_cannot_be_believed_is_refused(
    spoil: Callable[[dict[str, object]], object], said: str, tmp_path: Path
) -> None:
    """One line: the file, what is wrong with it, and what to do."""
    naive, path = forecaster("last-value"), tmp_path / "demand.json"
    save(path, naive.fit(demand(5), TARGETS, LEVELS), naive, demand(5), code_version="1.2", now_s=9)
    path.write_text(json.dumps(spoil(json.loads(path.read_text()))))

    with pytest.raises(InputError) as refused:
        restore(path, naive, demand(5), FRESH)

    assert said in str(refused.value)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_data_that_was_repaired_otherwise_is_other_data(tmp_path: Path) -> None:
    """A stand-in that was a measured value then is a difference, even where the number is equal."""
    naive, path, known = forecaster("last-value"), tmp_path / "demand.json", demand(5)
    save(path, naive.fit(known, TARGETS, LEVELS), naive, known, code_version="1.2", now_s=9)
    measured = known.measured.copy()
    measured[3] = False

    with pytest.raises(InputError, match="other data"):
        restore(path, naive, replace(known, measured=measured), FRESH)
