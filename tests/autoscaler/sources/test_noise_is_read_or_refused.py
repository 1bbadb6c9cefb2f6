"""Whatever bytes a file holds, it becomes samples or one line; it never fails in another way.

The same is true of what is made of the samples: a series of finite numbers, or one line.
"""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoscaler.history.assembly import series_of
from autoscaler.history.settings import HistorySettings, Kind
from autoscaler.sources.columns import Columns
from autoscaler.sources.files import read_series_file
from gpu_fleet.errors import InputError

STAMPS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(str),
    st.datetimes().map(str),
    st.dates().map(str),
    st.sampled_from(["", "0", "60", "120", "2026-03-01", "2026-03-01T00:00:00Z", "soon"]),
)
CELLS = st.one_of(
    st.floats().map(str),
    st.integers(-(10**30), 10**30).map(str),
    st.text(max_size=6),
    st.sampled_from(["", "nan", "0", "1"]),
)
ROWS = st.lists(st.tuples(STAMPS, CELLS, st.sampled_from("ab")), max_size=12)
TABLES = ROWS.map(lambda rows: "time,gpus,pool\n" + "".join(f"{','.join(row)}\n" for row in rows))
CONTENTS = st.one_of(st.binary(max_size=200), TABLES.map(str.encode), st.text().map(str.encode))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    content=CONTENTS,
    magic=st.sampled_from([b"", b"", b"", b"\x1f\x8b", b"PAR1"]),
    columns=st.sampled_from(
        [Columns(), Columns(values=("gpus",)), Columns(series="pool", total=True)]
    ),
    kind=st.sampled_from(Kind),
    step_s=st.sampled_from([None, 1, 600, 86_400]),
)
def test_noise_gives_samples_or_one_line(
    content: bytes, magic: bytes, columns: Columns, kind: Kind, step_s: int | None
) -> None:
    """And the line is one."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "noise.csv"
        path.write_bytes(magic + content)
        try:
            for samples in read_series_file(path, columns):
                assert samples.name.isprintable()
                series = series_of(samples, HistorySettings(kind=kind, step_s=step_s))
                assert all(math.isfinite(value) for value in series.values[:1_000].tolist())
        except InputError as complaint:
            assert str(complaint).isprintable()  # noqa: PT017  # either outcome is right
