"""The text of a file of nodes, pods, prices or settings.

What is wrong with a file is told by `gpu_fleet.file_text`. This module must not know what the text
means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.file_text import MOST_BYTES, path_in_words, stem_of, text_of, unreadable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SourceText", "read_text"]

_ENDINGS = (".gz", ".csv", ".json")


@dataclass(frozen=True, slots=True)
class SourceText:
    """The decoded content of one file."""

    file: str
    """The path as the person wrote it; it opens every complaint."""
    stem: str
    """The name without folders and endings; it names the workload in reports."""
    text: str

    @property
    def is_json(self) -> bool:
        """Content decides, not the ending: JSON opens with a brace or a bracket, CSV never does."""
        return self.text[:256].lstrip().startswith(("{", "["))


def read_text(path: Path) -> SourceText:
    """Everything in `path`, unpacked if it is gzip, as text without a byte order mark."""
    file = path_in_words(str(path))
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise unreadable(error, file) from error
    in_utf8 = "save it as UTF-8 CSV, or as the JSON that kubectl prints"
    text = text_of(content, file, wanted="content", in_utf8=in_utf8)
    return SourceText(file=file, stem=stem_of(path.name, _ENDINGS), text=text)
