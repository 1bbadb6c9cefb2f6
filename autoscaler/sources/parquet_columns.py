"""The one module that knows pyarrow: a Parquet file as named columns of arrays and text.

pyarrow is published without types; what leaves here is typed. This module must not know what a
column means.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from gpu_fleet.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["MOST_ROWS", "Column", "ParquetColumns", "open_parquet"]

MOST_ROWS = 20_000_000
_MOST_WORDS = 120
_COPY_AGAIN = "copy or download it again"


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of the file."""

    name: str
    _data: Any

    @property
    def is_text(self) -> bool:
        """Whether it holds strings."""
        return _is_text(self._data.type)

    @property
    def is_date(self) -> bool:
        """Whether it holds dates or timestamps."""
        return _is_date(self._data.type)

    @property
    def has_zone(self) -> bool:
        """Whether its timestamps are moments and not readings of a local clock."""
        return pa.types.is_timestamp(self._data.type) and self._data.type.tz is not None

    def first_empty(self) -> int | None:
        """The first row without a value."""
        if not self._data.null_count:
            return None
        return int(np.flatnonzero(self._data.is_null().to_numpy(zero_copy_only=False))[0])

    def as_text(self) -> list[str]:
        """Strings, empty where there is none."""
        return ["" if cell is None else cell for cell in self._cast(pa.string()).to_pylist()]

    def as_numbers(self) -> NDArray[np.float64] | NDArray[np.int64]:
        """Numbers, whole where the column is, not-a-number where there is none."""
        if not _is_number(self._data.type):
            raise InputError(
                f"holds {self._data.type}, no numbers",
                remedy="name a column of numbers",
                field=self.name,
            )
        whole = pa.types.is_integer(self._data.type) and not self._data.null_count
        kind = pa.int64() if whole else pa.float64()
        numbers: NDArray[Any] = self._cast(kind).to_numpy(zero_copy_only=False)
        return numbers

    def as_times_us(self) -> NDArray[np.int64]:
        """Microseconds since 1970, of moments or of what a local clock showed."""
        zone = self._data.type.tz if self.has_zone else None
        moments = self._cast(pa.timestamp("us", tz=zone))
        times: NDArray[np.int64] = moments.cast(pa.int64()).to_numpy()
        return times

    def _cast(self, kind: object) -> Any:  # noqa: ANN401  # an array of pyarrow, which has no types
        try:
            return self._data.cast(kind, safe=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise InputError(
                f"cannot be read as {kind} ({_one_line(error)})",
                remedy="write the column in a plain type",
                field=self.name,
            ) from None


@dataclass(frozen=True, slots=True, eq=False)
class ParquetColumns:
    """A file of which columns are read when they are asked for."""

    _file: Any

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return int(self._file.metadata.num_rows)

    @property
    def names(self) -> list[str]:
        """Its columns, in their order."""
        return [str(name) for name in self._file.schema_arrow.names]

    @property
    def numeric(self) -> list[str]:
        """The columns of numbers."""
        return [field.name for field in self._file.schema_arrow if _is_number(field.type)]

    @property
    def texts(self) -> list[str]:
        """The columns of strings."""
        return [field.name for field in self._file.schema_arrow if _is_text(field.type)]

    @property
    def dated(self) -> list[str]:
        """The columns of dates and timestamps."""
        return [field.name for field in self._file.schema_arrow if _is_date(field.type)]

    def column(self, name: str) -> Column:
        """One column, all rows."""
        with _complaints():
            data = self._file.read(columns=[name]).column(name).combine_chunks()
        return Column(name, data)


def open_parquet(path: Path) -> ParquetColumns:
    """The file, with its footer read."""
    with _complaints():
        file = ParquetColumns(pq.ParquetFile(path))
    if file.rows > MOST_ROWS:
        raise InputError(
            f"has {file.rows:,} rows", remedy=f"split it into files of {MOST_ROWS:,} rows"
        )
    return file


@contextmanager
def _complaints() -> Iterator[None]:
    """Whatever pyarrow cannot read, in one line."""
    try:
        yield
    except (pa.ArrowException, OSError, EOFError) as error:
        raise InputError(
            f"cannot be read as Parquet ({_one_line(error)})", remedy=_COPY_AGAIN
        ) from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:_MOST_WORDS]


def _is_text(kind: Any) -> bool:  # noqa: ANN401  # a type of pyarrow
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _is_date(kind: Any) -> bool:  # noqa: ANN401  # a type of pyarrow
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _is_number(kind: Any) -> bool:  # noqa: ANN401  # a type of pyarrow
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )
