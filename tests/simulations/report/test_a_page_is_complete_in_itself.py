"""A page opens offline, years later, from a mail: it fetches nothing and runs nothing."""

from __future__ import annotations

import re

import pytest

from simulations.report.render import render
from tests.simulations.report.pages import every_section, page_of, report_of

PAGE = render(report_of(*every_section(), notes=("assumed",)))


def test_a_page_names_no_address() -> None:
    """No scheme and no protocol-relative address, in markup or in style."""
    assert re.findall(r"(?i)\b(?:https?|ftp|file|data|javascript):|[\"'(]//", PAGE) == []


def test_a_page_refers_only_to_itself() -> None:
    """Links go to anchors of the page that exist; nothing is embedded."""
    page = page_of(render(report_of(*every_section("a"), *every_section("b"), *every_section("c"))))
    links = page.attributes("href")

    assert len(links) == 3
    assert set() == {link.removeprefix("#") for link in links} - set(page.attributes("id"))
    assert page.attributes("src") == []


def test_a_page_runs_nothing() -> None:
    """No script, no handler, no frame: it reads the same where scripts are forbidden."""
    page = page_of(PAGE)
    tags = {tag for tag, _ in page.tags}
    handlers = {name for _, attributes in page.tags for name in attributes if name[:2] == "on"}

    assert set() == tags & {"script", "link", "iframe", "object", "embed", "img", "base", "form"}
    assert set() == handlers


def test_a_page_forbids_itself_to_fetch() -> None:
    """Even if a name got through, the browser is told to load nothing from anywhere."""
    policies = [
        attributes["content"]
        for tag, attributes in page_of(PAGE).tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]

    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_styles_import_nothing() -> None:
    """Fonts and pictures are the reader's own."""
    (style,) = page_of(PAGE).styles

    assert re.findall(r"url\(|@import|@font-face", style) == []


@pytest.mark.parametrize("wanted", ["prefers-color-scheme: dark", "max-width", "@media print"])
def test_a_page_suits_dark_narrow_and_paper(wanted: str) -> None:
    """One file serves a screen by day, by night, a phone and a printer."""
    (style,) = page_of(PAGE).styles

    assert wanted in style


def test_every_level_and_slot_has_a_colour_by_day_and_by_night() -> None:
    """A colour that is named in one scheme only would be missing in the other."""
    (style,) = page_of(PAGE).styles
    day, night = (
        re.findall(r"(--(?:slot|good|bad)-\d+): #", part)
        for part in style.split("prefers-color-scheme")
    )

    assert len(day) == 28
    assert day == night


def test_the_markup_is_well_formed() -> None:
    """Each element closes where it should, and no two share an id."""
    page = page_of(PAGE)
    ids = page.attributes("id")

    assert page.crossed == []
    assert sorted(set(ids)) == sorted(ids)


def test_a_drawing_says_in_words_what_it_shows() -> None:
    """Each drawing is hidden from a screen reader, or it has a name and tells its figures."""
    page = page_of(PAGE)
    pictures = [a for _, a in page.tags if a.get("role") == "img"]
    unseen = [a for tag, a in page.tags if tag == "svg" and not {"role", "aria-hidden"} & set(a)]
    named = {name for a in pictures for name in a.get("aria-labelledby", "").split()}

    assert unseen == []
    assert all(a.get("aria-label") or a.get("aria-labelledby") for a in pictures)
    assert set() == named - set(page.attributes("id"))
    assert "name ends at 3" in PAGE
    assert "Mean: 0.25 at the beginning" in PAGE


def test_the_answer_comes_first_and_the_spec_last() -> None:
    """Verdict, facts, evidence, assumptions, spec: the order in which a reader asks."""
    text = page_of(
        render(report_of(*every_section("evidence"), notes=("assumed",), spec_json='{"a": 1}'))
    ).text
    places = [text.index(w) for w in ("One is best.", "1..3", "evidence", "assumed", '{"a": 1}')]

    assert sorted(places) == places


def test_a_page_with_few_parts_has_no_contents() -> None:
    """Two headings are found by scrolling."""
    page = page_of(render(report_of(*every_section("a"), *every_section("b"))))

    assert "nav" not in {tag for tag, _ in page.tags}
