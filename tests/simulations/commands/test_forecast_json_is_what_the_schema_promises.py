"""`--json` of the forecast commands: pure, by its schema, explained, the same for any workers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.simulations.commands.demand_file import demand_file
from tests.simulations.commands.door import knock

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
COMMANDS = [
    pytest.param(("backtest",), id="backtest"),
    pytest.param(("backtest", "--horizons", "1h,4d", "--split", "0.5"), id="backtest, too short"),
    pytest.param(("backtest", "--step", "2h", "--kind", "count"), id="backtest, resampled"),
    pytest.param(("run",), id="run"),
    pytest.param(("run", "--horizon", "90min", "--horizon", "30d"), id="run, unanswered"),
]


def schema_of(name: str) -> Any:  # noqa: ANN401 - JSON
    """The schema that the command's JSON has to keep to."""
    return json.loads((REFERENCE / f"forecast-{name}.schema.json").read_text(encoding="utf-8"))


def answered(
    capsys: pytest.CaptureFixture[str], folder: Path, *words: str
) -> tuple[dict[str, Any], str]:
    """The document of one command, and what it printed for people."""
    file = demand_file(folder)
    naive = ("--series", file, "--models", "last-value", "--json", "-")
    told = knock(capsys, "forecast", *words, *naive)

    assert told.code == 0, told.err
    return json.loads(told.out), told.err


@pytest.mark.parametrize("words", COMMANDS)
def test_standard_output_is_the_json_alone(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `--json -` a pipe reads JSON and nothing else; the tables go to standard error."""
    content, printed = answered(capsys, tmp_path, *words)

    assert "load: " in printed
    jsonschema.validate(content, schema_of(words[0]), jsonschema.Draft202012Validator)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_field_is_in_the_schema(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A field that nobody wrote down is a promise that nobody made."""
    content, _ = answered(capsys, tmp_path, *words)
    schema = schema_of(words[0])["properties"]
    spec = schema["spec"]["properties"]

    assert content.keys() == schema.keys()
    assert content["spec"].keys() == spec.keys()
    assert content["spec"]["series"][0].keys() == spec["series"]["items"]["properties"].keys()
    assert all(
        row.keys() == schema["rows"]["items"]["properties"].keys() for row in content["rows"]
    )


@pytest.mark.parametrize("name", ["backtest", "run"])
def test_every_field_is_in_the_reference(name: str) -> None:
    """docs/reference/forecast.md explains each field of a row with its unit."""
    page = (REFERENCE / "forecast.md").read_text(encoding="utf-8")
    part = page.split(f"## `forecast {name}`")[1].split("\n## ")[0]
    rows = schema_of(name)["properties"]["rows"]["items"]["properties"]

    assert [field for field in rows if f"`{field}`" not in part] == []


@pytest.mark.parametrize("words", [("backtest",), ("run", "--horizon", "3h")])
def test_any_number_of_workers_gives_the_same(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows do not depend on who walked; times are a machine's."""
    seen = []
    for count in ("1", "2"):
        content, _ = answered(capsys, tmp_path, *words, "--workers", count)
        for row in content["rows"]:
            row.pop("fit_s", None)
            row.pop("predict_ms", None)
        seen.append(content)

    assert seen[0] == seen[1]


def test_horizons_are_rounded_to_steps_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """90 minutes of hours are two hours; ten minutes are one."""
    content, printed = answered(capsys, tmp_path, "backtest", "--horizons", "10min,90min")

    assert {row["horizon_s"] for row in content["rows"]} == {3_600, 7_200}
    assert "10 min is less than whole steps; 1 h is taken" in printed
    assert "90 min is less than whole steps; 2 h is taken" in printed


def test_a_horizon_that_is_too_long_is_left_out_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no row for it, and the reason is in the JSON and on the screen."""
    content, printed = answered(capsys, tmp_path, "backtest", "--horizons", "1h,4d")
    (series,) = content["spec"]["series"]

    assert {row["horizon_s"] for row in content["rows"]} == {3_600}
    assert [bool(horizon["left_out"]) for horizon in series["horizons"]] == [False, True]
    assert "4 d ahead is left out: 240 steps of 3,600 s are too short" in printed
