"""The page of a backtest opens offline, stays small, and shows what its verdict rests on."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from autoscaler.forecasters.registry import NAIVE
from gpu_fleet.series import Mark, MarkKind
from simulations.forecasts.spec import BacktestSpec
from simulations.report.document import HeatMaps, IntervalChart, LineChart, Table
from simulations.report.forecast import chapter_sections, forecast_report
from simulations.report.limits import MOST_BYTES
from tests.simulations.forecasts.made import HOUR_S, NAIVE_SPEC, days, series_of, studied
from tests.simulations.report.forecasts import (
    a_backtest,
    content_of,
    html_of,
    named,
    page_for,
    zeros,
)

TITLES = (
    "The last days, as forecast 1 h ahead",
    "What a planner should believe",
    "In short",
    "How often the 95 % bound held",
    "How much less was lost than by the best naive guess",
    "Everything that was judged",
    "Forecasters 1 h ahead",
    "Forecasters 24 h ahead",
    "How often the bound held, by hour of day",
    "How far the middle was off 1 h ahead, by hour of day",
    "Who made the bound",
    "The series",
    "Assumptions",
)
LONG = BacktestSpec(models=NAIVE[:2], horizons_s=(600, HOUR_S, 24 * HOUR_S))


def test_every_part_is_there() -> None:
    """Answer, cases, evidence, what was read, definitions."""
    text = page_for(a_backtest()).text.replace("\u00a0", " ")

    assert [title for title in TITLES if title not in text] == []


def test_a_page_fetches_and_runs_nothing() -> None:
    """No address, no script, no picture from anywhere."""
    html = html_of([a_backtest()])
    page = page_for(a_backtest())

    assert re.findall(r"(?i)\b(?:https?|ftp|file|data|javascript):|[\"'(]//", html) == []
    assert page.attributes("src") == []
    assert set() == {"script", "link", "iframe", "img"} & {tag for tag, _ in page.tags}
    assert page.crossed == []


def test_the_same_backtest_makes_the_same_page() -> None:
    """Byte for byte."""
    assert html_of([a_backtest()]) == html_of([a_backtest()])


def test_a_long_ragged_series_stays_small() -> None:
    """Eight weeks of ten minutes, with noise that no thinning smooths."""
    noise = np.random.default_rng(1).gamma(2.0, 50.0, 56 * 144)
    html = html_of([studied(series_of(noise, step_s=600), LONG)])

    assert len(html.encode()) <= MOST_BYTES / 10


def test_many_series_stay_small_and_none_is_lost() -> None:
    """Eight are shown by themselves, all have a line, and the rest is counted."""
    results = [named(f"pool-{at:02d}") for at in range(40)]
    html = html_of(results)
    text = page_for(*results).text

    assert len(html.encode()) <= MOST_BYTES
    assert "32 more have their lines in the tables" in text
    assert "pool-39" in text
    assert html.count("<h3>The last days, as forecast") == 8
    assert "The 20 series that it held for least; 20 more are in the table." in text


@pytest.mark.parametrize(
    "result",
    [
        pytest.param(zeros(), id="nothing was wanted"),
        pytest.param(studied(series_of(np.full(480, 7.0))), id="always the same"),
        pytest.param(
            studied(series_of(days(4)), replace(NAIVE_SPEC, horizons_s=(HOUR_S,))), id="four days"
        ),
        pytest.param(
            studied(
                series_of(days()[:200], step_s=86_400),
                BacktestSpec(models=("last-value",), horizons_s=(86_400,)),
            ),
            id="steps of a day, one forecaster",
        ),
        pytest.param(studied(series_of(days() - 200)), id="below zero"),
        pytest.param(
            studied(series_of(days(), np.arange(480) < 300)), id="nothing was measured later on"
        ),
    ],
)
def test_odd_series_make_whole_pages(result: object) -> None:
    """Unknown is n/a and never a word of the machine, whatever came."""
    page = page_for(result)  # type: ignore[arg-type]
    words = re.findall(r"[A-Za-z]+", page.text)

    assert page.crossed == []
    assert set() == {"nan", "NaN", "None", "inf"} & set(words)


def test_what_was_repaired_is_shown_in_chart_and_table() -> None:
    """A gap is drawn as a stand-in, a level shift as a moment; both stand in the table."""
    measured = np.ones(480, dtype=np.bool_)
    measured[400:406] = False
    marks = (
        Mark(MarkKind.GAP, 400, 405, "no sample"),
        Mark(MarkKind.LEVEL_SHIFT, 450, 450, "up: about 140, 100 a day before"),
    )
    series = replace(series_of(days(), measured), marks=marks)
    report = forecast_report([studied(series)], content_of([studied(series)]))
    chart = next(part for part in report.sections if isinstance(part, LineChart))
    drawn = {line.name: line for line in chart.series}
    (table,) = (
        part
        for part in report.sections
        if isinstance(part, Table) and part.title == "What was noticed in it, and repaired"
    )

    assert np.isfinite(np.array(drawn["stand-in, gap"].ys, dtype=float)).sum() == 6
    assert np.isnan(np.array(drawn["what came"].ys, dtype=float)).sum() == 6 + 1
    assert drawn["level shift noticed"].ys[1] == pytest.approx(series.values[450])
    assert [row[1:3] for row in table.rows] == [("gap", "6\u00a0h"), ("level shift", "-")]


def test_the_answer_stands_where_it_is_about() -> None:
    """What was said an hour ahead is drawn an hour after it was said."""
    result = a_backtest()
    report = forecast_report([result], content_of([result]))
    chart = next(part for part in report.sections if isinstance(part, LineChart))
    said, came = chart.series[0], chart.series[1]
    assert said.band is not None

    assert said.ys[-1] == result.said("selected")[-1, 0, 1]
    assert said.band.highs[-1] == result.said("selected")[-1, 0, 2]
    assert came.ys[-2] == result.series.values[-1]
    assert came.ys[-1] is None or np.isnan(came.ys[-1])


def test_every_moment_has_one_whose_bound_was_answered() -> None:
    """Shares of the forecasters add up to all, in each column of the strip."""
    report = forecast_report([a_backtest()], content_of([a_backtest()]))
    (strip,) = (part for part in report.sections if isinstance(part, HeatMaps))

    assert len(strip.maps) == 2
    assert all(np.allclose(heat.matrix.sum(axis=0), 1.0) for heat in strip.maps)


def test_reliability_has_a_dot_for_each_horizon() -> None:
    """With its interval, beside the 95 % that is asked for."""
    report = forecast_report([a_backtest()], content_of([a_backtest()]))
    chart = next(part for part in report.sections if isinstance(part, IntervalChart))

    assert chart.reference == 95.0
    assert [one.label for one in chart.estimates] == ["1\u00a0h ahead", "24\u00a0h ahead"]
    assert all(one.lo is not None and one.lo <= (one.value or 0) for one in chart.estimates)


def test_the_table_ranks_by_loss() -> None:
    """The least first; the answer is the row that stands out."""
    report = forecast_report([a_backtest()], content_of([a_backtest()]))
    table = next(
        part
        for part in report.sections
        if isinstance(part, Table) and part.title.startswith("Forecasters")
    )
    losses = [float(row[1] or 0) for row in table.rows]

    assert losses == sorted(losses)
    assert table.rows[table.highlight or 0][0] == "selected"


def test_a_series_that_is_too_short_is_named() -> None:
    """The page says what it lacks."""
    content = content_of([a_backtest()])
    spec = content["spec"]
    assert isinstance(spec, dict)
    spec["series"].append({"series": "tiny", "file": "made.csv", "sha256": "0", "horizons": []})
    report = forecast_report([a_backtest()], content)

    assert "tiny is left out: it is too short for every horizon." in report.notes


def test_a_chapter_has_no_headings_of_its_own() -> None:
    """In a larger report the chapter's question is the heading."""
    sections = chapter_sections([a_backtest()], content_of([a_backtest()]))

    assert {type(section).__name__ for section in sections} == {
        "Table",
        "LineChart",
        "IntervalChart",
        "HeatMaps",
    }
