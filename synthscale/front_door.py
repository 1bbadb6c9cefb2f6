"""One screen that composes the commands of every room, each loaded when it is asked for.

A planner who types `synthscale --help` wants an answer at once, and a machine that lacks one
room's libraries must still reach the others. So a command is a line in a table: its words, one
line of help and the place where it lives. Only a command that runs, or is asked for its own help,
imports its room.

This module must not import numpy, a room's code (but for the error tree) or anything heavier
than typer, and it must not hold
options: these stand beside the code that honours them, in the lowest room that can answer.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core
import typer.main

import synthscale
from gpu_fleet.errors import SynthscaleError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    # The types of what a command takes and returns; typer keeps them in a private module.
    from typer._click.core import Command, Context

__all__ = ["COMMANDS", "GROUPS", "CommandLine", "CommandUnavailable", "compose"]

OUR_ROOMS = frozenset(
    {
        "autoscaler",
        "gpu_fleet",
        "scheduler_extender",
        "service_runtime",
        "simulations",
        "synthscale",
    }
)
"""An absent module of these means an incomplete installation; of any other, a missing library."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One line of the screen: the words a person types, what they get, and where it lives."""

    words: tuple[str, ...]
    help: str
    target: str
    """`module:attribute` of a function whose parameters typer understands."""


GROUPS: Mapping[str, str] = {
    "simulate": "Run workloads on a simulated fleet: placement, replay, agents.",
    "capacity": "Answer a planner's questions: fit, size.",
    "forecast": "Which demand comes, and how sure is that: backtest, run.",
    "serve": "Run a service in this process: extender.",
    "explain": "Why something was decided: pod.",
    "lint": "Find traps before they are installed: scheduler-config.",
}

COMMANDS: Sequence[CommandLine] = (
    CommandLine(
        ("demo",),
        "Run every experiment on bundled workloads, write a report.",
        "simulations.commands.demo:command",
    ),
    CommandLine(
        ("simulate", "placement"),
        "Fill a fleet; how much of its GPUs does each policy use?",
        "simulations.commands.placement:command",
    ),
    CommandLine(
        ("simulate", "replay"),
        "Replay a trace: waits, stranded GPUs, rejected pods.",
        "simulations.commands.replay:command",
    ),
    CommandLine(
        ("simulate", "agents"),
        "Run agents with skills and data; split the losses.",
        "simulations.commands.agents:command",
    ),
    CommandLine(
        ("capacity", "fit"),
        "How many more of this pod fit, and what stops the next?",
        "simulations.commands.capacity_fit:command",
    ),
    CommandLine(
        ("capacity", "size"),
        "The cheapest nodes for a workload, beside a lower bound.",
        "simulations.commands.capacity_size:command",
    ),
    CommandLine(
        ("forecast", "backtest"),
        "Would forecasts have held, and beaten a naive guess?",
        "simulations.commands.forecast_backtest:command",
    ),
    CommandLine(
        ("forecast", "run"),
        "What comes next, between which bounds, and why so?",
        "simulations.commands.forecast_run:command",
    ),
    CommandLine(
        ("settings",),
        "What can be set in a service, or check a file of settings.",
        "service_runtime.commands:settings",
    ),
    CommandLine(
        ("serve", "extender"),
        "Answer kube-scheduler: which node is best for a pod.",
        "scheduler_extender.service.commands:serve",
    ),
    CommandLine(
        ("explain", "pod"),
        "Why a pod is on its node, or on none.",
        "scheduler_extender.service.commands:explain",
    ),
    CommandLine(
        ("lint", "scheduler-config"),
        "Traps in kube-scheduler's configuration, with the cure.",
        "scheduler_extender.scheduler_config.commands:command",
    ),
)


class CommandUnavailable(SynthscaleError):
    """A command is on the screen, but this installation lacks the code that answers it."""


class _Deferred(typer.core.TyperCommand):
    """A command known by its line alone until somebody runs it or asks for its help."""

    def __init__(self, line: CommandLine) -> None:
        super().__init__(name=line.words[-1], help=line.help, rich_markup_mode=None)
        self._line = line

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: Context | None = None,
        **extra: Any,  # noqa: ANN401 - typer's own signature
    ) -> Context:
        """Hand over to the real command, whose options are known only now."""
        return _load(self._line).make_context(info_name, args, parent, **extra)


def _load(line: CommandLine) -> Command:
    module_name, _, attribute = line.target.partition(":")
    try:
        function: Callable[..., Any] = getattr(importlib.import_module(module_name), attribute)
    except ModuleNotFoundError as error:
        raise _explain_absence(line, module_name, error) from error
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(line.words[-1])(function)
    return typer.main.get_command(app)


def _explain_absence(line: CommandLine, module_name: str, error: ModuleNotFoundError) -> Exception:
    """Tell a missing room and a missing library, which a person can mend, from our own bug."""
    words = " ".join(line.words)
    absent = error.name or ""
    if module_name == absent or module_name.startswith(f"{absent}."):
        return CommandUnavailable(f"this installation has no {words!r} (module {absent} is absent)")
    if absent.partition(".")[0] not in OUR_ROOMS:
        return CommandUnavailable(
            f"{words!r} needs the Python package {absent!r}, which is not installed;"
            " install synthscale again to bring it"
        )
    return error


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it with the flag's value
    if asked:
        typer.echo(f"synthscale {synthscale.__version__}")
        raise typer.Exit


def _screen(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Place, scale and route GPU and AI-agent work, and prove every policy offline first."""


def compose(
    commands: Sequence[CommandLine] = COMMANDS, groups: Mapping[str, str] = GROUPS
) -> typer.core.TyperGroup:
    """The whole screen as one command, with nothing of any room imported yet."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.callback(no_args_is_help=True)(_screen)
    root = typer.main.get_group(app)
    branches = {
        name: typer.core.TyperGroup(
            name=name, help=text, no_args_is_help=True, rich_markup_mode=None
        )
        for name, text in groups.items()
    }
    for line in commands:
        parent = branches[line.words[0]] if len(line.words) > 1 else root
        parent.add_command(_Deferred(line))
        if parent is not root:
            root.add_command(parent)
    return root
