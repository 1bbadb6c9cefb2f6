"""The reason that most nodes give is the one that asking all of them afresh would give.

These tests must not compare phrases with phrases of the same code: they count anew.
"""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_fleet.refusals import Refusal
from scheduler_extender.placement.feasibility import fits, open_list, reasons
from simulations.main_reasons import MainReasons
from tests.fleets import node, shape, view_of
from tests.scheduler_extender.placement.states import State, states


@settings(max_examples=40, deadline=None)
@given(state=states(), moves=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_what_is_remembered_is_true_now(state: State, moves: list[tuple[int, int]]) -> None:
    """Whatever was placed and released between two refusals of a shape."""
    view, known = state.view, MainReasons(state.view)
    for at, (kind, where) in enumerate(moves):
        shape_id, slot = state.ids[kind % len(state.ids)], where % view.slots
        if fits(view, shape_id, np.array([slot]))[0]:
            count = int(view.shapes.gpu_count[shape_id])
            free = [device for _, device in open_list(view, shape_id, slot)]
            view.place(f"new-{at}", shape_id, slot, tuple(free[:count]))
        elif view.pods_on(view.node(slot).name):
            view.release(view.pods_on(view.node(slot).name)[0])
        for each in state.ids:
            counts = np.bincount(reasons(view, each, state.columns))

            assert known.of(each) == Refusal(int(counts.argmax())).phrase


def test_the_majority_is_told() -> None:
    """Two nodes lack CPU, one lacks GPUs: it is CPU that stands in the way."""
    view = view_of([node("a", cpus=1), node("b", cpus=1), node("c", gpus=1)])

    assert MainReasons(view).of(view.intern(shape(cpus=4, gpus=2))) == "not enough free CPU"
