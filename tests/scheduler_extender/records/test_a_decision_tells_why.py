"""A decision's record names the winner, its terms, why the others lost, and what was known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.refusals import Refusal
from scheduler_extender.answers import Entry
from scheduler_extender.explain import DecisionRecord, RecordStore
from scheduler_extender.extender import Extender, ExtenderSettings
from scheduler_extender.objects.observed import ObservedPod
from scheduler_extender.placement.best_fit import BestFit
from scheduler_extender.placement.fgd import Fgd
from scheduler_extender.placement.least_loss import LeastLoss
from scheduler_extender.placement.pod_mix import PodMix
from scheduler_extender.regret import regrets
from scheduler_extender.term_budget import TermBudget
from scheduler_extender.wire import encode_record
from tests.fleets import node, shape, view_of
from tests.scheduler_extender.calls import gpu_node

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView

MIX = PodMix.of([shape(gpus=1, milli=300), shape(gpus=1, milli=500), shape(gpus=2)])
SHARE = ObservedPod("uid-p", "ml/p", 1, shape(gpus=1, milli=300))


def extender_with(**rest: object) -> Extender:
    """An extender over three nodes; `rest` are parameters of it."""
    policy = LeastLoss(MIX, kernels=False)
    made = Extender(policy, ExtenderSettings(regret_every=1), mix="tests", **rest)  # type: ignore[arg-type]
    made.vouch(0)
    for name in ("n0", "n1", "n2"):
        made.ledger.node_seen(gpu_node(name, gpus=2))
    return made


def test_the_record_of_a_placed_pod_has_its_winner_and_terms() -> None:
    """It is complete once the answer is sent, and counts the pod where it was counted."""
    extender = extender_with(others=(BestFit(), Fgd(MIX, kernels=False)))
    asked = extender.look_up(("n0", "n1", "n2"))
    extender.filter(Entry.GUARD, SHARE, asked, 5)
    answer = extender.prioritize(Entry.GUARD, SHARE, asked, 5)
    held = extender.ledger.view.placement(SHARE.uid)
    record = extender.explain_next()

    assert record is not None
    assert asked.names[answer.best or 0] == record.winner
    assert held == extender.ledger.view.placement(SHARE.uid)
    assert record is extender.records.named("ml/p")
    assert (
        record.line()[:42], "reserve" in record.line(),
    ) == ("3 of 3 nodes can take it; best is GPU 0 of", True)  # fmt: skip
    assert [one.policy for one in record.regrets] == ["best-fit", "fgd"]
    assert all(one.gpu_seconds >= 0 for one in record.regrets)
    assert extender.explain_next() is None


def test_the_record_of_a_refused_pod_is_one_line_that_never_varies() -> None:
    """Counts by reason, the same words each time; the record counts how often."""
    extender = extender_with()
    huge = ObservedPod("uid-h", "ml/h", 1, shape(gpus=2, gpu_memory_mib=99_000))
    asked = extender.look_up(("n0", "n1", "n2"))
    lines = []
    for at in range(3):
        extender.filter(Entry.GUARD, huge, asked, at)
        record = extender.records.of("uid-h")
        lines.append("" if record is None else f"{record.line()} x{record.times}")

    said = f"0 of 3 nodes can take it: 3 {Refusal.GPU_MEMORY.phrase}"
    assert [f"{said} x1", f"{said} x2", f"{said} x3"] == lines
    assert extender.counts.repeated == 2


def test_a_record_is_json_with_words_and_seconds() -> None:
    """What `GET /explain` returns."""
    extender = extender_with()
    asked = extender.look_up(("n0", "gone"))
    extender.filter(Entry.GUARD, SHARE, asked, 7)
    extender.prioritize(Entry.GUARD, SHARE, extender.look_up(("n0",)), 7)
    record = extender.explain_next()
    told = json.loads(encode_record(record)) if record else {}

    assert (
        told["pod"], told["winner"], told["asked"], told["whyNot"],
    ) == ("ml/p", "n0", 2, {"node is not in the view": 1})  # fmt: skip
    assert {"stranding", "reserve"} <= {term["name"] for term in told["nodes"][0]["terms"]}


def test_only_so_many_records_are_kept() -> None:
    """The oldest go first, by uid and by name."""
    store = RecordStore(most=2)
    for at in range(3):
        store.keep(
            DecisionRecord(f"ml/{at}", f"u{at}", "guard", at, "", "", "", 0, 0, asked=1, kept=1)
        )

    assert len(store) == 2
    assert (store.of("u0"), store.named("ml/0")) == (None, None)
    assert getattr(store.named("ml/2"), "uid", None) == "u2"


def test_regret_is_what_the_other_choice_loses_by_our_own_currency() -> None:
    """Never below 0, and 0 where the choice is the same."""
    view: ClusterView = view_of([node(f"n{at}", cpus=8 * (at + 1)) for at in range(4)])
    view.place("other", view.intern(shape(cpus=2, gpus=1, milli=700)), 2, (0,))
    shape_id = view.intern(shape(gpus=1, milli=300))
    ours = LeastLoss(MIX, kernels=False)
    found = regrets(view, shape_id, np.arange(4), ours, (BestFit(), ours))

    assert [one.gpu_seconds >= 0 for one in found] == [True, True]
    assert (
        found[1].same_node, found[1].gpu_seconds, found[1].stranded_gpu_seconds,
    ) == (True, 0.0, 0.0)  # fmt: skip
    assert regrets(view, view.intern(shape(gpus=9)), np.arange(4), ours, (BestFit(),)) == ()


class _Slow:
    """A term that takes a second of the clock it is given."""

    name = "locality"

    def __init__(self) -> None:
        self.now_ns = 0

    def applies(self, view: ClusterView, shape_id: int) -> bool:  # noqa: ARG002 - the seam
        """Always."""
        return True

    def losses(
        self,
        view: ClusterView,
        shape_id: int,  # noqa: ARG002 - the seam
        columns: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """A loss that would decide."""
        self.now_ns += 1_000_000_000
        return np.asarray(view.order_key[columns] & 1 << 50)

    def why(self, view: ClusterView, shape_id: int, slot: int) -> str:  # noqa: ARG002 - the seam
        """No reason."""
        return "for nothing"


def test_a_term_over_its_budget_is_left_out_of_that_call_and_counted() -> None:
    """For all nodes alike, and it is asked again in the next call."""
    slow = _Slow()
    policy, plain = LeastLoss(MIX, kernels=False), LeastLoss(MIX, kernels=False)
    policy.terms = (*policy.terms, slow)
    budget = TermBudget(lambda: slow.now_ns, budget_ns=2_000_000)
    budget.watch(policy)
    extender = Extender(policy, budget=budget)
    extender.vouch(0)
    for name in ("n0", "n1", "n2"):
        extender.ledger.node_seen(gpu_node(name, gpus=2))
    asked = extender.look_up(("n0", "n1", "n2"))
    shape_id = extender.ledger.view.intern(SHARE.shape)  # type: ignore[arg-type]
    totals = extender._totals_of(shape_id, asked).tolist()
    left_out = dict(budget.left_out)
    extender._totals_of(shape_id, asked)

    assert plain.totals(extender.ledger.view, shape_id, np.arange(3)).tolist() == totals
    assert left_out == {"locality": 1}
    assert dict(budget.left_out) == {"locality": 2}
