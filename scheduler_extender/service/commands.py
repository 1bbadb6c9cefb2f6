"""`synthscale serve extender` and `synthscale explain pod`: what a person or a container starts.

Explaining asks the running service where its address is given, and else the events beside the pod,
which hold the same record and outlive the process that wrote it.
This module must not know how a decision comes about.
"""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from gpu_fleet.errors import InputError
from scheduler_extender.service.asking import Question, ask
from scheduler_extender.service.process import NAME, serve_extender
from scheduler_extender.service.settings import ServiceSettings
from scheduler_extender.service.telling import as_text
from service_runtime.process import execute
from service_runtime.settings import read_settings

__all__ = ["explain", "serve"]


def serve(
    settings: Annotated[
        str | None, typer.Option(help="TOML file; `synthscale settings extender` prints one.")
    ] = None,
) -> None:
    """Serve kube-scheduler's extender protocol until told to end."""
    chosen = read_settings(ServiceSettings, file=settings, environment=os.environ).settings
    raise typer.Exit(execute(NAME, lambda: serve_extender(chosen)))


def explain(
    pod: Annotated[str, typer.Argument(metavar="NAMESPACE/NAME", help="The pod.")],
    kubeconfig: Annotated[str, typer.Option(help="Default: as kubectl finds it.")] = "",
    context: Annotated[str, typer.Option(help="Context of the kubeconfig.")] = "",
    url: Annotated[
        str | None,
        typer.Option(help="Observation port of the service, as https://HOST:PORT; else events."),
    ] = None,
    ca: Annotated[str | None, typer.Option(help="PEM file of the authority of that port.")] = None,
    token_file: Annotated[
        str | None, typer.Option(help="File with a token that may get /explain/*.")
    ] = None,
    json: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--json", help="Print the record as JSON.")
    ] = False,
) -> None:
    """Terms by node, the winner, and how many nodes were refused for what reason."""
    namespace, slash, name = pod.partition("/")
    if not (namespace and slash and name):
        raise InputError("is no pod", remedy="write NAMESPACE/NAME", field=pod)
    question = Question(namespace, name, kubeconfig, context, url, ca, token_file)
    record = asyncio.run(ask(question))
    typer.echo(record.decode() if json else as_text(record), nl=not json)
