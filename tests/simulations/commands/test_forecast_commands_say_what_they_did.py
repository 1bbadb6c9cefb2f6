"""What a planner reads: what was read and repaired, a table, why, and a sentence."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gpu_fleet.errors import InputError
from simulations.commands.forecast_run_words import sparkline
from simulations.runs.durations import in_words, parse_duration
from tests.simulations.commands.demand_file import demand_file
from tests.simulations.commands.door import knock
from tests.simulations.forecasts.made import series_of

if TYPE_CHECKING:
    from collections.abc import Sequence

NAIVE = ("--models", "last-value")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10min", 600), ("10m", 600), ("1h", 3_600), ("24h", 86_400), ("1d", 86_400)],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    """As people write it."""
    assert parse_duration(text, "--step") == seconds
    assert parse_duration(f" {text.upper()} ", "--step") == seconds


@pytest.mark.parametrize(
    "text", ["", "1", "h", "-1h", "0h", "1.5h", "1h30m", "1 fortnight", "9" * 99]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """The complaint names the option and shows what to write."""
    with pytest.raises(InputError, match=r"--step: .* is no duration; write 90s, 10min, 1h or 1d"):
        parse_duration(text, "--step")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 s"), (90, "90 s"), (600, "10 min"), (3_600, "1 h"), (86_400, "24 h"), (604_800, "7 d")],
)
def test_a_duration_is_written(seconds: int, words: str) -> None:
    """In the largest unit that says it in whole numbers."""
    assert in_words(seconds) == words


def backtest(
    capsys: pytest.CaptureFixture[str], files: Sequence[str], *words: object
) -> tuple[str, dict[str, object]]:
    """What was printed, and the JSON beside it."""
    place = Path(files[0]).parent / "out.json"
    series = [word for file in files for word in ("--series", file)]
    told = knock(capsys, "forecast", "backtest", *series, *words, "--json", place)

    assert told.code == 0, told.err
    return told.out, json.loads(place.read_text(encoding="utf-8"))


def test_a_backtest_says_what_was_read_and_what_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The series, a line for each time ahead with the naive one beside, and a sentence."""
    printed, _ = backtest(capsys, [demand_file(tmp_path)], *NAIVE)

    assert (
        "load: 240 steps of 1 h, GPUs, from 2026-03-02 00:00 UTC to 2026-03-11 23:00 UTC" in printed
    )
    assert "note: time column time" in printed
    assert "\nload      1 h " in printed
    assert "\nload     24 h " in printed
    assert "judged is what comes after 60% of each series" in printed
    assert "Of 2 cases (a series, a time ahead)" in printed


def test_several_files_and_columns_are_several_series(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files of one name in different folders are told apart by their paths."""
    one, other = demand_file(tmp_path / "a"), demand_file(tmp_path / "b", seed=2)
    _, content = backtest(capsys, [one, other], *NAIVE, "--horizons", "1h")
    rows = content["rows"]
    assert isinstance(rows, list)

    assert {row["series"] for row in rows} == {f"load ({one})", f"load ({other})"}


def test_a_step_finer_than_the_samples_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The samples' own step is taken."""
    printed, content = backtest(capsys, [demand_file(tmp_path)], *NAIVE, "--step", "10min")
    rows = content["rows"]
    assert isinstance(rows, list)

    assert "steps of 3600 s, not 600 s: samples are that far apart" in printed
    assert {row["horizon_s"] for row in rows} == {3_600, 86_400}


def test_gaps_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """How many, and how much of the series they are."""
    file = Path(demand_file(tmp_path))
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(lines[:50] + lines[60:] + [""]), encoding="utf-8")
    printed, _ = backtest(capsys, [str(file)], *NAIVE)

    assert "1 gap filled from the past (10 steps)" in printed


def test_a_series_too_short_among_others_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are judged, and its name is told."""
    files = [demand_file(tmp_path), demand_file(tmp_path, days=1, name="short.csv")]
    printed, content = backtest(capsys, files, *NAIVE)
    rows = content["rows"]
    assert isinstance(rows, list)

    assert "left out: series short: 24 steps of 3,600 s are too short" in printed
    assert {row["series"] for row in rows} == {"load"}


def test_a_gzipped_file_reads_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And gives the same rows."""
    plain = Path(demand_file(tmp_path))
    packed = tmp_path / "load.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    seen = [backtest(capsys, [str(path)], *NAIVE)[1]["rows"] for path in (plain, packed)]
    for rows in seen:
        assert isinstance(rows, list)
        for row in rows:
            row.pop("fit_s")
            row.pop("predict_ms")

    assert seen[0] == seen[1]


def test_a_learning_model_is_judged_beside_the_naive_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """LightGBM learns from a week of hours; nobody has to name the naive ones."""
    printed, content = backtest(
        capsys, [demand_file(tmp_path, days=12)], "--models", "lightgbm", "--horizons", "1h"
    )
    rows = content["rows"]
    assert isinstance(rows, list)
    by_model = {row["model"]: row for row in rows}

    assert "lightgbm" in by_model
    assert "last-value" in by_model
    assert by_model["lightgbm"]["origins"] > 0
    assert "lightgbm is mute" not in printed


def test_a_report_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One page about this backtest."""
    page = tmp_path / "report.html"
    printed, _ = backtest(capsys, [demand_file(tmp_path)], *NAIVE, "--report", page)

    assert f"report {page}" in printed
    assert "synthscale forecast backtest" in page.read_text(encoding="utf-8")


def test_a_run_says_what_comes_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each time ahead and for the most until then, with who says so and why."""
    told = knock(
        capsys,
        *("forecast", "run", "--series", demand_file(tmp_path), *NAIVE),
        *("--horizon", "3h", "--horizon", "30d"),
    )

    assert told.code == 0
    assert "\n3 h    2026-03-12 02:00 UTC             then " in told.out
    assert "\n3 h    2026-03-12 02:00 UTC  most until then " in told.out
    assert "is naive, and nobody else has been judged" in told.out
    assert "in 2,592,000 s, then: unknown (" in told.out
    assert "the last 3 d, from " in told.out


def test_a_sparkline_shows_where_nothing_was_measured() -> None:
    """From zero to the most; a stand-in is no measurement."""
    measured = np.array([True, True, False, True])
    series = series_of(np.array([0.0, 4.0, 4.0, 8.0]), measured)

    assert sparkline(series, 4) == "▁▅?█"
    assert sparkline(series_of(np.zeros(3)), 3) == "▁▁▁"
    assert sparkline(series_of(np.array([-2.0, 2.0])), 2) == "▁█"
    assert len(sparkline(series_of(np.ones(1_000)), 1_000)) == 72
