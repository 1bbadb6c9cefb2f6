"""Selectors, affinity, taints and cordons mean what the Kubernetes documentation says they mean.

One row for each sentence of assign-pod-node and taint-and-toleration that we rely on. The checker's
own reading of the same pages must agree on every row. These tests must not look at amounts.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings

from gpu_fleet.admission import Admission, Requirement, SelectorTerm, Toleration, refusal
from gpu_fleet.nodes import Node, Taint
from gpu_fleet.refusals import Refusal
from simulations.checker.admitted import obstacle
from tests.fleets import admissions, nodes

LABELLED = {"zone": "east", "cores": "64", "empty": ""}


def of(*lines: Requirement) -> Admission:
    """Required affinity with one term."""
    return Admission(affinity=(SelectorTerm(labels=lines),))


def bears(*tolerations: Toleration) -> Admission:
    """A pod with these tolerations."""
    return Admission(tolerations=tolerations)


def machine(*taints: Taint, cordoned: bool = False) -> Node:
    """A labelled node of model A."""
    return Node("n", 1_000, 1_024, gpu_model="A", labels=LABELLED, taints=taints, cordoned=cordoned)


PLAIN = machine()
KEEP_OUT = Taint("gpu", "yes", "NoSchedule")
NO_EXECUTE = Taint("gpu", "yes", "NoExecute")


@dataclass(frozen=True)
class Row:
    """A sentence of the documentation, as a node, a rule and the answer."""

    rule: Admission
    expected: Refusal
    node: Node = PLAIN


YES, SELECTOR, TAINT = Refusal.NONE, Refusal.NODE_SELECTOR, Refusal.TAINT

ROWS: dict[str, Row] = {
    "no rule goes anywhere": Row(Admission(), YES),
    # nodeSelector
    "all selector labels must be there": Row(
        Admission(node_selector=(("zone", "east"), ("cores", "64"))), YES
    ),
    "one selector label that differs is enough": Row(
        Admission(node_selector=(("zone", "east"), ("cores", "32"))), SELECTOR
    ),
    "a selector label that is missing does not match": Row(
        Admission(node_selector=(("disk", "ssd"),)), SELECTOR
    ),
    "an empty label value is a value": Row(Admission(node_selector=(("empty", ""),)), YES),
    "a missing label is not an empty one": Row(Admission(node_selector=(("disk", ""),)), SELECTOR),
    # required node affinity
    "In: one of the values": Row(of(Requirement("zone", "In", ("west", "east"))), YES),
    "In: none of the values": Row(of(Requirement("zone", "In", ("west",))), SELECTOR),
    "In: a missing label": Row(of(Requirement("disk", "In", ("ssd",))), SELECTOR),
    "NotIn: none of the values": Row(of(Requirement("zone", "NotIn", ("west",))), YES),
    "NotIn: one of the values": Row(of(Requirement("zone", "NotIn", ("east",))), SELECTOR),
    "NotIn: a missing label is not in": Row(of(Requirement("disk", "NotIn", ("ssd",))), YES),
    "Exists: it does": Row(of(Requirement("zone", "Exists")), YES),
    "Exists: also with an empty value": Row(of(Requirement("empty", "Exists")), YES),
    "Exists: it does not": Row(of(Requirement("disk", "Exists")), SELECTOR),
    "DoesNotExist: it does not": Row(of(Requirement("disk", "DoesNotExist")), YES),
    "DoesNotExist: it does": Row(of(Requirement("zone", "DoesNotExist")), SELECTOR),
    "Gt: larger as a whole number": Row(of(Requirement("cores", "Gt", ("9",))), YES),
    "Gt: equal is not larger": Row(of(Requirement("cores", "Gt", ("64",))), SELECTOR),
    "Gt: a label that is no number": Row(of(Requirement("zone", "Gt", ("9",))), SELECTOR),
    "Gt: a missing label": Row(of(Requirement("disk", "Gt", ("9",))), SELECTOR),
    "Lt: smaller as a whole number": Row(of(Requirement("cores", "Lt", ("100",))), YES),
    "Lt: a bound that is no number": Row(of(Requirement("cores", "Lt", ("many",))), SELECTOR),
    "Lt: no bound at all": Row(of(Requirement("cores", "Lt")), SELECTOR),
    "an operator nobody knows matches nothing": Row(
        of(Requirement("zone", "Near", ("east",))), SELECTOR
    ),
    "lines of a term are joined by and": Row(
        of(Requirement("zone", "Exists"), Requirement("disk", "Exists")), SELECTOR
    ),
    "terms are joined by or": Row(
        Admission(
            affinity=(
                SelectorTerm(labels=(Requirement("disk", "Exists"),)),
                SelectorTerm(labels=(Requirement("zone", "Exists"),)),
            )
        ),
        YES,
    ),
    "an empty term matches nothing": Row(Admission(affinity=(SelectorTerm(),)), SELECTOR),
    "a field matches the node's name": Row(
        Admission(affinity=(SelectorTerm(fields=(Requirement("metadata.name", "In", ("n",)),)),)),
        YES,
    ),
    "a field that is not the name matches nothing": Row(
        Admission(affinity=(SelectorTerm(fields=(Requirement("spec.x", "In", ("n",)),)),)),
        SELECTOR,
    ),
    "labels and fields of a term must both hold": Row(
        Admission(
            affinity=(
                SelectorTerm(
                    labels=(Requirement("disk", "Exists"),),
                    fields=(Requirement("metadata.name", "In", ("n",)),),
                ),
            )
        ),
        SELECTOR,
    ),
    "selector and affinity must both hold": Row(
        Admission(
            node_selector=(("zone", "west"),),
            affinity=(SelectorTerm(labels=(Requirement("zone", "Exists"),)),),
        ),
        SELECTOR,
    ),
    # taints and tolerations
    "a taint keeps pods away": Row(Admission(), TAINT, machine(KEEP_OUT)),
    "NoExecute keeps pods away too": Row(Admission(), TAINT, machine(NO_EXECUTE)),
    "PreferNoSchedule is only a wish": Row(
        Admission(), YES, machine(Taint("gpu", "yes", "PreferNoSchedule"))
    ),
    "Equal tolerates the same value": Row(
        bears(Toleration("gpu", "Equal", "yes", "NoSchedule")), YES, machine(KEEP_OUT)
    ),
    "Equal does not tolerate another value": Row(
        bears(Toleration("gpu", "Equal", "no", "NoSchedule")), TAINT, machine(KEEP_OUT)
    ),
    "Exists tolerates any value": Row(bears(Toleration("gpu", "Exists")), YES, machine(KEEP_OUT)),
    "an empty effect tolerates all effects": Row(
        bears(Toleration("gpu", "Equal", "yes")), YES, machine(KEEP_OUT, NO_EXECUTE)
    ),
    "another effect is not tolerated": Row(
        bears(Toleration("gpu", "Exists", effect="NoExecute")), TAINT, machine(KEEP_OUT)
    ),
    "another key is not tolerated": Row(
        bears(Toleration("spot", "Exists")), TAINT, machine(KEEP_OUT)
    ),
    "an empty key with Exists tolerates all": Row(
        bears(Toleration(operator="Exists")), YES, machine(KEEP_OUT, Taint("spot"))
    ),
    "an empty key with Exists and an effect tolerates that effect": Row(
        bears(Toleration(operator="Exists", effect="NoExecute")), TAINT, machine(KEEP_OUT)
    ),
    "every taint needs a toleration": Row(
        bears(Toleration("gpu", "Exists")), TAINT, machine(KEEP_OUT, Taint("spot"))
    ),
    "two tolerations bear two taints": Row(
        bears(Toleration("gpu", "Exists"), Toleration("spot", "Exists")),
        YES,
        machine(KEEP_OUT, Taint("spot")),
    ),
    # the rest
    "a cordoned node takes nothing": Row(
        bears(Toleration(operator="Exists")), Refusal.CORDONED, machine(cordoned=True)
    ),
    "an allowed GPU model": Row(Admission(gpu_models=("A", "B")), YES),
    "no allowed GPU model": Row(Admission(gpu_models=("B", "C")), Refusal.GPU_MODEL),
    "a node without GPUs has no model": Row(
        Admission(gpu_models=("A",)), Refusal.GPU_MODEL, Node("n", 1_000, 1_024)
    ),
    "the first obstacle is told": Row(
        Admission(gpu_models=("B",), node_selector=(("zone", "west"),)),
        TAINT,
        machine(KEEP_OUT),
    ),
}


@pytest.mark.parametrize("sentence", ROWS)
def test_a_rule_means_what_the_documentation_says(sentence: str) -> None:
    """The row's node answers the row's rule as documented."""
    row = ROWS[sentence]

    assert row.expected is refusal(row.node, row.rule)
    assert (row.expected is Refusal.NONE) == (obstacle(row.node, row.rule) is None)


@settings(max_examples=200, deadline=None)
@given(node=nodes("node-0"), rule=admissions())
def test_two_readings_of_the_documentation_agree(node: Node, rule: Admission) -> None:
    """The view's rules and the checker's, written apart, admit the same pods."""
    assert (refusal(node, rule) is Refusal.NONE) == (obstacle(node, rule) is None)


def test_every_refusal_has_words_that_never_vary() -> None:
    """kube-scheduler groups messages by their text: each refusal has one, and no two share it."""
    phrases = [each.phrase for each in Refusal]

    assert len(set(phrases)) == len(Refusal)
    assert all(phrases)
