"""Whatever makes a file unusable is said in one line: file, line, column, what to do.

The texts are compared to the letter, since a person acts on them.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoscaler.sources.columns import Columns
from tests.autoscaler.sources.tables import complaint, csv_lines, hourly, write

if TYPE_CHECKING:
    from pathlib import Path

TABLE = [
    ("", "load.csv: the file is empty; give one with samples"),
    (" \n\n", "load.csv: the file is empty; give one with samples"),
    (
        "time,gpus\n",
        "load.csv: there is a header and no sample under it; give a file with samples",
    ),
    (
        hourly([1, "two", 3]),
        (
            "load.csv:3: gpus: 'two' is not a number;"
            " write a decimal number, or leave the cell empty where there is no value"
        ),
    ),
    (
        hourly([1, "1_000"]),
        (
            "load.csv:3: gpus: '1_000' is not a number;"
            " write a decimal number, or leave the cell empty where there is no value"
        ),
    ),
    (
        hourly([1, "inf"]),
        (
            "load.csv:3: gpus: 'inf' is not a number;"
            " write a decimal number, or leave the cell empty where there is no value"
        ),
    ),
    (
        csv_lines("time,gpus", "2026-03-01T00:00:00Z,1", "2026-03-01T01:00:00,2"),
        (
            "load.csv:3: time: mixed zones: '2026-03-01 01:00:00' has no offset,"
            " the first stamp has one; write all stamps with an offset, or none"
        ),
    ),
    (
        csv_lines("time,gpus", "2026-03-01T00:00:00,1", "2026-03-01T01:00:00+01:00,2"),
        (
            "load.csv:3: time: mixed zones: '2026-03-01 01:00:00+01:00' has an offset,"
            " the first stamp has none; write all stamps with an offset, or none"
        ),
    ),
    (
        csv_lines("time,gpus", "2026-03-01,1", "01.03.2026,2"),
        (
            "load.csv:3: time: '01.03.2026' is not a time; write 2026-01-31 23:55:00"
            " (with Z or an offset where it is known) or Unix seconds"
        ),
    ),
    (
        csv_lines("time,gpus", "2026-03-01,1", ",2"),
        (
            "load.csv:3: time: is empty; write 2026-01-31 23:55:00"
            " (with Z or an offset where it is known) or Unix seconds"
        ),
    ),
    (
        csv_lines("time,gpus", "0,1", "2026-03-01,2"),
        (
            "load.csv:3: time: '2026-03-01' is not a time, where the first stamp is a number;"
            " write all stamps in one way"
        ),
    ),
    (
        csv_lines("time,gpus", "2026-03-01,1", "9999-12-31,2"),
        "load.csv:3: time: '9999-12-31T00:00:00' is no time between 1970 and 2100; check the stamp",
    ),
    (
        csv_lines("time,gpus", "0001-01-01,1"),
        "load.csv:2: time: '0001-01-01T00:00:00' is no time between 1970 and 2100; check the stamp",
    ),
    (
        csv_lines("time,gpus", "1772323200,1", "99999999999999,2"),
        "load.csv:3: time: '99999999999999' is no time between 1970 and 2100; check the stamp",
    ),
    (
        csv_lines("time,gpus", "5000000000,1"),
        "load.csv:2: time: '5000000000' is no time between 1970 and 2100; check the stamp",
    ),
    (
        csv_lines("time,gpus", "20260301,1"),
        (
            "load.csv:2: time: '20260301' may be a date or a number of seconds;"
            " write the date as 2026-01-31"
        ),
    ),
    (
        csv_lines("time,gpus", "0,1", "60,2,3"),
        "load.csv:3: 3 cells under 2 columns; make the row as wide as the header",
    ),
    (
        csv_lines("time,gpus", '0,"1'),
        "load.csv:3: is not CSV (unexpected end of data); give comma-separated values",
    ),
    (
        csv_lines("time;gpus", "0;1"),
        (
            "load.csv:1: the header has one column, 'time;gpus';"
            " separate a time and a value column by a comma"
        ),
    ),
    (
        csv_lines("0,1", "60,2"),
        "load.csv:1: the header holds the number '0'; name the columns in the first line",
    ),
    (
        csv_lines("time,gpus,gpus", "0,1,2"),
        "load.csv:1: header: 'gpus' is there 2 times; name each column once",
    ),
    (
        csv_lines("time,gpus,jobs", "0,1,2"),
        (
            "load.csv: header: 2 columns hold numbers (gpus, jobs); name one or more with"
            " --value-column"
        ),
    ),
    (
        csv_lines("time,pool", "0,a"),
        (
            "load.csv: header: there is no column of numbers beside the time;"
            " name the time with --time-column and the values with --value-column"
        ),
    ),
    (
        csv_lines("pool,time,gpus", "a,0,1", "b,0,2", "a,60,3", "b,60,4"),
        (
            "load.csv: pool: 2 values under the same stamps;"
            " name the column that tells series apart, as in --series-column pool"
        ),
    ),
]


@pytest.mark.parametrize(("content", "said"), TABLE, ids=range(len(TABLE)))
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, content: str, said: str) -> None:
    """Each kind of unusable text, to the letter."""
    assert complaint(write(tmp_path, content)) == said


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            Columns(values=("gpu",)),
            (
                "load.csv: gpu: there is no such column (did you mean gpus?);"
                " the file has gpus, pool, time"
            ),
        ),
        (
            Columns(time="x"),
            "load.csv: x: there is no such column; the file has gpus, pool, time",
        ),
        (
            Columns(series="vc"),
            "load.csv: vc: there is no such column; the file has gpus, pool, time",
        ),
        (
            Columns(time="gpus", values=("gpus",)),
            "load.csv: gpus: cannot be the values too; name another --value-column",
        ),
        (
            Columns(series="time"),
            "load.csv: time: is the time and cannot name series; name another --series-column",
        ),
        (
            Columns(total=True),
            (
                "load.csv: --total: a total needs series to add up;"
                " name the column that tells them apart with --series-column"
            ),
        ),
        (
            Columns(zone="Mars/Olympus"),
            (
                "load.csv: --time-zone: 'Mars/Olympus' is not a time zone;"
                " give an IANA name such as UTC, Europe/Berlin or America/New_York"
            ),
        ),
        (
            Columns(values=("pool",)),
            (
                "load.csv:2: pool: 'a' is not a number;"
                " write a decimal number, or leave the cell empty where there is no value"
            ),
        ),
    ],
)
def test_what_is_asked_for_and_not_there_is_said(
    tmp_path: Path, columns: Columns, said: str
) -> None:
    """Options that do not fit the file name what the file has."""
    text = csv_lines("pool,time,gpus", "a,2026-03-01,1", "a,2026-03-02,2")

    assert complaint(write(tmp_path, text), columns) == said


def test_a_cut_gzip_is_named(tmp_path: Path) -> None:
    """A download that stopped half way."""
    whole = gzip.compress(hourly(range(24)).encode())

    assert (
        complaint(write(tmp_path, whole[:-20], "load.csv.gz"))
        == "load.csv.gz: the gzip is cut short; copy or download it again"
    )


def test_a_damaged_gzip_is_named(tmp_path: Path) -> None:
    """A bit that flipped on the way."""
    whole = bytearray(gzip.compress(hourly(range(24)).encode()))
    whole[30] ^= 0xFF

    assert (
        complaint(write(tmp_path, bytes(whole), "load.csv.gz"))
        == "load.csv.gz: the gzip is damaged; copy or download it again"
    )


def test_binary_noise_is_named_and_not_printed(tmp_path: Path) -> None:
    """The first byte that is no text is told, not the noise."""
    noise = b"time,gpus\n0,1\n\x93" + np.random.default_rng(7).bytes(4_096)

    assert (
        complaint(write(tmp_path, noise))
        == "load.csv:3: byte 15 is not UTF-8 text; give a CSV file in UTF-8, or a Parquet file"
    )


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    """Paths that are wrong."""
    assert complaint(tmp_path / "no.csv") == "no.csv: no such file; check the path"
    assert complaint(tmp_path).endswith(": is a folder; name a file inside it")
