"""Errors form one tree, and a complaint about input reads FILE:LINE: FIELD: PROBLEM; REMEDY.

A caller branches on the class; the text is for the person who has to act.
"""

from __future__ import annotations

import inspect
import re

import pytest

from gpu_fleet import errors
from gpu_fleet.agents import AgentProfile
from gpu_fleet.errors import InputError, SynthscaleError
from gpu_fleet.nodes import Device, Node
from gpu_fleet.pods import PodShape

CLASSES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, SynthscaleError)
]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, "is wrong; fix it"),
        ({"field": "cpu"}, "cpu: is wrong; fix it"),
        ({"file": "a.csv"}, "a.csv: is wrong; fix it"),
        ({"file": "a.csv", "field": "cpu"}, "a.csv: cpu: is wrong; fix it"),
        ({"file": "a.csv", "line": 7, "field": "cpu"}, "a.csv:7: cpu: is wrong; fix it"),
    ],
)
def test_a_complaint_has_the_parts_that_are_known(known: dict[str, object], expected: str) -> None:
    """File, line and field come first, in this order, each only if it is known."""
    assert str(InputError("is wrong", remedy="fix it", **known)) == expected  # type: ignore[arg-type]


def test_a_reader_adds_the_place_that_it_knows() -> None:
    """A value complains without knowing its file; what was known before is not overwritten."""
    bare = InputError("is wrong", remedy="fix it", field="cpu")

    assert str(bare.within("a.csv", 7)) == "a.csv:7: cpu: is wrong; fix it"
    assert str(bare.within("a.csv", 7).within("b.csv", 9)) == "a.csv:7: cpu: is wrong; fix it"


def test_the_tree_is_the_one_that_is_drawn() -> None:
    """Every class stands in the drawing with its parent above it, and none is drawn in vain."""
    drawn = re.findall(r"^    [| `-]*([A-Z]\w+)", errors.__doc__ or "", flags=re.MULTILINE)

    assert sorted(drawn) == sorted(each.__name__ for each in CLASSES)
    assert sorted(errors.__all__) == sorted(drawn)


def test_exit_codes_follow_the_tree() -> None:
    """Bad input leaves with 2, everything else that we raise with 1."""
    assert {each.__name__: each.exit_code for each in CLASSES if each.exit_code != 1} == {
        "InputError": 2
    }


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: PodShape(-1, 0), "cpu_milli: -1 is not possible; ask for 0 to"),
        (lambda: PodShape(0, -1), "memory_mib: -1 is not possible"),
        (lambda: PodShape(0, 0, gpu_count=17), "gpu_count: 17 is not possible; ask for 0 to 16"),
        (lambda: PodShape(0, 0, gpu_count=1, gpu_milli=0), "gpu_milli: 0 is not possible"),
        (lambda: PodShape(0, 0, gpu_count=1, gpu_milli=1_001), "gpu_milli: 1001 is not possible"),
        (lambda: Node("n", 0, 0, (Device(),) * 17), "gpu: node n has 17 GPUs; split it"),
        (lambda: Node("n", -5, 0), "cpu_milli: node n has -5; give an amount >= 0"),
        (lambda: AgentProfile("a", speed_permille={"T4": 0}), "speed_permille: agent a has speed"),
    ],
)
def test_values_refuse_what_cannot_be(build: object, expected: str) -> None:
    """A value that cannot be is never built, and says what is possible."""
    assert callable(build)
    with pytest.raises(InputError) as caught:
        build()

    assert str(caught.value).startswith(expected)
