"""A reading that is absent says why, and nothing that was not read looks like zero."""

from __future__ import annotations

import pytest

from gpu_fleet.cluster_view import UNKNOWN_MIB
from gpu_fleet.nodes import Device
from gpu_fleet.readings import Missing, Reading
from gpu_fleet.scores import INFEASIBLE
from tests.fleets import node, view_of


def test_a_missing_value_tells_its_reason() -> None:
    """The words are for people; the type is for code."""
    assert str(Missing("probe silent for 30 s")) == "unknown (probe silent for 30 s)"


def test_missing_is_not_a_reading_of_zero() -> None:
    """They are different types and never equal, whatever the value."""
    nothing: object = Missing("not stated")

    assert nothing != Reading(0, at_ns=0)
    assert not isinstance(nothing, Reading)


def test_values_cannot_be_changed() -> None:
    """What was read stays what was read."""
    reading = Reading(5, at_ns=1)

    with pytest.raises(AttributeError):
        reading.value = 6  # type: ignore[misc]


def test_a_device_is_of_unknown_memory_until_somebody_says() -> None:
    """The default is absent, and in a view's columns it is a number that no pod can ask for."""
    view = view_of([node("a", gpus=1)])

    assert isinstance(Device().memory_mib, Missing)
    assert view.gpu_memory_total_mib[0, 0] == UNKNOWN_MIB < 0


def test_infeasible_is_no_score() -> None:
    """It is larger than any loss that can be added up, so that it never wins."""
    assert INFEASIBLE == 2**63 - 1
