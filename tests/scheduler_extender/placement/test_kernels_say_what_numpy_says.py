"""A kernel has three forms that must agree to the last bit: numpy, compiled, and plain Python.

The source of a kernel is Python; run as such it is what NUMBA_DISABLE_JIT=1 runs, and an oracle
that no compiler has touched. These tests must not allow a tolerance.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from gpu_fleet import compiled
from gpu_fleet.compiled import Kernel
from scheduler_extender.placement import fgd, kernels, least_loss
from scheduler_extender.placement.feasibility import fits
from tests.baselines import fgd_s
from tests.scheduler_extender.placement.states import (
    WITH_KERNELS,
    State,
    agents_at_work,
    build,
    states,
)

if TYPE_CHECKING:
    from gpu_fleet.protocols import PlacementPolicy

EACH = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
KERNELS = {
    "least-loss": (least_loss, "least_loss_totals"),
    "fgd": (fgd, "fgd_totals"),
    "fgd-s": (fgd_s, "fgd_s_totals"),
}


def as_python(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a policy's kernel run as the Python that it is written in."""
    module, kernel = KERNELS[name]
    plain = Kernel(getattr(module, kernel).source)
    plain._compiled = plain.source
    monkeypatch.setattr(module, kernel, plain)


def answers(policy: PlacementPolicy, state: State) -> list[object]:
    """All totals, and the devices on every node that fits."""
    view = state.view
    told: list[object] = []
    for shape_id in state.ids:
        told.append(policy.totals(view, shape_id, state.columns).tolist())
        told += [
            policy.devices(view, shape_id, slot, 7)
            for slot in np.flatnonzero(fits(view, shape_id, state.columns)).tolist()
        ]
    return told


@pytest.mark.parametrize("name", WITH_KERNELS)
@EACH
@given(state=states())
def test_three_forms_agree_on_any_state(name: str, state: State) -> None:
    """Numpy = plain Python = compiled, for totals and for devices."""
    numpy_says = answers(build(name, state.mix, kernels=False), state)
    with pytest.MonkeyPatch.context() as monkeypatch:
        as_python(name, monkeypatch)

        assert numpy_says == answers(build(name, state.mix, kernels=True), state)
    if compiled.is_available():
        assert numpy_says == answers(build(name, state.mix, kernels=True), state)


@pytest.mark.skipif(not compiled.is_available(), reason="needs the extra fast")
def test_terms_outside_the_kernel_are_added_to_it() -> None:
    """Agents, data and prices come on top of the compiled part, with the same sum."""
    state, fast = agents_at_work()
    _, slow = agents_at_work()
    slow._compiled = False

    assert fast._compiled
    assert answers(slow, state) == answers(fast, state)


def test_every_kernel_is_compared() -> None:
    """A kernel that nobody compares with its numpy form is a rule of its own."""
    shipped = {name for name, each in vars(kernels).items() if isinstance(each, Kernel)}

    assert shipped <= {kernel for _, kernel in KERNELS.values()}


def test_a_kernel_is_compiled_at_its_first_call_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marking a function costs nothing, and what was compiled is kept."""
    asked: list[str] = []

    def compile_(source: object) -> object:
        asked.append("compile")
        return source

    monkeypatch.setattr(compiled, "_compile", compile_)
    twice = compiled.kernel(lambda number: 2 * number)

    assert asked == []
    assert twice(4) == 8
    assert twice.compiled(5) == 10
    assert asked == ["compile"]


def test_a_place_that_cannot_be_written_costs_only_the_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a read-only file system numba finds no place for its cache; it compiles without one."""
    options: list[dict[str, object]] = []

    class Numba:
        @staticmethod
        def njit(**chosen: object) -> object:
            options.append(chosen)
            if chosen.get("cache"):
                raise RuntimeError("cannot cache function: no locator available")
            return lambda source: source

    monkeypatch.setitem(sys.modules, "numba", Numba)
    twice = compiled.kernel(lambda number: 2 * number)

    assert twice(4) == 8
    assert [bool(chosen.get("cache")) for chosen in options] == [True, False]
