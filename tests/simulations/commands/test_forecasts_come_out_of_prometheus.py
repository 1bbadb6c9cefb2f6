"""Both forecast commands, asked for history out of a Prometheus: what they ask, say and refuse."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from tests.autoscaler.sources.answering import matrix, serve
from tests.simulations.commands.door import knock

if TYPE_CHECKING:
    from pathlib import Path

END_S = 1_770_000_000
UNTIL = ("--until", str(END_S), "--last", "4d", "--step", "1h", "--models", "last-value")
QUERY = 'sum(gpus_in_use{pool="a100"})'


def days_of(query: dict[str, str]) -> str:
    """GPUs in use that repeat from day to day, at each moment that is asked for."""
    start_s, end_s, step_s = (round(float(query[key])) for key in ("start", "end", "step"))
    points = [
        (float(at_s), str(50 + 20 * math.sin(at_s * math.tau / 86_400)))
        for at_s in range(start_s, end_s + 1, step_s)
    ]
    return matrix(({}, points))


@pytest.mark.parametrize("command", ["backtest", "run"])
def test_a_query_is_history(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asked once a minute of the last four days, resampled to whole hours, named by the query."""
    place = tmp_path / "out.json"
    ahead = ("--horizons", "1h") if command == "backtest" else ("--horizon", "1h")
    with serve(body=days_of) as asked:
        source = ("--prometheus", asked.url, "--query", QUERY)
        told = knock(capsys, "forecast", command, *source, *UNTIL, *ahead, "--json", place)
    spec = json.loads(place.read_text(encoding="utf-8"))["spec"]["series"][0]

    assert told.code == 0, told.err
    assert spec["series"] == QUERY
    assert spec["file"] == f"{asked.url}: {QUERY}"
    assert (spec["step_s"], spec["steps"]) == (3_600, 95)
    assert len(spec["sha256"]) == 64
    assert {query["step"] for query in asked.queries} == {"60"}
    assert {query["query"] for query in asked.queries} == {QUERY}
    assert max(float(query["end"]) for query in asked.queries) <= END_S


def test_two_queries_are_two_series(capsys: pytest.CaptureFixture[str]) -> None:
    """Each is named by itself."""
    with serve(body=days_of) as asked:
        both = ("--query", "sum(a)", "--query", "sum(b)")
        told = knock(capsys, "forecast", "run", "--prometheus", asked.url, *both, *UNTIL)

    assert told.code == 0, told.err
    assert "sum(a): " in told.out
    assert "sum(b): " in told.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--query", "up"), "--query: there is nobody to ask; give --prometheus URL"),
        (("--series", "a.csv", "--until", "1"), "--until: there is nobody to ask"),
        (("--series", "a.csv", "--ca-file", "a.crt"), "--ca-file: there is nobody to ask"),
        (
            ("--prometheus", "{url}", "--query", "up", "--time-zone", "Europe/Berlin"),
            "--prometheus: columns and zones are a file's",
        ),
        (("--prometheus", "{url}"), "--prometheus: nothing is asked; give --query"),
        (("--prometheus", "nine", "--query", "up"), "--prometheus: 'nine' is no address"),
        (
            ("--prometheus", "{url}", "--query", "up", "--series", "a.csv"),
            "--series: history comes from one place; give --series FILE, or --prometheus URL",
        ),
        ((), "--series: history comes from one place"),
        (
            ("--prometheus", "{url}", "--query", "up", "--last", "long"),
            "--last: 'long' is no duration",
        ),
        (("--prometheus", "{url}", "--query", "up", "--until", "17"), "--until: is no date"),
        (("--prometheus", "{url}", "--query", "up", "--until", "soon"), "--until: 'soon'"),
        (
            ("--prometheus", "{url}", "--query", "up", "--last", "9000d", "--step", "1s"),
            "{url}: up: 777,600,001 steps in the range",
        ),
        (("--prometheus", "{url}", "--query", "up"), "{url}: up: answers no number in that range"),
        (
            ("--prometheus", "http://127.0.0.1:1", "--query", "up"),
            "http://127.0.0.1:1: up: cannot be reached",
        ),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    words: tuple[str, ...], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the option, or the server and the query; exit code 2, and no file."""
    place = tmp_path / "out.json"
    with serve(body=matrix(({}, [(float(END_S), "NaN")]))) as asked:
        given = [word.replace("{url}", asked.url) for word in words]
        bare = "--until" in words or "--prometheus" not in words
        moment = () if bare else ("--until", str(END_S))
        told = knock(capsys, "forecast", "run", *given, *moment, "--json", place)

    assert told.code == 2, told.out + told.err
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert expected.replace("{url}", asked.url) in told.err
    assert not place.exists()
