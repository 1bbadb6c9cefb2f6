"""A CSV text as a header and numbered rows.

The dialect is the plain one that spreadsheets and pandas write: commas, double quotes, any line
ending. This module must not know which columns are wanted or why.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError
from gpu_fleet.words import counted, listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Table"]


class Table:
    """The header is checked at once, rows are read and checked as they are asked for."""

    __slots__ = ("_rows", "columns")

    def __init__(self, text: str) -> None:
        # splitlines() would also cut at form feeds and U+2028, which are legal inside a cell.
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._rows = csv.reader((f"{line}\n" for line in lines), strict=True)
        self.columns = self._header()

    def require(self, wanted: Sequence[str], kind: str, hint: str) -> None:
        """Complain about the first wanted column that the header does not have."""
        for column in wanted:
            if column not in self.columns:
                raise InputError(
                    f"the column is missing; the header has {_header_words(self.columns)}",
                    remedy=f"{kind} needs {','.join(wanted)}{hint}",
                    line=1,
                    field=column,
                )

    def index(self, column: str) -> int | None:
        """Where a column is, or None when the header does not have it."""
        return self.columns.index(column) if column in self.columns else None

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row with its line number; blank lines are passed over."""
        width = len(self.columns)
        while (row := self._next()) is not None:
            if not row:
                continue
            if len(row) != width:
                raise InputError(
                    f"{counted(len(row), 'cell')} under {counted(width, 'column')}",
                    remedy="make the row as wide as the header",
                    line=self._rows.line_num,
                )
            yield self._rows.line_num, row

    def _next(self) -> list[str] | None:
        try:
            return next(self._rows, None)
        except csv.Error as error:
            raise InputError(
                f"is not CSV ({error})",
                remedy="give comma-separated values, or the JSON that kubectl prints",
                line=self._rows.line_num,
            ) from None

    def _header(self) -> tuple[str, ...]:
        header = self._next()
        while header == []:
            header = self._next()
        columns = tuple(name.strip() for name in header or ())
        for name in columns:
            if columns.count(name) > 1:
                raise InputError(
                    f"{shown(name)} is there {columns.count(name)} times",
                    remedy="name each column once",
                    line=1,
                    field="header",
                )
        return columns


def _header_words(columns: Sequence[str]) -> str:
    return listed([column for column in columns if column]) or "no names"
