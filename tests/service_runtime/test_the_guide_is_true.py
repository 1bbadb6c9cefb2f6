"""The guide to adding a service shows the service that is tested, and tables that hold."""

from __future__ import annotations

import re
import signal

import msgspec
import pytest

from gpu_fleet.errors import InputError, ServiceError
from service_runtime.process import endings
from service_runtime.settings.keys import subjects_of
from service_runtime.telemetry.plain import is_secret_name
from tests.house.tree import ROOT
from tests.service_runtime.reference_service import ReferenceSettings

GUIDE = (ROOT / "docs" / "how-to" / "add-a-service.md").read_text(encoding="utf-8")
SERVICE = (ROOT / "tests" / "service_runtime" / "reference_service.py").read_text(encoding="utf-8")


def test_the_guide_shows_the_service_that_runs() -> None:
    """The page's only code block is the reference service, letter for letter."""
    assert re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL) == [SERVICE]


def test_the_service_is_a_page() -> None:
    """Settings, watch, leader, both ports and drain fit into eighty lines."""
    assert len(SERVICE.splitlines()) <= 80


def test_the_keys_the_guide_names_exist() -> None:
    """Every `subject.key` of the page is a setting."""
    keys = {
        key.path
        for subject in subjects_of(ReferenceSettings).values()
        for key in subject.keys.values()
    }
    named = set(re.findall(r"`((?:process|count|kube)\.\w+)`", GUIDE))

    assert named
    assert named <= keys


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        ("0", endings.by_signal(signal.SIGTERM)),
        ("1", endings.failed("view", ServiceError("gone"))),
        ("1", endings.failed("view", None)),
        ("1", endings.not_ready("view", 60)),
        ("1", endings.stuck("view", 25)),
        ("2", endings.failed("view", InputError("wrong", remedy="correct it"))),
        ("130", endings.by_signal(signal.SIGINT)),
        ("143", endings.by_second(signal.SIGTERM)),
        ("130", endings.by_second(signal.SIGINT)),
    ],
)
def test_the_exit_codes_are_those_of_the_table(code: str, ending: endings.Ending) -> None:
    """Each way to end has the code that the page says."""
    assert code == str(ending.code)
    assert f"| {code} |" in GUIDE or f"{code} for" in GUIDE


def test_the_reference_service_documents_its_settings() -> None:
    """Its own subject is documented like the chassis', and inherits all of the others."""
    subjects = subjects_of(ReferenceSettings)

    assert isinstance(ReferenceSettings(), msgspec.Struct)
    assert {"log", "process", "kube", "leadership", "ports", "tls", "count"} <= set(subjects)
    for subject in subjects.values():
        assert all(key.documentation.endswith(".") for key in subject.keys.values())
        assert not any(is_secret_name(key.name) for key in subject.keys.values())
