"""A fleet bought anew must hold what runs and what waits; what has finished needs no place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import InputError
from simulations.readers.demand import read_demand
from tests.simulations.readers.kube_objects import pod, write

if TYPE_CHECKING:
    from pathlib import Path

RUNNING = pod("running", {"cpu": "1"}, phase="Running", nodeName="a")
WAITING = pod("waiting", {"cpu": "2"})
DONE = pod("done", {"cpu": "4"}, phase="Succeeded")
FAILED = pod("failed", {"cpu": "4"}, phase="Failed")


def leaving() -> dict[str, object]:
    """A pod that is being deleted."""
    raw: dict[str, object] = dict(pod("leaving", {"cpu": "8"}, phase="Running", nodeName="a"))
    raw["metadata"] = {"name": "leaving", "deletionTimestamp": "2026-01-02T03:04:05Z"}
    return raw


def test_a_dump_gives_what_runs_and_what_waits(tmp_path: Path) -> None:
    """In file order; the rest is counted in notes."""
    path = write(tmp_path / "all.json", RUNNING, DONE, WAITING, FAILED, leaving())  # type: ignore[arg-type]
    demand = read_demand(path)

    assert [traced.pod.name for traced in demand.pods] == ["default/running", "default/waiting"]
    assert "2 pods have finished: skipped" in demand.notes
    assert "1 pod is being deleted: skipped" in demand.notes
    assert any(note.startswith("1 pod runs already") for note in demand.notes)


def test_a_csv_gives_all(tmp_path: Path) -> None:
    """There, nobody says what runs."""
    path = tmp_path / "pods.csv"
    path.write_text("name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,1,1,0,0\nb,1,1,0,0\n")

    assert [traced.pod.name for traced in read_demand(path).pods] == ["a", "b"]


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ((DONE, FAILED), "no Pod in it that has not finished (2 Pod"),
        ((RUNNING, RUNNING), "Pod default/running metadata.name: is there twice"),
    ],
)
def test_what_cannot_be_used(objects: tuple[object, ...], expected: str, tmp_path: Path) -> None:
    """One line with the file."""
    path = write(tmp_path / "all.json", *objects)  # type: ignore[arg-type]

    with pytest.raises(InputError) as caught:
        read_demand(path)

    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)
