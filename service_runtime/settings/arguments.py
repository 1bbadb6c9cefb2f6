"""The command line of a service, which is the same for all: at most the file of its settings.

Whatever else an operator chooses is a setting, so that it is documented, checked and printed in one
way. This module must not know a service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from gpu_fleet.errors import InputError
from service_runtime.settings.reading import read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["settings_of_process"]

S = TypeVar("S", bound=msgspec.Struct)

OPTION = "--settings"


def settings_of_process(
    kind: type[S], arguments: Sequence[str], environment: Mapping[str, str]
) -> S:
    """The settings that hold in a process started as `NAME [--settings FILE]`."""
    match list(arguments):
        case []:
            file = None
        case [option, path] if option == OPTION:
            file = path
        case others:
            raise InputError(
                f"cannot be used: {' '.join(others)[:200]!r}",
                remedy=f"give nothing, or {OPTION} FILE",
                field="arguments",
            )
    return read_settings(kind, file=file, environment=environment).settings
