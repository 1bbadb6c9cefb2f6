"""What a person asks of the chassis at the front door: which settings a service has.

Shell only: it reads a file and the environment, prints, and leaves judging to `settings`.
This module must not import a service before its name is given.
"""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Annotated

import msgspec
import typer

from service_runtime.settings.keys import subjects_of
from service_runtime.settings.printing import as_file, as_rows
from service_runtime.settings.reading import read_settings
from service_runtime.settings.services import settings_of

__all__ = ["settings"]


def settings(
    service: Annotated[str, typer.Argument(help="A service; `chassis` is what all have.")],
    file: Annotated[
        str | None,
        typer.Option(help="Check this TOML file with the environment; print what then holds."),
    ] = None,
    json: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--json", help="Print JSON instead of a commented TOML file.")
    ] = False,
) -> None:
    """Print every setting of a service: type, bounds, default, variable and documentation."""
    kind = settings_of(service)
    subjects = subjects_of(kind)
    effective = None if file is None else read_settings(kind, file=file, environment=os.environ)
    if not json:
        typer.echo(as_file(subjects, effective), nl=False)
        return
    content = {
        "command": "settings",
        "version": version("synthscale"),
        "service": service,
        "rows": as_rows(subjects, effective),
    }
    typer.echo(msgspec.json.format(msgspec.json.encode(content), indent=2).decode())
