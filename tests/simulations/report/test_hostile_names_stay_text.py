"""Names come from other people's clusters: whatever they hold, they are shown and never obeyed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.report.document import Report
from simulations.report.render import render
from tests.simulations.report.pages import every_section, page_of

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "</title><script>",
    "]]><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% include 'report.css' %}",
    "&lt;b&gt; &amp;amp;",
]


def everywhere(name: str) -> Report:
    """A report that holds a text in every place that takes one."""
    return Report(name, name, ((name, name),), every_section(name), (name,), name)


def skeleton(name: str) -> list[tuple[str, tuple[str, ...]]]:
    """The elements of that report's page and the names of their attributes."""
    return [(tag, tuple(a)) for tag, a in page_of(render(everywhere(name))).tags]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_adds_no_element_and_no_attribute(name: str) -> None:
    """The page has the same bones as with a harmless name, and shows the name as it is."""
    # Texts of the same length, since long column names and verdicts may be set differently.
    harmless = "n" * len(name)

    assert skeleton(harmless) == skeleton(name)
    assert name in page_of(render(everywhere(name))).text


@settings(max_examples=60, deadline=None)
@given(name=st.text(alphabet=st.sampled_from("<>&\"'/=`{}%#- an\x00\ud800\n\t"), min_size=1))
def test_no_text_breaks_out(name: str) -> None:
    """Random heaps of the characters that markup is made of."""
    page = page_of(render(everywhere(name)))
    tags = {tag for tag, _ in page.tags}

    assert page.crossed == []
    assert set() == tags & {"script", "img", "iframe", "a", "an", "n"}
