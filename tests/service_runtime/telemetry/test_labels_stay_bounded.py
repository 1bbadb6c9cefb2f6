"""A label's values are declared or capped; what is beyond them is `other`, and is counted."""

from __future__ import annotations

import pytest

from service_runtime.telemetry.metrics import OTHER, AtMost, Metrics

OVERFLOW = "synthscale_metric_label_overflow_total"
CALLS = "synthscale_calls_total"


def test_declared_values_begin_at_zero() -> None:
    """Every foreseeable series is there before anything happened, so that it has a rate."""
    metrics = Metrics()
    metrics.counter(CALLS, "Calls we have answered.", {"verdict": ("fits", "refused")})

    assert metrics.value(CALLS, verdict="fits") == 0
    assert metrics.value(CALLS, verdict="refused") == 0


def test_a_value_that_was_not_declared_is_other() -> None:
    """An unknown value is counted under `other`, and the overflow names metric and label."""
    metrics = Metrics()
    calls = metrics.counter(CALLS, "Calls we have answered.", {"verdict": ("fits",)})
    calls.add(3, verdict="perhaps")

    assert metrics.value(CALLS, verdict=OTHER) == 3
    assert metrics.value(CALLS, verdict="perhaps") is None
    assert metrics.value(OVERFLOW, metric=CALLS, label="verdict") == 1


def test_a_capped_label_tells_the_first_values_apart() -> None:
    """A cap of two tells two pools apart for ever, and counts each call of a third as overflow."""
    metrics = Metrics()
    calls = metrics.counter(CALLS, "Calls we have answered.", {"pool": AtMost(2)})
    for pool in ("a", "b", "c", "d", "c", "a"):
        calls.add(pool=pool)

    assert metrics.value(CALLS, pool="a") == 2
    assert metrics.value(CALLS, pool="b") == 1
    assert metrics.value(CALLS, pool=OTHER) == 3
    assert metrics.value(OVERFLOW, metric=CALLS, label="pool") == 3


@pytest.mark.parametrize("labels", [{}, {"pod": "a"}, {"pool": "a", "pod": "b"}])
def test_labels_other_than_the_declared_are_refused(labels: dict[str, str]) -> None:
    """A label that was never declared is a bug of ours, and says so at the first use."""
    calls = Metrics().counter(CALLS, "Calls we have answered.", {"pool": AtMost(2)})

    with pytest.raises(ValueError, match="pool"):
        calls.add(**labels)


def test_a_gauge_may_be_asked_at_each_scrape() -> None:
    """An age that grows by itself is read when somebody looks."""
    metrics = Metrics()
    ages = iter((1.0, 2.5))
    metrics.gauge("synthscale_view_age_seconds", "How old the view is.").read(lambda: next(ages))

    assert metrics.value("synthscale_view_age_seconds") == 1.0
    assert metrics.value("synthscale_view_age_seconds") == 2.5


def test_two_registries_never_meet() -> None:
    """The same metric in two services of one process is two metrics."""
    one, two = Metrics(), Metrics()
    one.counter(CALLS, "Calls we have answered.").add()
    two.counter(CALLS, "Calls we have answered.")

    assert one.value(CALLS) == 1
    assert two.value(CALLS) == 0


@pytest.mark.parametrize(
    ("accept", "content_type", "end"),
    [
        ("", "text/plain", b"\n"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics", b"# EOF\n"),
    ],
)
def test_the_caller_chooses_the_format(accept: str, content_type: str, end: bytes) -> None:
    """Prometheus gets the format that its Accept header asks for."""
    metrics = Metrics()
    seconds = metrics.histogram("synthscale_call_seconds", "How long a call took us.")
    seconds.observe(0.004)
    text, told = metrics.exposition(accept)

    assert b'synthscale_call_seconds_bucket{le="0.005"} 1.0\n' in text
    assert text.endswith(end)
    assert told.startswith(content_type)
