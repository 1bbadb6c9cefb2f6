"""`synthscale lint scheduler-config` from outside: words, JSON, exit codes, the rules' page.

The rules themselves are tested beside; here it matters what a person and a pipeline get.
"""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from synthscale.__main__ import main
from tests.house.tree import ROOT
from tests.scheduler_extender.scheduler_config.configurations import CLEAN, spoilt

if TYPE_CHECKING:
    from pathlib import Path

UNVERIFIED = spoilt({"extenders[1].tlsConfig.caFile": "", "profiles[0].schedulerName": "other"})
ROUGH = spoilt({"extenders[1].weight": 140})


def lint(folder: Path, text: str, *options: str) -> int:
    """The exit code for a configuration in a file."""
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return main(["lint", "scheduler-config", str(path), *options])


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (CLEAN, (), 0),
        (CLEAN, ("--strict",), 0),
        (ROUGH, (), 0),
        (ROUGH, ("--strict",), 1),
        (UNVERIFIED, (), 1),
        ("kind: Pod", (), 2),
        (CLEAN, ("--nodes", "0"), 2),
    ],
    ids=["clean", "clean strict", "warning", "warning strict", "error", "no input", "no nodes"],
)
def test_the_exit_code_says_how_bad_it_is(
    tmp_path: Path, text: str, options: tuple[str, ...], code: int
) -> None:
    """0 is clean, 1 is an error (or a warning with --strict), 2 cannot be read."""
    assert code == lint(tmp_path, text, *options)


def test_a_finding_says_place_reason_and_cure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person reads where it is, why it is one, and the lines to write."""
    lint(tmp_path, UNVERIFIED)
    told = capsys.readouterr().out

    assert "config.yaml: 1 error, 0 warnings" in told
    assert "error unverified-tls: extenders[1].tlsConfig (line " in told
    assert "InsecureSkipVerify" in told
    assert "    tlsConfig:\n      caFile: " in told


def test_a_clean_file_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing found is said, not silent."""
    lint(tmp_path, CLEAN)

    assert capsys.readouterr().out.endswith("config.yaml: no trap found\n")


def test_json_on_stdout_leaves_the_words_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipeline parses stdout whole, while a person still reads what was found."""
    lint(tmp_path, ROUGH, "--json", "-")
    told = capsys.readouterr()
    (document,) = json.loads(told.out)
    (finding,) = document["findings"]

    assert (document["errors"], document["warnings"]) == (0, 1)
    assert {"rule", "severity", "where", "line", "why", "write_this"} == set(finding)
    assert finding["write_this"] == "weight: 141"
    assert "warning step-outweighed" in told.err


def test_json_is_written_to_a_file(tmp_path: Path) -> None:
    """The same document, where it was asked for."""
    lint(tmp_path, CLEAN, "--json", str(tmp_path / "found.json"))

    assert json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))[0]["findings"] == []


def test_a_configuration_comes_from_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`-` reads standard input, so that kubectl can hand over a ConfigMap."""
    stdin = SimpleNamespace(buffer=io.BytesIO(UNVERIFIED.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)

    assert main(["lint", "scheduler-config", "-"]) == 1
    assert "unverified-tls" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "FILE: is needed; name a file, or - for stdin"),
        (["no-such-file.yaml"], "no-such-file.yaml: cannot be read"),
        (["."], ".: cannot be read"),
    ],
)
def test_a_file_that_is_not_there_is_named(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad usage is one line and exit code 2."""
    assert main(["lint", "scheduler-config", *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"#" * (4 << 20) + b"##"], ids=["bytes", "huge"])
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, raw: bytes) -> None:
    """Noise and files of any size end in exit code 2."""
    path = tmp_path / "noise"
    path.write_bytes(raw)

    assert main(["lint", "scheduler-config", str(path)]) == 2


def test_the_reference_page_is_what_the_rules_say(capsys: pytest.CaptureFixture[str]) -> None:
    """`--rules` prints docs/reference/scheduler-config-rules.md; write it anew if this fails."""
    page = (ROOT / "docs" / "reference" / "scheduler-config-rules.md").read_text(encoding="utf-8")

    assert main(["lint", "scheduler-config", "--rules"]) == 0
    assert page == capsys.readouterr().out
