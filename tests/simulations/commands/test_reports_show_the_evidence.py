"""`--report`: one page that opens offline, holds the verdict, and shows what it rests on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from simulations.report.limits import MOST_BYTES
from tests.simulations.commands.door import knock, small_cluster
from tests.simulations.report.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

COMMON = (
    "Where the fleet fills up",
    "Where GPU lies free that pods like these cannot use",
    "What a placed pod loses, by term",
    "Assumptions",
)
PLACEMENT = (
    "GPUs allocated at 130 % arrived load",
    "GPUs allocated at 100 % arrived load",
    "Allocation as load arrives",
    "Why pods were given up",
)
REPLAY = ("How pods wait", "Allocation over time", "Why pods had to wait")


def page_of(path: Path) -> Page:
    """A report, read as a browser does."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


@pytest.mark.parametrize(
    ("command", "titles"), [("placement", COMMON + PLACEMENT), ("replay", COMMON + REPLAY)]
)
@pytest.mark.parametrize("seeds", ["7", "7..9"])
@pytest.mark.parametrize("policies", ["least-loss", "fgd,least-loss,random", "all"])
def test_a_report_shows_what_the_verdict_rests_on(
    command: str,
    titles: tuple[str, ...],
    seeds: str,
    policies: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each part is there for one policy and for all, with one seed and with several."""
    report = tmp_path / "report.html"
    words = (*small_cluster(tmp_path), "--seeds", seeds, "--policies", policies)
    told = knock(capsys, "simulate", command, *words, "--report", report)

    page = page_of(report)
    text = page.text.replace("\u00a0", " ")

    assert told.code == 0
    assert [title for title in titles if title not in text] == []
    assert report.stat().st_size <= MOST_BYTES
    assert "nan" not in text.lower().split()
    assert ("How much more" in text) == (policies != "least-loss")
    assert ("points" in text) == (policies != "least-loss")


def test_the_json_does_not_depend_on_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Watching does not change what is watched: maps and losses are looked at, not acted on."""
    rows = []
    for options in ((), ("--report", tmp_path / "r.html")):
        told = knock(
            capsys,
            *("simulate", "replay", *small_cluster(tmp_path), "--seeds", "7..8", "--json", "-"),
            *options,
        )
        rows.append(json.loads(told.out)["rows"])

    assert rows[0] == rows[1]
