"""The forecaster of docs/how-to/add-a-forecaster.md is real: it keeps the contract as it stands.

The page's first block of code is run, and what it defines goes through the checks that its second
block tells the reader to use.
"""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import TYPE_CHECKING, cast

import pytest

from tests.autoscaler.contract.suite import CHECKS, Check, Trial
from tests.house.tree import ROOT

if TYPE_CHECKING:
    from gpu_fleet.forecasts import Forecaster

PAGE = (ROOT / "docs" / "how-to" / "add-a-forecaster.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)


def forecaster_of_the_page() -> Forecaster:
    """What the page's first block of code defines."""
    module = ModuleType("forecaster_of_the_page")
    sys.modules[module.__name__] = module  # where dataclasses look for their annotations
    exec(compile(BLOCKS[0], "add-a-forecaster.md", "exec"), vars(module))  # noqa: S102 - our page
    return cast("Forecaster", vars(module)["HalfwayForecaster"]())


HALFWAY = Trial(forecaster_of_the_page())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_forecaster_of_the_page_keeps_the_contract(check: Check) -> None:
    """What the page shows as an example does what the page says."""
    check(HALFWAY)


def test_the_page_shows_the_suite_as_it_is() -> None:
    """The names that the second block imports are those of the suite."""
    assert "from tests.autoscaler.contract.suite import CHECKS, Check, Trial" in BLOCKS[1]
