"""Whatever is wrong, one line that names it and says what to do, exit code 2, and no file.

The sources have their own, longer table; this one shows that nothing is lost on the way to the
front door, for both commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.simulations.commands.demand_file import demand_file
from tests.simulations.commands.door import knock

if TYPE_CHECKING:
    from pathlib import Path

FILES = [
    ("an empty file", b"", "load.csv: the file is empty"),
    ("a header alone", b"time,GPUs\n", "load.csv: there is a header and no sample under it"),
    ("text in numbers", b"time,GPUs\n0,1\n600,many\n1200,3\n", "load.csv:3: GPUs: 'many'"),
    ("no time", b"time,GPUs\n0,1\nsoon,2\n1200,3\n", "load.csv:3: time: 'soon'"),
    ("one sample", b"time,GPUs\n0,1\n", "one sample has no step; give the step"),
    ("noise", bytes(range(256)) * 99, "load.csv"),
    ("two columns of numbers", b"time,a,b\n0,1,2\n600,2,3\n", "2 columns hold numbers (a, b)"),
    ("damaged Parquet", b"PAR1" + b"\0" * 99, "cannot be read as Parquet"),
]
TOO_FEW = ("too few samples", b"time,GPUs\n0,1\n600,2\n1200,1\n", "3 steps of 600 s are too short")
"""For a backtest; a run answers what it lacks."""
OPTIONS = [
    ("--models lightgmb", "--models: no forecaster is called 'lightgmb' (did you mean lightgbm?)"),
    ("--models ,", "--models: no forecaster is called ''"),
    ("--kind guage", "--kind: 'guage' is not known; say gauge, rate, count, counter"),
    ("--step often", "--step: 'often' is no duration; write 90s, 10min, 1h or 1d"),
    ("--step 0s", "--step: '0s' is no duration"),
    ("--time-zone Mars/Olympus", "--time-zone: 'Mars/Olympus' is not a time zone"),
    ("--time-column when", "when: there is no such column"),
    ("--value-column gpus", "gpus: there is no such column (did you mean GPUs?); the file has"),
    ("--series-column team", "team: there is no such column"),
    ("--total", "--total: a total needs series to add up"),
    ("--workers 0", "--workers: 0 is not possible"),
]
BACKTEST_OPTIONS = [
    ("--split 0", "--split: 0 is not possible; give a share between 0 and 1"),
    ("--split 1", "--split: 1 is not possible"),
    ("--split nan", "--split: nan is not possible"),
    ("--horizons 1h,", "--horizons: '' is no duration"),
    ("--horizons 1h,never", "--horizons: 'never' is no duration"),
    ("--horizons 9999d", "--horizons: 863,913,600 s ahead is not possible"),
    ("--horizons 60d", "--horizons: series load: 240 steps of 3,600 s are too short"),
    ("--resume {file}", "--resume: {file} cannot be a folder"),
    ("--json {file}/x", "cannot write into {file}"),
    ("--report {file}/x", "cannot write into {file}"),
]
RUN_OPTIONS = [
    ("--horizon 0h", "--horizon: '0h' is no duration"),
    ("--horizon 9999d", "--horizon: 863,913,600 s ahead is not possible"),
    ("--json {file}/x", "cannot write into {file}"),
]


def complaint(capsys: pytest.CaptureFixture[str], folder: Path, command: str, *words: str) -> str:
    """The one line that a command answers with; fails if there is more, or a file."""
    before = sorted(folder.iterdir())
    given = " ".join(words)
    wanted = [("--json", "o.json"), ("--report", "o.html")][: 2 if command == "backtest" else 1]
    outputs = [
        word
        for option, name in wanted
        if option not in given
        for word in (option, str(folder / name))
    ]
    told = knock(capsys, "forecast", command, *words, *outputs)

    assert told.code == 2, told.out + told.err
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert told.err.startswith("synthscale: ")
    assert "; " in told.err
    assert len(told.err) < 500
    assert before == sorted(folder.iterdir())
    return told.err


@pytest.mark.parametrize(
    ("command", "content", "expected"),
    [
        pytest.param(command, content, expected, id=f"{command}, {story}")
        for command, rows in (("backtest", [*FILES, TOO_FEW]), ("run", FILES))
        for story, content, expected in rows
    ],
)
def test_a_file_that_cannot_be_used(
    command: str,
    content: bytes,
    expected: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The line names the file, the line and the column, and what to do."""
    file = tmp_path / "load.csv"
    file.write_bytes(content)

    assert expected in complaint(capsys, tmp_path, command, "--series", str(file))


@pytest.mark.parametrize(
    ("command", "words", "expected"),
    [("backtest", *row) for row in OPTIONS + BACKTEST_OPTIONS]
    + [("run", *row) for row in OPTIONS + RUN_OPTIONS],
)
def test_an_option_that_cannot_be_used(
    command: str, words: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the option or the column, and what to say instead."""
    file = demand_file(tmp_path)
    options = words.replace("{file}", file).split()
    line = complaint(capsys, tmp_path, command, "--series", file, *options)

    assert expected.replace("{file}", file) in line


@pytest.mark.parametrize("command", ["backtest", "run"])
def test_a_file_that_is_not_there(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the path."""
    line = complaint(capsys, tmp_path, command, "--series", str(tmp_path / "none.csv"))

    assert f"{tmp_path / 'none.csv'}: no such file; check the path" in line


@pytest.mark.parametrize("command", ["backtest", "run"])
def test_a_file_that_is_named_twice(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two series of one name in one file could not be told apart."""
    file = demand_file(tmp_path)
    line = complaint(capsys, tmp_path, command, "--series", file, "--series", file)

    assert "series load is there twice; name each file, and ask each query, once" in line


def test_series_that_are_all_too_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The line tells how many there are and what the first one lacks."""
    files = [demand_file(tmp_path, days=1, name=name) for name in ("a.csv", "b.csv")]
    words = [word for file in files for word in ("--series", file)]
    line = complaint(capsys, tmp_path, "backtest", *words)

    assert "all 2 series are too short; the first: series a: " in line


def test_no_series_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    """The option is needed."""
    told = knock(capsys, "forecast", "backtest")

    assert told.code == 2
    assert "--series" in told.err
