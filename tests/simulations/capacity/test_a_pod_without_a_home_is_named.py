"""A pod that no offering can hold stops the question, with its name and the reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.admission import Admission
from gpu_fleet.errors import InputError
from gpu_fleet.pods import PodShape
from tests.simulations.capacity.purchases import offering, pods_of, sized

if TYPE_CHECKING:
    from gpu_fleet.pools import Offering

CPU, GPU = offering("cpu", 1), offering("gpu", 2, gpus=2)


@pytest.mark.parametrize(
    ("shape", "kinds", "why"),
    [
        (PodShape(17_000, 1), (CPU, GPU), "not enough free CPU"),
        (PodShape(1, 65_537), (CPU, GPU), "not enough free memory"),
        (PodShape(1, 1, gpu_count=3), (GPU,), "fewer healthy GPUs than requested"),
        (PodShape(1, 1, gpu_count=1, gpu_memory_mib=20_000), (GPU,), "no GPU with enough memory"),
        (
            PodShape(1, 1, gpu_count=1, admission=Admission(gpu_models=("H100",))),
            (GPU,),
            "no GPU of an allowed model",
        ),
    ],
)
def test_the_reason_is_the_one_that_placement_gives(
    shape: PodShape, kinds: tuple[Offering, ...], why: str
) -> None:
    """In the words of `gpu_fleet.refusals`, with the file and the line."""
    workload = replace(pods_of(PodShape(1, 1), shape), file="pods.csv", lines=(2, 3))

    with pytest.raises(InputError) as caught:
        sized(workload, *kinds)

    assert str(caught.value).startswith("pods.csv:3: no offering can hold pod pod-1 (")
    assert why in str(caught.value)
    assert caught.value.exit_code == 2
