"""`--resume`: what an interrupted backtest had finished is found again, and nothing else is left.

This test waits for what happens, never for a time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.simulations.commands.demand_file import demand_file
from tests.simulations.commands.door import knock
from tests.simulations.commands.test_ctrl_c_leaves_nothing_behind import (
    DEADLINE_S,
    group_members,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def rows_of(path: Path) -> list[Mapping[str, object]]:
    """The rows of a document, with the times that walks took."""
    rows: list[Mapping[str, object]] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return rows


def test_a_second_run_finds_what_the_first_has_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not a walk is taken twice, and rows are equal with the times that they took then."""
    file, kept = demand_file(tmp_path), tmp_path / "kept"
    words = ("forecast", "backtest", "--series", file, "--models", "last-value", "--resume", kept)
    first = knock(capsys, *words, "--json", tmp_path / "1.json")
    second = knock(capsys, *words, "--json", tmp_path / "2.json")

    assert (first.code, second.code) == (0, 0)
    assert "found again" not in first.out
    assert "3 walks of 3 found again" in second.out
    assert rows_of(tmp_path / "1.json") == rows_of(tmp_path / "2.json")


def test_other_data_under_the_same_name_is_walked_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And told, file by file."""
    kept = tmp_path / "kept"
    words = ("forecast", "backtest", "--models", "last-value", "--resume", kept)
    knock(capsys, *words, "--series", demand_file(tmp_path))
    told = knock(capsys, *words, "--series", demand_file(tmp_path, seed=2))

    assert told.code == 0
    assert "found again" not in told.out
    assert told.out.count("is of other data, settings or code; taken anew") == 3


def many_series(folder: Path) -> str:
    """Forty days of hours of 30 pools."""
    draws = np.random.default_rng(5)
    hours = np.arange(40 * 24)
    shape = 100 + 40 * np.sin((hours - 9) * 2 * np.pi / 24)
    pools = [shape + draws.normal(0, 4, len(hours)) for _ in range(30)]
    header = ",".join(("t_s", *(f"pool{pool}" for pool in range(len(pools)))))
    lines = (
        ",".join((str(hour * 3_600), *(f"{pool[hour]:.1f}" for pool in pools)))
        for hour in hours.tolist()
    )
    (folder / "pools.csv").write_text("\n".join((header, *lines, "")), encoding="utf-8")
    return str(folder / "pools.csv")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_leaves_whole_walks_and_nothing_else(
    workers: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One word, exit code 130, no half file; the next run goes on from there."""
    file, kept, out = many_series(tmp_path), tmp_path / "kept", tmp_path / "o.json"
    columns = [word for pool in range(30) for word in ("--value-column", f"pool{pool}")]
    words = ["forecast", "backtest", "--series", file, *columns, "--models", "last-value"]
    words += ["--horizons", "1h", "--resume", str(kept), "--json", str(out)]
    with subprocess.Popen(
        [sys.executable, "-m", "synthscale", *words, "--workers", str(workers)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            wait_until(lambda: any(kept.glob("pools*.npz")), "a walk is finished")
            os.killpg(process.pid, signal.SIGINT)
            printed, complaint = process.communicate(timeout=DEADLINE_S)
            wait_until(lambda: not group_members(process.pid), "all processes end")
        finally:
            if group_members(process.pid):
                os.killpg(process.pid, signal.SIGKILL)

    assert (printed, complaint) == ("", "synthscale: interrupted\n")
    assert process.returncode in {130, -signal.SIGINT}
    assert not out.exists()
    # What a worker was writing when it was ended has a name that is never read.
    done = [path.name for path in kept.iterdir() if not path.name.startswith(".")]
    again = knock(capsys, *words[:3], file, *columns[:4], *words[-8:])
    assert again.code == 0
    assert done
    assert "is no walk of ours" not in again.out
