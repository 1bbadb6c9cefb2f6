"""Writes the page out of the recorded figures: `python -m tests.forecast_page`."""

from __future__ import annotations

from tests.forecast_page.page import PAGE, page, recorded

if __name__ == "__main__":
    PAGE.write_text(page(recorded()), encoding="utf-8")
