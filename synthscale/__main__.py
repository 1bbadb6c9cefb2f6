"""The process around the front door: it turns whatever happens into an exit code and one line.

A foreseen error (bad input, a failed run) is told in one line and needs no traceback; a traceback
therefore always means a bug of ours. This module must not know any command: it only runs the
screen and translates how it ended.

    0    done
    1    failed, a bug, or the reader of our output went away
    2    bad input or bad usage: the line names what to correct
    130  interrupted from the keyboard
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

from gpu_fleet.errors import SynthscaleError
from service_runtime import interrupts
from synthscale.front_door import compose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typer.core import TyperGroup

__all__ = ["main"]

READER_LEFT = 1
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None, screen: TyperGroup | None = None) -> int:
    """Run one command line (by default this process's own) and return its exit code."""
    try:
        code = _run(
            sys.argv[1:] if arguments is None else list(arguments),
            compose() if screen is None else screen,
        )
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_left()
    return code


def _run(arguments: list[str], screen: TyperGroup) -> int:
    with interrupts.remembered() as interrupted:
        try:
            outcome = screen.main(arguments, prog_name="synthscale", standalone_mode=False)
        except (KeyboardInterrupt, typer.Abort):
            return _tell("interrupted", INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - raised again unless foreseen
            # An extension module whose import meets Ctrl-C fails with an ImportError, for one.
            if interrupted():
                return _tell("interrupted", INTERRUPTED)
            return _failed(error)
    code = outcome if isinstance(outcome, int) else 0
    return _tell("interrupted", code) if code == INTERRUPTED else code


def _failed(error: Exception) -> int:
    """One line and a code for what was foreseen; what was not is raised again."""
    match error:
        case typer.TyperException():
            return _bad_usage(error)
        case SynthscaleError():
            return _tell(str(error), error.exit_code)
        case _:
            raise error


def _tell(message: str, code: int) -> int:
    typer.echo(f"synthscale: {message}", err=True)
    return code


def _bad_usage(error: typer.TyperException) -> int:
    """Print a usage error in one line, or the help that a bare group asks for."""
    context = getattr(error, "ctx", None)
    message = error.format_message()
    if context is None:
        return _tell(message, error.exit_code)
    if message == context.get_help():
        typer.echo(message)
        return error.exit_code
    return _tell(f"{message} (see {context.command_path} --help)", error.exit_code)


def _reader_left() -> int:
    """Leave quietly when the program that read our output is gone (`synthscale ... | head`)."""
    # Python would flush stdout once more on exit and complain; let it flush into nothing.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return READER_LEFT


if __name__ == "__main__":
    sys.exit(main())
