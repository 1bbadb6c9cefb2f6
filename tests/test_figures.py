"""A recorded figure can be judged by its date and machine, and leads back to nobody's desk."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from tests import figures


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FIGURES", tmp_path / "figures")


def test_a_figure_holds_its_rows_with_command_date_and_machine() -> None:
    """What a reader needs in order to repeat it and to compare."""
    path = figures.record("waits", [{"policy": "fgd", "mean_wait_s": 1.5}])
    document = json.loads(path.read_text(encoding="utf-8"))

    assert document["rows"] == [{"policy": "fgd", "mean_wait_s": 1.5}]
    assert document["command"] == "make prove"
    assert len(document["date"]) == len("2026-01-31")
    assert set(document["machine"]) == {"cpu", "cores", "system", "python", "numpy"}


def test_a_figure_names_neither_host_nor_path() -> None:
    """It belongs to the product and is published with it."""
    text = figures.record("waits", [{"mean_wait_s": 1.5}]).read_text(encoding="utf-8")

    assert platform.node() not in json.loads(text)["machine"].values()
    assert str(Path.cwd()) not in text


def test_a_row_that_is_no_number_leaves_the_earlier_record_whole() -> None:
    """NaN is not JSON; a figure that could not be measured is left out, not written as one."""
    path = figures.record("waits", [{"mean_wait_s": 1.5}])
    before = path.read_text(encoding="utf-8")

    with pytest.raises(ValueError, match="not JSON compliant"):
        figures.record("waits", [{"mean_wait_s": float("nan")}])

    assert path.read_text(encoding="utf-8") == before
    assert list(path.parent.iterdir()) == [path]
