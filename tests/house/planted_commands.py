"""Commands that end in every way a command can end, for the tests of the front door.

They exist so that exit codes are tested through the same loading path as real commands.
They must not do anything else.
"""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import Annotated

import typer

from gpu_fleet.errors import InputError, SimulationError

__all__ = [
    "bad_input",
    "failed_run",
    "interrupted",
    "interrupted_on_an_import",
    "our_bug",
    "says_three",
    "succeeds",
]


def succeeds(pods: Annotated[int, typer.Option(help="How many [1..9].")] = 1) -> None:
    """Place some pods."""
    typer.echo(f"placed {pods}")


def says_three() -> int:
    """End with an exit code of its own."""
    return 3


def bad_input() -> None:
    """Meet a file that cannot be used."""
    raise InputError(
        "a negative request", remedy="write 0 or more", file="pods.csv", line=3, field="cpu_milli"
    )


def failed_run() -> None:
    """Fail in a way we foresaw."""
    raise SimulationError("time went backwards; report the seed")


def interrupted() -> None:
    """Meet Ctrl-C."""
    raise KeyboardInterrupt


def interrupted_on_an_import() -> None:
    """Meet Ctrl-C where an extension module makes an error of its own of it."""
    with suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    message = "initialization failed"
    raise ImportError(message)


def our_bug() -> None:
    """Fail in a way nobody foresaw."""
    message = "a bug"
    raise ZeroDivisionError(message)
