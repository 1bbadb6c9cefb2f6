"""The accountant that judges filter answers: what it lets pass and what it holds against them.

It is a test's judge, so a mistake of its own would either hide a wrong answer or cry wolf at a
right one. No cluster is needed: calls are written down as the tap would have kept them.
"""

from __future__ import annotations

from typing import Any

from tests.scheduler_extender.service.checker import SILENT, plain_feasible
from tests.scheduler_extender.service.harness import share_pod
from tests.scheduler_extender.service.tap import Call

NODES: dict[str, dict[str, Any]] = {
    name: {
        "metadata": {"name": name, "labels": {"nvidia.com/gpu.memory": "24576"}},
        "status": {"allocatable": {"nvidia.com/gpu": "1"}},
    }
    for name in ("n0", "n1")
}


def filtered(pod: str, kept: list[str], refused: dict[str, str]) -> Call:
    """A filter call of the guard about both nodes."""
    made = share_pod(pod, "any", {"nvidia.com/gpucores": "60"}, uid=f"uid-{pod}")
    asked = {"Pod": made, "NodeNames": list(NODES)}
    told = {"NodeNames": kept, "FailedAndUnresolvableNodes": refused or None}
    return Call("/guard/filter", asked, 200, told)


def test_the_silence_of_a_new_leader_is_no_count() -> None:
    """A guard that has not spoken yet may refuse every node for a moment."""
    silent = filtered("a", [], dict.fromkeys(NODES, SILENT))

    assert plain_feasible([silent, filtered("a", list(NODES), {})], NODES) == []


def test_a_leader_that_spoke_is_silent_no_more() -> None:
    """The same words later, or about some of the nodes only, contradict the count."""
    spoken = filtered("a", list(NODES), {})
    silent = filtered("b", [], dict.fromkeys(NODES, SILENT))
    partly = filtered("b", ["n0"], {"n1": SILENT})

    assert len(plain_feasible([spoken, silent], NODES)) == 1
    assert len(plain_feasible([partly], NODES)) == 1


def test_a_refusal_of_a_free_node_is_told_with_its_words() -> None:
    """What was said is in the complaint, so that nobody has to guess."""
    (told,) = plain_feasible([filtered("a", ["n0"], {"n1": "not enough free GPU"})], NODES)

    assert "['n1']; said ['not enough free GPU']" in told
