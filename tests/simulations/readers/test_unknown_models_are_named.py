"""A model that no node has is a typing error, or a question about another cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import InputError
from simulations.readers import read_inventory, read_workload, unknown_models

if TYPE_CHECKING:
    from pathlib import Path

    from simulations.workload import Inventory, Workload


def read(
    folder: Path, spec: str, nodes: str = "n,1,1,1,T4\nm,1,1,8,G2\n"
) -> tuple[Inventory, Workload]:
    """A cluster with a T4 and G2s, and a pod on line 3 that asks for `spec`."""
    (folder / "nodes.csv").write_text(f"sn,cpu_milli,memory_mib,gpu,model\n{nodes}")
    (folder / "pods.csv").write_text(
        f"name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\na,1,1,1,1000,\nb,1,1,1,1000,{spec}\n"
    )
    return read_inventory(folder / "nodes.csv"), read_workload(folder / "pods.csv")


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param("T4", id="there"),
        pytest.param("G2", id="undisclosed but there"),
        pytest.param("T4|V100M32", id="one of them is there, the other is a product"),
        pytest.param("G2|G3", id="one of them is there, the other is known to be undisclosed"),
        pytest.param("", id="any"),
    ],
)
def test_models_that_can_be_meant_pass(tmp_path: Path, spec: str) -> None:
    """A list may name products that this cluster happens not to have."""
    unknown_models(*read(tmp_path, spec))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        pytest.param("T44", "no node has model 'T44', which pod 'b' asks for", id="typing error"),
        pytest.param("T44", "use one of G2, T4 (did you mean T4?)", id="a near name is offered"),
        pytest.param("T4|X9000", "no node has model 'X9000'", id="typing error beside a good one"),
        pytest.param("V100M32", "no node has model 'V100M32'", id="a product that nobody has here"),
    ],
)
def test_others_are_one_line_with_the_place(tmp_path: Path, spec: str, words: str) -> None:
    """File, line, field, what to do."""
    with pytest.raises(InputError) as caught:
        unknown_models(*read(tmp_path, spec))

    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'pods.csv'}:3: gpu_spec: ")
    assert words in message
    assert "\n" not in message


def test_a_cluster_without_gpus_says_so(tmp_path: Path) -> None:
    """There is no name to offer."""
    with pytest.raises(InputError, match="give nodes with GPUs"):
        unknown_models(*read(tmp_path, "T4", nodes="n,1,1,0,\n"))
