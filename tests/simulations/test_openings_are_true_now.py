"""What is remembered of the nodes that would take a waiting pod is what asking them all would tell.

And a retry that is not made because nothing is open leaves no trace. These tests must not ask
`Openings` what is true: the rule of feasibility says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler_extender.placement.choice import TieBreak
from scheduler_extender.placement.feasibility import fits, open_list
from simulations.arrivals import TraceArrivals
from simulations.openings import Openings
from simulations.recipes.fleet import fleet
from simulations.recipes.pods import Arrivals, Lifetimes, pods
from simulations.replay import Replay, replay
from tests.scheduler_extender.placement.states import State, states

if TYPE_CHECKING:
    from numpy.typing import NDArray


def asked_afresh(state: State, shape_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Shape by node."""
    return np.array([fits(state.view, int(each), state.columns) for each in shape_ids])


@settings(max_examples=40, deadline=None)
@given(state=states(), moves=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_what_is_open_is_open_now(state: State, moves: list[tuple[int, int]]) -> None:
    """Whatever comes and goes, whoever joins and leaves the line."""
    view, shape_ids = state.view, np.unique(state.ids)
    openings, line = Openings(view), shape_ids[:0]
    for at, (kind, where) in enumerate(moves):
        shape_id, slot = int(shape_ids[kind % len(shape_ids)]), where % view.slots
        if shape_id not in line:
            openings.join(shape_id)
            line = np.union1d(line, [shape_id])
        elif where > 7:
            openings.leave(shape_id)
            line = line[line != shape_id]
        if fits(view, shape_id, np.array([slot]))[0]:
            count = int(view.shapes.gpu_count[shape_id])
            free = [device for _, device in open_list(view, shape_id, slot)]
            view.place(f"new-{at}", shape_id, slot, tuple(free[:count]))
            openings.filled(slot, line)
        elif on := view.pods_on(view.node(slot).name):
            view.release(on[0])
            told = openings.freed(slot, line)

            assert (told == openings.at(slot, line)).all()
        if len(line):
            open_now = asked_afresh(state, line)

            assert (
                open_now == np.array([openings.at(int(s), line) for s in state.columns]).T
            ).all()
            assert [openings.somewhere(int(s)) for s in line] == open_now.any(axis=1).tolist()


@pytest.mark.parametrize("policy", ["least-loss", "random", "best-fit"])
def test_an_attempt_that_is_not_made_leaves_no_trace(
    policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every decision, every draw and every wait is the same as when each retry asks the fleet."""
    asked = pods(300, 7, Arrivals(span_s=3_600), Lifetimes(median_s=600, most_s=7_200))
    spec = Replay(
        fleet(14),
        asked,
        policy,
        42,
        TraceArrivals(load=2.0),
        tie_break=TieBreak.RANDOM,
        keep_log=True,
    )
    known = replay(spec)
    monkeypatch.setattr(Openings, "somewhere", lambda *_: True)
    tried = replay(spec)

    assert known.log == tried.log
    assert known == tried
