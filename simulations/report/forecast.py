"""The page of `forecast backtest`: whether a bound may be relied on, and is worth its model.

The answer comes first, then each horizon's case, then what was read, then every series by itself.
This module must not compute results: figures are those of the rows that `--json` writes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gpu_fleet.words import counted, listed
from simulations.report.document import Heading, Report
from simulations.report.fleet_parts import sentences, spec_json, typeset
from simulations.report.forecast_charts import ACTUAL, choices, hours, last_days, whole_span
from simulations.report.forecast_figures import Judged, judged
from simulations.report.forecast_intervals import reliability, skill
from simulations.report.forecast_tables import in_short, rankings, repairs, what_was_read
from simulations.report.forecast_times import span_words
from simulations.report.forecast_words import beliefs, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulations.forecasts.result import SeriesResult
    from simulations.report.document import Section

__all__ = ["chapter_sections", "forecast_report"]

MOST_SERIES: Final = 8
"""Series that are shown by themselves: more pages than that nobody reads, and all have a line."""
_DEFINITIONS = (
    (
        "Ahead: from the moment a forecast is given to the moment it is about; a horizon is a "
        "whole number of steps, rounded up."
    ),
    (
        "Selected: what would have been answered, by the forecasters that had earned it by that "
        "moment from what was known by then, with its bounds corrected by what had come true."
    ),
    "The 95 % bound: demand should stay at or below it 95 % of the time.",
    "Loss is the pinball loss of that bound: a unit too low weighs 19 times a unit too high.",
    (
        "The best naive one is the naive forecaster that lost least in hindsight, which nobody "
        "knew beforehand; the comparison is hard on the answer."
    ),
    "Naive forecasters get the quantiles of their own errors, as anybody would build them.",
    (
        "Intervals are over batches of whole days, at least two horizons long, since neighbouring "
        "outcomes are alike: by Student's t, of losses as ratios, of shares by Wilson's score."
    ),
    "Forecasting pays where that interval lies above zero, not where the mean does.",
    (
        "A bound counts as held from 93 % on up to an hour ahead and from 90 % farther ahead, "
        "and as wider than need be above 97 %, unless it lies within 1 unit or 1 % of the "
        "middle."
    ),
    (
        "Only outcomes after the split and only measured ones are judged; what comes before is "
        "what forecasters, corrections and the choice learn from."
    ),
    "At no moment is anything known that came later; models are fitted anew on the way.",
)


def forecast_report(
    results: Sequence[SeriesResult], content: Mapping[str, object], notes: Sequence[str] = ()
) -> Report:
    """One page about one backtest; `content` is the document that `--json` writes."""
    series = judged(results, _rows(content))
    spec = results[0].spec
    return Report(
        title=f"Forecasts of {listed([one.name for one in series], 3)}",
        verdict=typeset(verdict(series)),
        facts=(
            ("Command", f"synthscale {content['command']}"),
            ("Version", str(content["version"])),
            ("Series", _read_from(content)),
            ("Judged", f"after the first {spec.split * 100:g} % of each series"),
            ("Ahead", ", ".join(span_words(horizon_s) for horizon_s in _horizons(series))),
            ("Forecasters", ", ".join(spec.models)),
        ),
        sections=_sections(series),
        notes=(*_DEFINITIONS, *_too_short(content), *sentences(notes)),
        spec_json=spec_json(content),
    )


def chapter_sections(
    results: Sequence[SeriesResult], content: Mapping[str, object]
) -> tuple[Section, ...]:
    """What a page shows of a backtest of one series as a part of a larger report."""
    (one,) = judged(results, _rows(content))
    return (
        in_short([one]),
        # Colours go to other chapters' names first: here weight must tell the lines apart.
        replace(last_days(one), highlight=ACTUAL),
        *whole_span(one),
        *reliability([one]),
        rankings(one)[one.shown],
        *hours(one)[:1],
        *choices(one),
        *repairs(one),
    )


def _rows(content: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    rows = content["rows"]
    assert isinstance(rows, list)  # noqa: S101 - our own document
    return rows


def _read(content: Mapping[str, object]) -> list[Mapping[str, object]]:
    """What the spec says of each series that was read, also of those that are left out."""
    match content["spec"]:
        case {"series": [*read]}:
            return [one for one in read if isinstance(one, dict)]
    return []


def _read_from(content: Mapping[str, object]) -> str:
    read = _read(content)
    files = {str(one["file"]): str(one["sha256"]) for one in read}
    words = counted(len(read), "series", "series")
    if len(files) > 1:
        return f"{words} from {len(files)} files"
    return "".join(
        f"{words} from {file}, SHA-256 {sha256[:16]}..." for file, sha256 in files.items()
    )


def _too_short(content: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(
        f"{one['series']} is left out: it is too short for every horizon."
        for one in _read(content)
        if not one["horizons"]
    )


def _horizons(series: Sequence[Judged]) -> list[int]:
    return sorted({horizon_s for one in series for horizon_s in one.horizons_s})


def _sections(series: Sequence[Judged]) -> tuple[Section, ...]:
    evidence: tuple[Section, ...] = (in_short(series), *reliability(series), *skill(series))
    believed = Heading("What a planner should believe", typeset(beliefs(series)))
    if len(series) == 1:
        (one,) = series
        return (
            last_days(one),
            believed,
            *evidence,
            Heading("What was forecast", ""),
            *_forecast(one),
            Heading("What was read", ""),
            what_was_read(series),
            *repairs(one),
        )
    each = [
        section
        for one in series[:MOST_SERIES]
        for section in (
            Heading(one.name, typeset(beliefs([one]))),
            last_days(one),
            *_forecast(one),
            *repairs(one),
        )
    ]
    read = Heading("What was read", _about(series))
    return (believed, *evidence, read, what_was_read(series), *each)


def _forecast(one: Judged) -> tuple[Section, ...]:
    return (*whole_span(one), *rankings(one), *hours(one), *choices(one))


def _about(series: Sequence[Judged]) -> str:
    left_out = len(series) - MOST_SERIES
    if left_out <= 0:
        return ""
    return (
        f"The first {MOST_SERIES} series are shown one by one below; {left_out:,} more have their "
        "lines in the tables, and all have their figures in the JSON."
    )
