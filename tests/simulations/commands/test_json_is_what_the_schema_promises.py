"""`--json`: pure, by its schema, and the same for any number of workers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.simulations.commands.door import knock, small_cluster

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
COMMANDS = [
    pytest.param(("placement",), id="placement"),
    pytest.param(("placement", "--tie-break", "fixed", "--until", "0.8"), id="placement, short"),
    pytest.param(("placement", "--mix", "first:20"), id="placement, learning"),
    pytest.param(("replay",), id="replay"),
    pytest.param(("replay", "--scale", "2", "--load", "1.2"), id="replay, copies at a load"),
    pytest.param(
        ("replay", "--arrivals", "poisson", "--load", "0.9", "--days", "0.2"), id="replay, poisson"
    ),
    pytest.param(("replay", "--gpu-nodes-only", "--warm-up", "0"), id="replay, GPU nodes only"),
]


def schema_of(words: tuple[str, ...]) -> Any:  # noqa: ANN401 - JSON
    """The schema that the command's JSON has to keep to."""
    text = (REFERENCE / f"simulate-{words[0]}.schema.json").read_text(encoding="utf-8")
    return json.loads(text)


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("seeds", ["42", "42..44"])
def test_standard_output_is_the_json_alone(
    words: tuple[str, ...], seeds: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `--json -` a pipe reads JSON and nothing else; the tables go to standard error."""
    told = knock(
        capsys, "simulate", *words, *small_cluster(tmp_path), "--seeds", seeds, "--json", "-"
    )
    content = json.loads(told.out)
    schema = schema_of(words)

    assert told.code == 0
    assert "least-loss" in told.err
    jsonschema.validate(content, schema, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_field_is_in_the_schema(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A field that nobody wrote down is a promise that nobody made."""
    told = knock(
        capsys, "simulate", *words, *small_cluster(tmp_path), "--seeds", "1..2", "--json", "-"
    )
    content = json.loads(told.out)
    schema = schema_of(words)["properties"]
    row = schema["rows"]["items"]["properties"]

    assert content.keys() == schema.keys()
    assert content["spec"].keys() <= schema["spec"]["properties"].keys()
    assert all(line.keys() == row.keys() for line in content["rows"])


@pytest.mark.parametrize("name", ["placement", "replay"])
def test_every_field_is_in_the_reference(name: str) -> None:
    """docs/reference/formats.md explains each field of a row with its unit."""
    formats = (REFERENCE / "formats.md").read_text(encoding="utf-8")
    part = formats.split(f"### `simulate {name}`")[1].split("###")[0]
    rows = schema_of((name,))["properties"]["rows"]["items"]["properties"]

    assert [field for field in rows if f"`{field}`" not in part] == []


@pytest.mark.parametrize("name", ["placement", "replay"])
def test_any_number_of_workers_gives_the_same(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows and decision log do not depend on who ran what; the SHA-256 says so."""
    files = small_cluster(tmp_path)
    seen = []
    for workers in (1, 2):
        log, out = tmp_path / f"{workers}.log", tmp_path / f"{workers}.json"
        told = knock(
            capsys,
            *("simulate", name, *files, "--seeds", "1..2", "--policies", "least-loss,random"),
            *("--workers", workers, "--log", log, "--json", out, "--check"),
        )
        assert told.code == 0
        rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
        for row in rows:
            row.pop("seconds", None)
            row.pop("cpu_seconds", None)
        digest = next(line for line in told.out.splitlines() if "SHA-256" in line).split()[-1]
        seen.append((rows, digest, log.read_bytes()))

    assert seen[0] == seen[1]
