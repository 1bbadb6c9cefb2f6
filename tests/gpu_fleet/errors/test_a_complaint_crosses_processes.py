"""A worker process that meets bad input tells the same line as this process would."""

from __future__ import annotations

import pickle

import pytest

from gpu_fleet.errors import InputError, Oversubscribed, SynthscaleError


@pytest.mark.parametrize(
    "error",
    [
        InputError("is odd", remedy="make it even"),
        InputError("is odd", remedy="make it even", file="pods.csv", line=3, field="cpu_milli"),
        Oversubscribed("pod a: not enough CPU on n"),
    ],
    ids=str,
)
def test_an_error_survives_pickling(error: SynthscaleError) -> None:
    """Executors send errors by pickle; one that cannot be read back breaks the whole pool."""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert type(error) is type(copy)
    assert str(error) == str(copy)
    assert vars(error) == vars(copy)
