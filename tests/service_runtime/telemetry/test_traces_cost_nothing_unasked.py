"""Without a collector no span is made; with one, an attempt's spans share a foreseeable id."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from service_runtime.telemetry.traces import Traces, attempt_context, attempt_trace_id

if TYPE_CHECKING:
    from collections.abc import Iterator

UID = "0d6e1c1e-7c2b-4b9e-9a53-2f1d5c7c0a11"


class Recording(trace.NonRecordingSpan):
    """A span that is recorded."""

    def is_recording(self) -> bool:
        """As the SDK's spans say while they are open."""
        return True


class Collector(trace.TracerProvider, trace.Tracer):
    """The smallest provider that is not the API's own: it keeps names and parents."""

    def __init__(self, *, samples: bool = True) -> None:
        self.spans: list[tuple[str, int]] = []
        self.samples = samples

    def get_tracer(self, *_: Any, **__: Any) -> trace.Tracer:  # noqa: ANN401 - the API's own
        """Itself."""
        return self

    def start_span(self, *_: Any, **__: Any) -> trace.Span:  # noqa: ANN401 - the API's own
        """Not the way we begin spans."""
        raise NotImplementedError

    @contextmanager
    def start_as_current_span(  # type: ignore[override] # the API's decorator is private
        self,
        name: str,
        context: Any = None,  # noqa: ANN401 - the API's own
        *_: Any,  # noqa: ANN401
        **__: Any,  # noqa: ANN401
    ) -> Iterator[trace.Span]:
        """Keep what was begun."""
        above = trace.get_current_span(context).get_span_context()
        self.spans.append((name, above.trace_id))
        yield Recording(above) if self.samples else trace.NonRecordingSpan(above)


def test_without_a_collector_there_is_no_span() -> None:
    """The API's stand-ins are seen through: root and child do nothing at all."""
    traces = Traces("extender")
    with traces.root("filter") as root, traces.child(root, "score") as child:
        root.set_attribute("nodes", 100)

    assert not traces.collects
    assert trace.INVALID_SPAN is root
    assert trace.INVALID_SPAN is child


@pytest.mark.parametrize(("samples", "names"), [(True, ["filter", "score"]), (False, ["filter"])])
def test_children_are_made_only_while_the_root_records(samples: bool, names: list[str]) -> None:
    """A root that is not sampled costs one span, not one for each phase."""
    collector = Collector(samples=samples)
    traces = Traces("extender", collector)
    with traces.root("filter") as root, traces.child(root, "score"):
        pass

    assert traces.collects
    assert names == [name for name, _ in collector.spans]


def test_calls_of_one_attempt_meet_in_one_trace() -> None:
    """Filter and prioritize of an attempt know nothing of each other, and share their trace id."""
    collector = Collector()
    for component in ("filter", "prioritize"):
        with Traces(component, collector).root(component, attempt_context(UID, 3)):
            pass
    expected = int(hashlib.sha256(f"{UID}/3".encode()).hexdigest()[:32], 16)

    assert collector.spans == [("filter", expected), ("prioritize", expected)]
    assert attempt_trace_id(UID, 3) == expected
    assert attempt_trace_id(UID, 4) != expected


def test_one_attempt_in_a_hundred_is_sampled_by_its_id() -> None:
    """The share that is sampled is what was asked for, and everybody chooses the same ones."""
    sampled = sum(attempt_context(UID, attempt).trace_flags.sampled for attempt in range(20_000))

    assert 140 < sampled < 260
    assert attempt_context(UID, 1, ratio=1.0).trace_flags.sampled
    assert not attempt_context(UID, 1, ratio=0.0).trace_flags.sampled
    assert attempt_context(UID, 1).is_valid
