"""Metric names carry unit and `_total`, help is a sentence, and the whole house keeps to it.

The walk reads the sources, so that a metric is judged even where no test declares it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from service_runtime.telemetry.metrics import Metrics, check_metric
from tests.house.tree import ROOT, python_files, rooms

if TYPE_CHECKING:
    from collections.abc import Iterator

HELP = "A sentence that explains it."
KINDS = frozenset({"counter", "gauge", "histogram"})


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("counter", "synthscale_calls_total"),
        ("counter", "synthscale_sent_bytes_total"),
        ("gauge", "synthscale_view_age_seconds"),
        ("gauge", "synthscale_view_objects"),
        ("gauge", "synthscale_leading"),
        ("gauge", "synthscale_build_info"),
        ("histogram", "synthscale_call_seconds"),
    ],
)
def test_a_good_name_is_accepted(kind: str, name: str) -> None:
    """Names as Prometheus' own customs have them pass."""
    assert check_metric(kind, name, HELP) is None


@pytest.mark.parametrize(
    ("kind", "name", "documentation", "told"),
    [
        ("counter", "calls_total", HELP, "write synthscale_"),
        ("counter", "synthscale_calls", HELP, "ends in _total"),
        ("gauge", "synthscale_calls_total", HELP, "and no other"),
        ("gauge", "synthscale__age_seconds", HELP, "single underscores"),
        ("gauge", "synthscale_Age_seconds", HELP, "lower case"),
        ("gauge", "synthscale_memory_mib", HELP, "measure in bytes"),
        ("histogram", "synthscale_call_ms", HELP, "measure in seconds"),
        ("gauge", "synthscale_used_percent", HELP, "measure in ratio"),
        ("gauge", "synthscale_temperature", HELP, "end the name in its unit"),
        ("histogram", "synthscale_leading", HELP, "end the name in its unit"),
        ("gauge", "synthscale_age_seconds", "age", "must be a sentence"),
        ("gauge", "synthscale_age_seconds", "The age of it", "must be a sentence"),
    ],
)
def test_a_bad_declaration_says_what_would_be_right(
    kind: str, name: str, documentation: str, told: str
) -> None:
    """What breaks a custom is refused in words that mend it."""
    assert told in (check_metric(kind, name, documentation) or "")


def test_a_bad_declaration_cannot_be_made() -> None:
    """The check is not advice: the declaration raises."""
    with pytest.raises(ValueError, match="ends in _total"):
        Metrics().counter("synthscale_calls", HELP)


def declarations() -> Iterator[tuple[str, str, str, str]]:
    """Every call in our rooms that declares a metric: where, kind, name and help."""
    for room in rooms():
        for path in python_files(room):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                    continue
                if node.func.attr in KINDS and node.args:
                    texts = [getattr(argument, "value", None) for argument in node.args[:2]]
                    place = f"{path.relative_to(ROOT)}:{node.lineno}"
                    yield place, node.func.attr, str(texts[0]), str(texts[-1])


def test_every_metric_of_the_house_follows_the_customs() -> None:
    """Each declared name is a literal that passes, declared in one place only."""
    found = list(declarations())
    names = [name for _, _, name, _ in found]

    assert found
    assert [f"{place}: {told}" for place, *one in found if (told := check_metric(*one))] == []
    assert sorted(set(names)) == sorted(names)


def test_only_the_metrics_module_knows_the_library() -> None:
    """A metric cannot be made beside the checks."""
    users = {
        str(path.relative_to(ROOT))
        for room in rooms()
        for path in python_files(room)
        if "prometheus_client" in path.read_text(encoding="utf-8")
    }

    assert users <= {
        "service_runtime/telemetry/metrics.py",
        "service_runtime/telemetry/own.py",
    }
