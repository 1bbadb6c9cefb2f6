"""An event is one line with time, level, component and fields, whatever a caller puts into it."""

from __future__ import annotations

import io
import json
import logging
import warnings
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpu_fleet.errors import KubeForbidden
from service_runtime.telemetry import RecordedLog
from service_runtime.telemetry.libraries import libraries_tell
from service_runtime.telemetry.metrics import Metrics
from service_runtime.telemetry.plain import MOST_CHARACTERS, MOST_ITEMS, plain_fields
from service_runtime.telemetry.settings import LogSettings
from service_runtime.telemetry.structured import StructuredLog
from tests.service_runtime.stepped import SteppedTiming

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=20,
)


class Colour(Enum):
    """A value of a closed set."""

    RED = "red"


class Rude:
    """A value that cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError


def written(
    settings: LogSettings | None = None, metrics: Metrics | None = None
) -> tuple[StructuredLog, io.StringIO]:
    """A log and what it writes to."""
    stream = io.StringIO()
    made = StructuredLog(settings or LogSettings(), SteppedTiming(), stream, metrics or Metrics())
    return made, stream


def test_a_line_has_time_level_component_and_event_first() -> None:
    """The four fields every line has stand first, the time in UTC as RFC 3339."""
    events, stream = written()
    events.component("kube").event("watch_began", resource="pods", objects=3)

    assert stream.getvalue() == (
        '{"time":"2026-01-02T03:04:05.000Z","level":"info","component":"kube",'
        '"event":"watch_began","resource":"pods","objects":3}\n'
    )


def test_a_field_cannot_overwrite_what_every_line_has() -> None:
    """A field called like one of the four is kept under a name of its own."""
    events, stream = written()
    events.warn("odd", level="x", event="y", name="z")
    line = json.loads(stream.getvalue())

    assert tuple(line[key] for key in ("level", "event", "level_", "event_", "name")) == (
        "warning",
        "odd",
        "x",
        "y",
        "z",
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Path("etc") / "ca.crt", "etc/ca.crt"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000Z"),
        (Colour.RED, "red"),
        (float("nan"), "nan"),
        (1 << 70, str(1 << 70)),
        (b"abc", "<3 bytes>"),
        ({"a"}, ["a"]),
        (
            KubeForbidden("may not list pods; grant it"),
            "KubeForbidden: may not list pods; grant it",
        ),
        (Rude(), "<Rude>"),
        (RuntimeError(Rude()), "RuntimeError: <RuntimeError>"),
        ([[[[["deep"]]]]], [[[["['deep']"]]]]),
    ],
)
def test_a_value_is_written_as_json_can_hold_it(value: object, told: object) -> None:
    """Each kind of value has one plain form."""
    assert {"value": told} == plain_fields({"value": value})


def test_long_values_are_cut() -> None:
    """Texts, lists and fields are bounded, and what was left out is said."""
    told = plain_fields({"text": "x" * 10_000, "many": range(1_000)})
    crowd = plain_fields({f"field_{number}": number for number in range(100)})

    assert told["text"] == "x" * MOST_CHARACTERS + "... (10000 characters)"
    assert told["many"] == [*range(MOST_ITEMS), "(968 more)"]
    assert crowd["left_out"] == 100 - MOST_ITEMS


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(), ANYTHING))
def test_anything_can_be_told(fields: dict[str, object]) -> None:
    """Whatever the fields are, one line of JSON comes out and nothing raises."""
    events, stream = written()
    events.tell("info", "anything", fields)

    assert stream.getvalue().count("\n") == 1
    assert json.loads(stream.getvalue())["event"] == "anything"


def test_a_bug_brings_its_traceback_and_a_foreseen_error_does_not() -> None:
    """A traceback in the log always means a bug of ours."""
    events, stream = written()
    events.error("failed", cause=KubeForbidden("no; ask"))
    events.error("failed", cause=ZeroDivisionError("a bug"))
    foreseen, bug = map(json.loads, stream.getvalue().splitlines())

    assert "traceback" not in foreseen
    assert bug["traceback"][-1] == "ZeroDivisionError: a bug"


def test_levels_below_the_chosen_are_silent() -> None:
    """A log that is set to `error` writes errors only."""
    events, stream = written(LogSettings(level="error"))
    events.event("one")
    events.warn("two")
    events.error("three")

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["three"]


def test_a_person_reads_text_and_a_stranger_cannot_move_the_cursor() -> None:
    """On a terminal a line is text; control characters in a value are shown, not obeyed."""
    events, stream = written(LogSettings(format="terminal"))
    events.event("node_seen", node="a\x1b[2J\nforged")

    assert "node_seen" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


def test_a_reader_that_left_ends_no_service() -> None:
    """A line that cannot be written is counted and given up."""
    metrics = Metrics()
    events, stream = written(metrics=metrics)
    stream.close()
    events.event("to_nobody")

    assert metrics.value("synthscale_log_lines_lost_total") == 1


def test_libraries_tell_through_the_same_log() -> None:
    """A library's records and Python's warnings become events of its component."""
    events, stream = written()
    with libraries_tell(events, "warning"):
        logging.getLogger("aiohttp.server").warning("slow %s", "client")
        logging.getLogger("aiohttp.access").info("GET /")
        logging.getLogger("kubernetes").error("%d", "no number")
        with warnings.catch_warnings(action="default"):
            warnings.warn("old", DeprecationWarning, stacklevel=1)
    first, second, third = map(json.loads, stream.getvalue().splitlines())

    assert (first["component"], first["message"]) == ("aiohttp.server", "slow client")
    assert (second["level"], second["message"]) == ("error", "%d")
    assert "old" in third["message"]


def test_a_recorder_holds_names_to_their_form() -> None:
    """An event named in prose is found by the first test that sees it."""
    events = RecordedLog()
    events.component("kube").warn("watch_expired", resource="pods")

    assert events.names("warning") == ["watch_expired"]
    assert events.named("watch_expired")[0].fields == {"resource": "pods"}
    with pytest.raises(ValueError, match="lower_case"):
        events.event("The watch expired")
