"""`synthscale demo`: every experiment without a file of one's own, and what to do next.

The test runs shorter chapters than a person gets; `make demo` is the whole.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from simulations.commands import demo_chapters
from simulations.readers import read_inventory, read_workload
from simulations.report.limits import MOST_BYTES
from tests.simulations.commands.door import knock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chapters of seconds."""
    monkeypatch.setattr(demo_chapters, "_NODES", 12)
    monkeypatch.setattr(demo_chapters, "_PODS", 200)
    monkeypatch.setattr(demo_chapters, "_AGENT_TASKS", 100)
    monkeypatch.setattr(demo_chapters, "_BUDGET_S", 0.5)
    for seeds in ("_PLACEMENT_SEEDS", "_REPLAY_SEEDS", "_AGENT_SEEDS"):
        monkeypatch.setattr(demo_chapters, seeds, (42, 43))


@pytest.mark.usefixtures("_short")
def test_the_demo_answers_every_question(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tables in words, a report, one JSON for each chapter, and files to go on with."""
    out = tmp_path / "somewhere" / "new"
    told = knock(capsys, "demo", "--out", out, "--workers", "1")
    chapters = len(demo_chapters.CHAPTERS)
    report = (out / "report.html").read_text(encoding="utf-8")

    assert told.code == 0
    assert told.err == ""
    for number in range(1, chapters + 1):
        assert f"{number} of {chapters}  " in told.out
    assert "kubectl get nodes,pods -A -o json > cluster.json" in told.out
    assert len(report.encode()) <= MOST_BYTES
    assert len(list(out.glob("*.json"))) == chapters
    assert all(json.loads(path.read_text())["rows"] for path in out.glob("*.json"))
    assert len(read_inventory(out / "nodes.csv").nodes) == 12
    assert len(read_workload(out / "pods.csv").pods) == 200


def test_the_demo_refuses_a_file_in_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and the file stays what it was."""
    taken = tmp_path / "taken"
    taken.write_text("mine")
    told = knock(capsys, "demo", "--out", taken)

    assert told.code == 2
    assert told.err.count("\n") == 1
    assert taken.read_text() == "mine"
