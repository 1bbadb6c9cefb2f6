"""The page of forecasts says what `make prove` recorded, no better and no worse."""

from __future__ import annotations

from tests.forecast_page.page import DAY_S, HOUR_S, PAGE, page, recorded


def test_the_page_is_what_was_recorded() -> None:
    """Else: `python -m tests.forecast_page`."""
    assert PAGE.read_text(encoding="utf-8") == page(recorded())


def test_every_series_is_on_it() -> None:
    """Those that went badly too."""
    figures = recorded()

    assert len(figures[HOUR_S]) == 27
    assert len(figures[DAY_S]) == 25
