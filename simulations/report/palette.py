"""Which colour, dash and mark stands for which name, the same on the whole page.

Colours carry no meaning alone: each slot has its own dash and mark too, so that a line is told
apart by someone who sees no colours and on a grey print. The colours themselves, for light and
dark, are in `templates/report.css`; slot 0 is the accent.
It must not depend on anything but names and their order, so that a page is repeatable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.report.document import BarChart, LineChart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simulations.report.document import Section

__all__ = ["ACCENT", "DASHES", "MARKS", "SLOTS", "line_slots", "part_names", "part_slots"]

SLOTS: Final = 8
ACCENT: Final = 0
DASHES: Final = ("", "7 3", "2 3", "9 3 2 3", "5 2", "12 4", "3 2 3 5", "1 2")
"""In pixels; the accent is solid."""
MARKS: Final = ("disc", "square", "ring", "frame")
"""Slots share marks, but no two slots share both mark and dash."""


def line_slots(sections: Sequence[Section]) -> Mapping[str, int]:
    """A slot for each series on the page; what verdicts speak of comes first."""
    charts = [section for section in sections if isinstance(section, LineChart)]
    spoken_of = (chart.highlight for chart in charts if chart.highlight is not None)
    names = (series.name for chart in charts for series in chart.series)
    return _slots([*spoken_of, *names])


def part_slots(sections: Sequence[Section]) -> Mapping[str, int]:
    """A slot for each part of a stacked bar on the page, in order of appearance.

    Plain bars have nothing to tell apart: a name that is not in here takes the accent.
    """
    charts = [part_names(section) for section in sections if isinstance(section, BarChart)]
    return _slots(name for names in charts if len(names) > 1 for name in names)


def part_names(chart: BarChart) -> list[str]:
    """The names of its parts, each once, in order of appearance."""
    return list(dict.fromkeys(part.name for bar in chart.bars for part in bar.parts))


def _slots(names: Iterable[str]) -> Mapping[str, int]:
    return {name: index % SLOTS for index, name in enumerate(dict.fromkeys(names))}
