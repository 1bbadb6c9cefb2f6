"""A node that is still to be bought has the labels of its GPU model and no others."""

from __future__ import annotations

import pytest

from gpu_fleet.admission import ANYWHERE, Admission, Requirement, SelectorTerm, Toleration
from gpu_fleet.names import GPU_MODEL_LABELS
from gpu_fleet.pods import PodShape
from simulations.capacity.market import as_offered
from tests.simulations.capacity.purchases import offering, pods_of, sized

MODEL = GPU_MODEL_LABELS[0]
ZONE = Requirement("zone", "In", ("east",))
T4 = Requirement(MODEL, "In", ("T4",))


@pytest.mark.parametrize(
    ("asked", "left", "counted"),
    [
        pytest.param(ANYWHERE, ANYWHERE, False, id="nothing"),
        pytest.param(Admission(node_selector=(("zone", "east"),)), ANYWHERE, True, id="a zone"),
        pytest.param(
            Admission(node_selector=((MODEL, "T4"), ("zone", "east"))),
            Admission(node_selector=((MODEL, "T4"),)),
            True,
            id="a zone and a model",
        ),
        pytest.param(
            Admission(affinity=(SelectorTerm(labels=(T4, ZONE)),)),
            Admission(affinity=(SelectorTerm(labels=(T4,)),)),
            True,
            id="affinity to both",
        ),
        pytest.param(
            Admission(affinity=(SelectorTerm(labels=(T4,)), SelectorTerm(labels=(ZONE,)))),
            ANYWHERE,
            True,
            id="either of them",
        ),
        pytest.param(
            Admission(tolerations=(Toleration(operator="Exists"),)), ANYWHERE, False, id="tolerant"
        ),
    ],
)
def test_what_is_left_of_a_wish(asked: Admission, left: Admission, counted: bool) -> None:
    """What nobody can promise is taken out and counted; what a model label says is kept."""
    before = pods_of(PodShape(1, 1, admission=asked))
    after = as_offered(before)

    assert after.pods[0].pod.shape.admission == left
    assert any("labels that offerings do not have" in note for note in after.notes) == counted


def test_a_selector_for_a_model_chooses_the_offering() -> None:
    """`nvidia.com/gpu.product: T4` needs nodes with that model."""
    shape = PodShape(1, 1, admission=Admission(node_selector=((MODEL, "T4"),)))
    found = sized(as_offered(pods_of(shape)), offering("plain", 1), offering("t4", 9, gpus=1))

    assert found.counts == {"t4": 1}
