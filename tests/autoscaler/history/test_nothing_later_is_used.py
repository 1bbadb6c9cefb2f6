"""No peeking: what is said of a step never depends on what came after it.

Everything after a step is replaced by noise, or cut off, and what was said up to that step must
be equal to the last byte: values, flags, marks and their words. Weeks of demand with everything
that can be wrong with it are made by Hypothesis; real traces follow where they are.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from autoscaler.history.assembly import series_of
from autoscaler.history.settings import HistorySettings, Kind
from autoscaler.history.steps import pace_of
from autoscaler.sources.columns import Columns
from autoscaler.sources.files import read_series_file
from gpu_fleet.clock import DAY_S, NS_PER_S
from gpu_fleet.errors import InputError
from tests.autoscaler.history.made import NAN, demand, sampled
from tests.traces import trace_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoscaler.history.samples import Samples
    from gpu_fleet.series import Series

    Maker = Callable[[Samples, HistorySettings], Series]

STEP_S = 7_200
A_DAY = DAY_S // STEP_S


@st.composite
def troubled(draw: st.DrawFn) -> Samples:
    """Days of demand with zeros, frozen values, shifts, absent, doubled and misplaced samples."""
    days = draw(st.integers(1, 16))
    seed = draw(st.integers(0, 2**32 - 1))
    values = demand(days, seed, steps_a_day=A_DAY, level=draw(st.sampled_from([3.0, 100.0, 1e6])))
    if draw(st.booleans()):
        values = np.round(values)
    spans = st.tuples(
        st.sampled_from(["zero", "stuck", "absent", "double", "half"]),
        st.integers(0, len(values) - 1),
        st.integers(1, 30),
    )
    for trouble, begin, length in draw(st.lists(spans, max_size=8)):
        span = slice(begin, begin + length)
        match trouble:
            case "zero":
                values[span] = 0.0
            case "stuck":
                values[span] = values[begin]
            case "absent":
                values[span] = NAN
            case "double":
                values[begin:] *= 2
            case _:
                values[begin:] /= 2
    values[0] = 1.0
    return _misplaced(sampled(values, step_s=STEP_S), draw)


def _misplaced(samples: Samples, draw: st.DrawFn) -> Samples:
    """Some rows dropped, some doubled, some swapped."""
    rows = list(range(len(samples)))
    index = st.integers(0, len(samples) - 1)
    dropped = draw(st.sets(index, max_size=10)) - {0}
    rows = [row for row in rows if row not in dropped]
    rows += draw(st.lists(index, max_size=5))
    for pair in draw(st.lists(st.tuples(index, index), max_size=4)):
        one, other = (row % len(rows) for row in pair)
        rows[one], rows[other] = rows[other], rows[one]
    order = np.array(rows)
    return dataclasses.replace(
        samples,
        times_ns=samples.times_ns[order],
        values=samples.values[order],
        places=np.arange(2, 2 + len(order)),
    )


def noisy_after(samples: Samples, moment_ns: int, seed: int) -> Samples:
    """The same samples, with whatever may be measured from a moment on."""
    draws = np.random.default_rng(seed)
    values = samples.values.copy()
    later = np.flatnonzero(samples.times_ns >= moment_ns)
    noise = draws.choice([0.0, NAN, 1.0, 1e6], len(later)) * draws.uniform(0, 2, len(later))
    values[later] = noise
    return dataclasses.replace(samples, values=values)


def cut_at(samples: Samples, moment_ns: int) -> Samples:
    """What was known at a moment."""
    known = samples.times_ns < moment_ns
    assert samples.places is not None
    return dataclasses.replace(
        samples,
        times_ns=samples.times_ns[known],
        values=samples.values[known],
        places=samples.places[known],
    )


def assert_equal_up_to(step: int, one: Series, other: Series) -> None:
    """To the last byte, marks and words included."""
    one, other = one.upto(step + 1), other.upto(step + 1)

    assert (one.start_s, one.step_s) == (other.start_s, other.step_s)
    assert one.values.tobytes() == other.values.tobytes()
    assert one.measured.tobytes() == other.measured.tobytes()
    assert one.marks == other.marks


def attempt(samples: Samples, asked: HistorySettings, make: Maker = series_of) -> Series | None:
    """The series, if there is enough for one."""
    try:
        return make(samples, asked)
    except InputError:
        return None


def judge(
    samples: Samples, asked: HistorySettings, step: int, seed: int, make: Maker = series_of
) -> None:
    """One step of one series: noise after it, and nothing after it."""
    series = make(samples, asked)
    moment_ns = series.time_s(step + 1) * NS_PER_S
    assert_equal_up_to(step, series, make(noisy_after(samples, moment_ns, seed), asked))
    known = cut_at(samples, moment_ns)
    if pace_of(np.unique(known.times_ns)) == pace_of(np.unique(samples.times_ns)):
        # Where the last samples of a step are missing, nobody knows yet whether it has ended.
        cut = attempt(known, asked, make)
        if cut is not None:
            assert_equal_up_to(min(step, len(cut) - 1), series, cut)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("step_s", [STEP_S, 3 * STEP_S])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(samples=troubled(), at=st.floats(0, 1), seed=st.integers(0, 2**32 - 1))
def test_noise_after_a_step_changes_nothing_up_to_it(
    kind: Kind, step_s: int, samples: Samples, at: float, seed: int
) -> None:
    """Whatever is wrong with the samples, and whichever kind they are."""
    asked = HistorySettings(kind=kind, step_s=step_s)
    series = attempt(samples, asked)
    assume(series is not None)
    assert series is not None

    judge(samples, asked, int(at * (len(series) - 1)), seed)


def peeking(samples: Samples, asked: HistorySettings) -> Series:
    """A series that is scaled by its own mean, as many a preparation of data does."""
    series = series_of(samples, asked)
    return dataclasses.replace(series, values=series.values / series.values.mean())


def test_the_check_bites() -> None:
    """A series that looks ahead is caught."""
    samples = sampled(demand(4, seed=1), step_s=3_600)

    with pytest.raises(AssertionError):
        judge(samples, HistorySettings(), step=40, seed=1, make=peeking)


@pytest.mark.traces
@pytest.mark.parametrize("steps", [3, pytest.param(50, marks=pytest.mark.prove)])
@pytest.mark.parametrize(
    ("file", "column", "kind", "step_s"),
    [
        ("servegen_m-small_10min", "rate_rps", Kind.RATE, None),
        ("servegen_m-large_10min", "rate_rps", Kind.RATE, 3_600),
        ("nasa_http_1min", "requests", Kind.COUNT, 600),
        ("philly_active_nodes_1min", "active_nodes", Kind.GAUGE, 600),
        ("nyc_taxi_30min", "passengers", Kind.COUNT, None),
        ("helios_earth_vc_5min", "running_gpu_num", Kind.GAUGE, None),
        ("worldcup98_1min", "requests", Kind.COUNT, 600),
        ("genai_qps_57s", "qps_sum", Kind.RATE, None),
    ],
)
def test_real_traces_never_look_ahead(
    file: str, column: str, kind: Kind, step_s: int | None, steps: int
) -> None:
    """Steps of every series, drawn by its own seed."""
    series_column = "vc" if file.startswith("helios") else ""
    columns = Columns(values=(column,), series=series_column, total=bool(series_column))
    asked = HistorySettings(kind=kind, step_s=step_s)
    every = read_series_file(trace_file(f"load/{file}.csv.gz"), columns)
    for number, samples in enumerate(every):
        draws = np.random.default_rng(number)
        length = len(series_of(samples, asked))
        for step in draws.integers(0, length - 1, steps).tolist():
            judge(samples, asked, step, seed=step)
