"""What is shipped as a file, and what a recipe makes, are one workload."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.admission import Admission
from gpu_fleet.errors import InputError
from gpu_fleet.pods import Pod, PodShape
from simulations.readers import read_inventory, read_workload
from simulations.recipes.fleet import fleet
from simulations.recipes.openb import nodes_csv, pods_csv
from simulations.recipes.pods import pods
from simulations.workload import TracedPod, Workload

if TYPE_CHECKING:
    from collections.abc import Callable

BUNDLED = Path(__file__).parents[3] / "examples" / "bundled"


@pytest.mark.parametrize(
    ("file", "made"),
    [("nodes.csv", lambda: nodes_csv(fleet())), ("pods.csv", lambda: pods_csv(pods()))],
)
def test_the_shipped_file_is_the_recipe(file: str, made: Callable[[], str]) -> None:
    """Whoever edits one has to make the other again."""
    assert made() == (BUNDLED / file).read_text(encoding="utf-8")


def test_nodes_survive_the_file(tmp_path: Path) -> None:
    """Read back, a fleet is the one that was written."""
    path = tmp_path / "nodes.csv"
    path.write_text(nodes_csv(fleet(20)), encoding="utf-8")

    assert fleet(20).nodes == read_inventory(path).nodes


def test_pods_survive_the_file(tmp_path: Path) -> None:
    """Shapes, models and times too; an absent time stays absent."""
    picky = PodShape(1_000, 1_024, 1, 500, admission=Admission(gpu_models=("A10", "T4")))
    workload = Workload("some", (*pods(200).pods, TracedPod(Pod("picky", picky), 9)))
    path = tmp_path / "pods.csv"
    path.write_text(pods_csv(workload), encoding="utf-8")

    assert workload.pods == read_workload(path).pods


def test_what_the_columns_cannot_say_is_refused() -> None:
    """An agent's datasets would be lost silently otherwise."""
    shape = PodShape(1_000, 1_024, 1, 500, datasets=("weights",))

    with pytest.raises(InputError, match="more than openb's columns can say"):
        pods_csv(Workload("some", (TracedPod(Pod("reader", shape)),)))
