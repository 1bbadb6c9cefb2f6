"""Every forecaster in the registry keeps the contract."""

from __future__ import annotations

import pytest

from autoscaler.forecasters.registry import FORECASTERS, forecaster
from tests.autoscaler.contract.suite import CHECKS, Check, Trial

TRIALS = {name: Trial(forecaster(name)) for name in FORECASTERS}


@pytest.mark.parametrize("name", FORECASTERS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_forecaster_keeps_the_contract(name: str, check: Check) -> None:
    """What a check asks of a forecaster is true of each of ours."""
    check(TRIALS[name])


@pytest.mark.parametrize("name", FORECASTERS)
def test_a_forecaster_knows_its_name(name: str) -> None:
    """The name it is asked for by is the name that reports print."""
    assert forecaster(name).name == name
