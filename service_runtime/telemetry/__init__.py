"""What a service tells about itself: events with fields, metrics with bounded labels, traces.

A part is handed a `Log`, a `Metrics` and, where it answers calls, `Traces`; it never reaches for a
global one, so that a test reads what was told and two services in one process never mix. Nothing
in this folder may decide anything, and telling must never be what makes a service fail.
"""

from service_runtime.telemetry.log import Log, RecordedEvent, RecordedLog

__all__ = ["Log", "RecordedEvent", "RecordedLog"]
