"""A seam over OpenTelemetry: one root span a call, and nothing at all where nobody collects.

A span costs microseconds even when it is thrown away, which is much beside a decision of tens of
them. So without an SDK the seam makes no span, a child is made only when its root is recording,
and phases of a call are attributes of the root. The trace id follows from what the call is about,
so that calls of one attempt, which carry no context, meet in one trace and in the audit log.
This module must not choose an exporter, nor read a clock of its own.
"""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    NoOpTracerProvider,
    ProxyTracerProvider,
    SpanContext,
    SpanKind,
    TraceFlags,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span, TracerProvider
    from opentelemetry.util.types import AttributeValue

__all__ = ["SAMPLED_RATIO", "Traces", "attempt_context", "attempt_trace_id"]

SAMPLED_RATIO = 0.01
"""One call in a hundred: at a full rate spans cost several times what a decision does."""

_ID_BITS = 64
_NOTHING: AbstractContextManager[Span] = nullcontext(INVALID_SPAN)


def attempt_trace_id(pod_uid: str, attempt: int) -> int:
    """The id of the one trace of a pod's scheduling attempt: 128 bits of SHA-256 of both."""
    return int.from_bytes(_digest(pod_uid, attempt)[:16], "big")


def attempt_context(pod_uid: str, attempt: int, ratio: float = SAMPLED_RATIO) -> SpanContext:
    """What the spans of an attempt hang from, though no span of this id is ever sent.

    Whether it is sampled follows from the id alone, by the rule of OpenTelemetry's ratio sampler
    (the lower 64 bits against a bound), so that every process answers alike without asking.
    """
    digest = _digest(pod_uid, attempt)
    trace_id = int.from_bytes(digest[:16], "big")
    sampled = (trace_id & ((1 << _ID_BITS) - 1)) < round(ratio * (1 << _ID_BITS))
    return SpanContext(
        trace_id=trace_id,
        span_id=int.from_bytes(digest[16:24], "big"),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT),
    )


def _digest(pod_uid: str, attempt: int) -> bytes:
    # The separator cannot be in a UID, so that two pairs never read the same.
    return hashlib.sha256(f"{pod_uid}/{attempt}".encode()).digest()


class Traces:
    """Begins spans for one component, or hands out one that does nothing."""

    __slots__ = ("_tracer",)

    def __init__(self, component: str, provider: TracerProvider | None = None) -> None:
        found = trace.get_tracer_provider() if provider is None else provider
        # The API's own stand-ins make spans that nobody will see, at 3 to 5 microseconds each.
        idle = isinstance(found, NoOpTracerProvider | ProxyTracerProvider)
        self._tracer = None if idle else found.get_tracer(component)

    @property
    def collects(self) -> bool:
        """Whether anybody may see a span; ask before computing what only spans need."""
        return self._tracer is not None

    def root(
        self,
        name: str,
        above: SpanContext | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
    ) -> AbstractContextManager[Span]:
        """The span of one call, hung from `above` if that is given; ended on leaving."""
        if self._tracer is None:
            return _NOTHING
        context = None if above is None else trace.set_span_in_context(NonRecordingSpan(above))
        return self._tracer.start_as_current_span(
            name, context=context, kind=SpanKind.SERVER, attributes=attributes
        )

    def child(self, parent: Span, name: str) -> AbstractContextManager[Span]:
        """A span inside `parent`, if that is recording."""
        if self._tracer is None or not parent.is_recording():
            return _NOTHING
        return self._tracer.start_as_current_span(name, trace.set_span_in_context(parent))
