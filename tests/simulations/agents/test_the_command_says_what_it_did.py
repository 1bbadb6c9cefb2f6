"""`synthscale simulate agents`: JSON by its schema, one log for any number of workers, a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gpu_fleet.errors import InputError
from simulations.commands.agents import command
from simulations.decision_log import digest

SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "simulate-agents.schema.json"
SHORT: dict[str, Any] = {"policies": "least-loss,best-fit", "seeds": "1..2", "tasks": 120}


def _document(path: Path, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever it takes
    command(**{**SHORT, **options, "json_path": str(path)})
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_the_json_is_what_the_schema_promises(tmp_path: Path) -> None:
    """Rows by policy and seed, in the order in which they were asked for."""
    content = _document(tmp_path / "out.json")
    jsonschema.validate(content, json.loads(SCHEMA.read_text(encoding="utf-8")))

    assert [(row["policy"], row["seed"]) for row in content["rows"]] == [
        ("least-loss", 1),
        ("least-loss", 2),
        ("best-fit", 1),
        ("best-fit", 2),
    ]


def test_every_field_is_in_the_schema(tmp_path: Path) -> None:
    """A consumer may ignore what it does not know, but nothing is undocumented."""
    content = _document(tmp_path / "out.json")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))["properties"]
    row = schema["rows"]["items"]["properties"]

    assert content.keys() == schema.keys()
    assert content["spec"].keys() <= schema["spec"]["properties"].keys()
    assert content["rows"][0].keys() == row.keys()
    lost = content["rows"][0]["gpu_seconds_lost"]
    assert lost.keys() == row["gpu_seconds_lost"]["properties"].keys()


def test_the_split_adds_up_in_the_json_too(tmp_path: Path) -> None:
    """Must-show 5: the terms are the whole loss, to rounding."""
    for row in _document(tmp_path / "out.json")["rows"]:
        assert sum(row["gpu_seconds_lost"].values()) == pytest.approx(row["gpu_seconds_lost_total"])


def test_the_log_is_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    """Byte for byte, and its SHA-256 is the one that is printed."""
    texts = []
    for workers in (1, 2):
        path = tmp_path / f"log{workers}.csv"
        command(**SHORT, log=str(path), workers_=workers)
        texts.append(path.read_text(encoding="utf-8"))

    assert texts[0] == texts[1]
    assert texts[0].count("\n# policy=") == 4


def test_the_printed_digest_is_the_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So that two people can compare runs over the telephone."""
    path = tmp_path / "log.csv"
    command(**SHORT, log=str(path))

    assert digest(path.read_text(encoding="utf-8")) in capsys.readouterr().out


def test_the_table_states_load_seeds_and_confidence(capsys: pytest.CaptureFixture[str]) -> None:
    """What a planner needs to judge the figures by is printed with them."""
    command(**SHORT)
    printed = capsys.readouterr().out

    assert "offered load 0.80" in printed
    assert "2 seeds" in printed
    assert "95 % sure of" in printed


def test_one_seed_claims_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """No interval is invented."""
    command(**{**SHORT, "seeds": "3"})

    assert "one seed says nothing about chance" in capsys.readouterr().out


def test_the_page_shows_losses_and_differences(tmp_path: Path) -> None:
    """The report is written whole and names every term."""
    path = tmp_path / "page.html"
    command(**SHORT, report=str(path))
    page = path.read_text(encoding="utf-8")

    for words in ("GPU-seconds lost by term", "specialisation", "How much sooner", "best-fit"):
        assert words in page


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"load": 0.0}, "--load: 0 is not possible"),
        ({"load": float("nan")}, "--load: nan is not possible"),
        ({"tasks": 5}, "--tasks: 5 is not possible"),
        ({"seeds": "9..1"}, "--seeds: '9..1' runs backwards"),
        ({"policies": "best"}, "--policies: unknown policy 'best'"),
        ({"throughputs": "nowhere.csv"}, "nowhere.csv: no such file"),
        ({"workers_": 0}, "--workers: 0 is not possible"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    options: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    """And nothing is written."""
    path = tmp_path / "out.json"
    with pytest.raises(InputError) as caught:
        _document(path, **options)

    assert str(caught.value).startswith(complaint)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
