"""Metrics whose names follow Prometheus' customs and whose labels cannot grow without bound.

A label that takes its values from outside (a pod, a path, a user) can make more series than
Prometheus can hold, and nobody notices until it falls over. So each label declares its values, or
how many it may have; what is beyond is counted as `other`, and so is the fact itself.
This module alone knows `prometheus_client`; it must not keep a registry that nobody passed in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import prometheus_client as prometheus
from prometheus_client.exposition import choose_encoder

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "LATENCY_BUCKETS_S",
    "OTHER",
    "AtMost",
    "Counter",
    "Gauge",
    "Histogram",
    "Labels",
    "Metrics",
    "check_metric",
]

OTHER = "other"
"""The value of a label for whatever was not declared or is beyond the cap."""

LATENCY_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
"""Half a millisecond, where a decision from memory lies, to ten seconds, where callers give up."""

_MOST_PREPARED = 100
_NAME = re.compile(r"synthscale(_[a-z][a-z0-9]*)+")
_SENTENCE = re.compile(r"[A-Z][^\n]* [^\n]* [^\n]*\.")
_UNITS = frozenset({"bytes", "celsius", "dollars", "info", "joules", "ratio", "seconds", "watts"})
_LAST_WORDS = {"counter": {"total"}, "gauge": {"leading", "ready", "up"}}
"""What else a name may end in; for a gauge, the words of one that is 1 or 0."""
_NO_UNITS = {
    **dict.fromkeys(("ms", "us", "ns", "milliseconds", "microseconds", "minutes"), "seconds"),
    **dict.fromkeys(("secs", "sec", "s", "hours", "days"), "seconds"),
    **dict.fromkeys(("kib", "mib", "gib", "kb", "mb", "gb", "kilobytes", "megabytes"), "bytes"),
    **dict.fromkeys(("percent", "percents", "pct", "percentage"), "ratio"),
}


@dataclass(frozen=True, slots=True)
class AtMost:
    """The first so many values a label takes are told apart; all later ones are `other`."""

    values: int


Labels: TypeAlias = Mapping[str, Sequence[str] | AtMost]
"""Each label with the values it may take, or with how many."""

_NO_LABELS: Labels = MappingProxyType({})

_Made = TypeVar("_Made", prometheus.Counter, prometheus.Gauge, prometheus.Histogram)


def check_metric(kind: str, name: str, documentation: str) -> str | None:
    """What is wrong with a declaration and what would be right; None where nothing is."""
    if not _NAME.fullmatch(name):
        return f"{name}: write synthscale_ and lower case words joined by single underscores"
    if not _SENTENCE.fullmatch(documentation):
        return f"{name}: the help text must be a sentence, capital to full stop"
    if (kind == "counter") != name.endswith("_total"):
        return f"{name}: a counter's name ends in _total, and no other"
    last = name.rpartition("_")[2]
    if last in _NO_UNITS:
        return f"{name}: measure in {_NO_UNITS[last]}, and end the name so"
    if last in _UNITS or last.endswith("s") or last in _LAST_WORDS.get(kind, ()):
        return None
    return f"{name}: end the name in its unit ({', '.join(sorted(_UNITS))}) or in what is counted"


class _Series(Generic[_Made]):
    """The children of one metric, by the values of its labels, kept within their bounds."""

    __slots__ = ("_bounds", "_children", "_make", "_overflow", "_seen")

    def __init__(
        self,
        bounds: Labels,
        make: Callable[..., _Made],
        overflow: Callable[[str], None],
    ) -> None:
        self._bounds = bounds
        self._make: Callable[..., _Made] = make
        self._overflow = overflow
        self._children: dict[tuple[str | None, ...], _Made] = {}
        self._seen: dict[str, set[str]] = {
            label: set() if isinstance(bound, AtMost) else set(bound)
            for label, bound in bounds.items()
        }
        self._prepare()

    def child(self, given: Mapping[str, str]) -> _Made:
        key = tuple([given.get(label) for label in self._bounds])
        found = self._children.get(key) if len(given) == len(key) else None
        return self._admit(given) if found is None else found

    def _admit(self, given: Mapping[str, str]) -> _Made:
        if given.keys() != self._bounds.keys():
            raise ValueError(f"the labels are {sorted(self._bounds)}, not {sorted(given)}")
        key = tuple(self._bounded(label, str(given[label])) for label in self._bounds)
        if key not in self._children:
            self._children[key] = self._make(*key)
        return self._children[key]

    def _bounded(self, label: str, value: str) -> str:
        bound, seen = self._bounds[label], self._seen[label]
        if value in seen or value == OTHER:
            return value
        if isinstance(bound, AtMost) and len(seen) < bound.values:
            seen.add(value)
            return value
        self._overflow(label)
        return OTHER

    def _prepare(self) -> None:
        """Begin at zero what can be foreseen: a series that is born at 1 has no rate."""
        declared = [bound for bound in self._bounds.values() if not isinstance(bound, AtMost)]
        if len(declared) < len(self._bounds) or math.prod(map(len, declared)) > _MOST_PREPARED:
            return
        for key in product(*declared):
            self._children[key] = self._make(*key)


class Counter:
    """Only ever grows, until the process ends."""

    __slots__ = ("_series",)

    def __init__(self, series: _Series[prometheus.Counter]) -> None:
        self._series = series

    def add(self, amount: float = 1, /, **labels: str) -> None:
        """Count `amount` more, which must not be negative."""
        self._series.child(labels).inc(amount)

    def bound(self, **labels: str) -> Callable[[], None]:
        """Counts one more under these labels, looked up once: for a path that is hot."""
        return self._series.child(labels).inc


class Gauge:
    """Goes up and down."""

    __slots__ = ("_series",)

    def __init__(self, series: _Series[prometheus.Gauge]) -> None:
        self._series = series

    def set(self, value: float, /, **labels: str) -> None:
        """It is `value` now."""
        self._series.child(labels).set(value)

    def add(self, amount: float = 1, /, **labels: str) -> None:
        """It is `amount` more than it was; less, where that is negative."""
        self._series.child(labels).inc(amount)

    def read(self, ask: Callable[[], float], /, **labels: str) -> None:
        """Ask for the value whenever somebody scrapes: for ages, which grow by themselves."""
        self._series.child(labels).set_function(ask)


class Histogram:
    """How a quantity is spread."""

    __slots__ = ("_series",)

    def __init__(self, series: _Series[prometheus.Histogram]) -> None:
        self._series = series

    def observe(self, value: float, /, **labels: str) -> None:
        """Once more, it was `value`."""
        self._series.child(labels).observe(value)

    def bound(self, **labels: str) -> Callable[[float], None]:
        """Observes under these labels, looked up once: for a path that is hot."""
        return self._series.child(labels).observe


class Metrics:
    """Declares metrics in one registry and writes them out."""

    __slots__ = ("_overflow", "_registry")

    def __init__(self, registry: prometheus.CollectorRegistry | None = None) -> None:
        self._registry = registry or prometheus.CollectorRegistry()
        self._overflow = prometheus.Counter(
            "synthscale_metric_label_overflow_total",
            "Label values counted as other, since they were not declared or beyond the cap.",
            ("metric", "label"),
            registry=self._registry,
        )

    def counter(self, name: str, documentation: str, labels: Labels = _NO_LABELS) -> Counter:
        """Declare a counter; `labels` bounds every label."""
        _insist("counter", name, documentation)
        made = prometheus.Counter(name, documentation, tuple(labels), registry=self._registry)
        return Counter(self._series(name, labels, made))

    def gauge(self, name: str, documentation: str, labels: Labels = _NO_LABELS) -> Gauge:
        """Declare a gauge; `labels` bounds every label."""
        _insist("gauge", name, documentation)
        made = prometheus.Gauge(name, documentation, tuple(labels), registry=self._registry)
        return Gauge(self._series(name, labels, made))

    def histogram(
        self,
        name: str,
        documentation: str,
        labels: Labels = _NO_LABELS,
        buckets: Sequence[float] = LATENCY_BUCKETS_S,
    ) -> Histogram:
        """Declare a histogram; `labels` bounds every label, `buckets` are upper bounds."""
        _insist("histogram", name, documentation)
        made = prometheus.Histogram(
            name, documentation, tuple(labels), buckets=buckets, registry=self._registry
        )
        return Histogram(self._series(name, labels, made))

    def collect_from(self, *collectors: Callable[[prometheus.CollectorRegistry], object]) -> None:
        """Let ready-made collectors of `prometheus_client` register themselves."""
        for collector in collectors:
            collector(self._registry)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """All metrics, and the content type they are written in, by the caller's Accept header."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def value(self, name: str, **labels: str) -> float | None:
        """One sample as it is written out; None where there is no such series."""
        return self._registry.get_sample_value(name, labels)

    def _series(self, name: str, labels: Labels, made: _Made) -> _Series[_Made]:
        def make(*values: str) -> _Made:
            return made.labels(*values) if values else made

        def overflow(label: str) -> None:
            self._overflow.labels(name, label).inc()

        return _Series(dict(labels), make, overflow)


def _insist(kind: str, name: str, documentation: str) -> None:
    problem = check_metric(kind, name, documentation)
    if problem is not None:
        raise ValueError(problem)
