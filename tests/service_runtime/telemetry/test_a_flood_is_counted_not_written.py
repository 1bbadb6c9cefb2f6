"""What repeats is written once and counted; nothing is lost from the count, memory is bounded."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_fleet.clock import NS_PER_S
from service_runtime.telemetry.flood import MOST_KEYS, Flood
from service_runtime.telemetry.metrics import Metrics
from service_runtime.telemetry.settings import LogSettings
from service_runtime.telemetry.structured import StructuredLog
from tests.service_runtime.stepped import SteppedTiming

if TYPE_CHECKING:
    from collections.abc import Iterable


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    """What was written so far."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_a_repeated_event_is_told_once_with_its_count() -> None:
    """A thousand equal events make a line at once and a line with the count a minute later."""
    stream, timing = io.StringIO(), SteppedTiming()
    events = StructuredLog(LogSettings(), timing, stream, Metrics())
    for _ in range(1_000):
        events.warn("api_unreachable", server="a")
    await timing.pass_s(61)
    events.event("something_else")

    assert [(line["event"], line.get("repeated")) for line in lines(stream)] == [
        ("api_unreachable", None),
        ("api_unreachable", 999),
        ("something_else", None),
    ]
    assert lines(stream)[1]["server"] == "a"
    assert lines(stream)[1]["repeated_over_s"] == 61.0


def test_one_name_with_many_fields_is_a_flood_too() -> None:
    """Five thousand bad objects are not five thousand lines."""
    stream, metrics = io.StringIO(), Metrics()
    events = StructuredLog(LogSettings(most_of_one_event=10), SteppedTiming(), stream, metrics)
    for number in range(5_000):
        events.warn("object_skipped", pod=f"pod-{number}")
    events.close()

    assert len(lines(stream)) == 11
    assert lines(stream)[-1]["repeated"] == 4_990
    assert metrics.value("synthscale_log_events_total", level="warning") == 5_000


def test_a_window_of_zero_writes_everything() -> None:
    """Whoever wants every line gets it."""
    stream = io.StringIO()
    events = StructuredLog(LogSettings(repeat_window_s=0), SteppedTiming(), stream, Metrics())
    for _ in range(5):
        events.event("again")

    assert len(lines(stream)) == 5


async def test_what_is_held_back_is_told_at_the_end() -> None:
    """Ending the process tells what was still being counted."""
    stream = io.StringIO()
    events = StructuredLog(LogSettings(), SteppedTiming(), stream, Metrics())
    events.component("kube").error("refused")
    events.component("kube").error("refused")
    events.close()

    assert [line.get("repeated") for line in lines(stream)] == [None, 1]
    assert lines(stream)[1]["component"] == "kube"


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abc")), max_size=80),
    st.integers(1, 3),
)
def test_every_event_is_written_or_counted(
    arrivals: Iterable[tuple[int, str]], allowance: int
) -> None:
    """Whatever comes and when: written plus counted is what came."""
    flood: Flood[str] = Flood(60.0, allowance)
    now_ns = written = counted = came = 0
    for wait_s, key in arrivals:
        now_ns += wait_s * NS_PER_S
        counted += sum(held.times for held in flood.due(now_ns))
        written += flood.passes(key, key, now_ns)
        came += 1
    counted += sum(held.times for held in flood.rest(now_ns))

    assert came == written + counted


def test_strangers_do_not_fill_the_memory() -> None:
    """Ever new events end the oldest windows early."""
    flood: Flood[int] = Flood(60.0, 1)
    for key in range(3 * MOST_KEYS):
        flood.due(0)
        flood.passes(key, key, 0)

    assert len(flood._windows) == MOST_KEYS + 1
