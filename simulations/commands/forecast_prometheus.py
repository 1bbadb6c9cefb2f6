"""History out of Prometheus for both forecast commands: which server, which queries, which range.

The server is asked once a minute of history, or once a step where that is shorter; `--step` makes
steps of it as of any samples. This module must not ask the server: a source does.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from autoscaler.sources.prometheus import PrometheusRange
from autoscaler.sources.prometheus_api import PrometheusServer
from autoscaler.sources.stamps import text_as_stamps
from gpu_fleet.clock import NS_PER_S
from gpu_fleet.errors import InputError
from simulations.runs.durations import parse_duration

__all__ = ["CaFile", "LastOption", "PrometheusUrl", "Queries", "TokenFile", "UntilOption", "ranges"]

PrometheusUrl = Annotated[
    str,
    typer.Option(
        "--prometheus", help="History out of this Prometheus instead: its URL.", show_default=False
    ),
]
Queries = Annotated[
    list[str] | None,
    typer.Option(
        "--query", help="What to ask Prometheus, in PromQL. Repeat for several.", show_default=False
    ),
]
LastOption = Annotated[str, typer.Option("--last", help="How much history to ask for.")]
UntilOption = Annotated[
    str,
    typer.Option("--until", help="Where that history ends. Without it now.", show_default=False),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(help="A file with a bearer token for Prometheus.", show_default=False),
]
CaFile = Annotated[
    Path | None,
    typer.Option(help="Authorities that Prometheus's certificate is checked by."),
]

_ASKED_EVERY_S = 60


def ranges(
    url: str,
    queries: list[str] | None,
    *,
    last: str,
    until: str,
    step: str,
    token_file: Path | None,
    ca_file: Path | None,
) -> tuple[PrometheusRange, ...]:
    """The ranges that the options ask for; raises `InputError`, which names the option."""
    if not url:
        given = {"--query": queries, "--until": until, "--token-file": token_file}
        for option, said in {**given, "--ca-file": ca_file}.items():
            if said:
                raise InputError(
                    "there is nobody to ask", remedy="give --prometheus URL", field=option
                )
        return ()
    if not queries:
        raise InputError("nothing is asked", remedy="give --query 'sum(...)'", field="--prometheus")
    try:
        server = PrometheusServer(url, ca_file=ca_file, token_file=token_file)
    except InputError as complaint:
        raise complaint.within("--prometheus") from None
    every_s = min(_ASKED_EVERY_S, parse_duration(step, "--step") if step else _ASKED_EVERY_S)
    end_s = _moment_s(until) if until else int(time.time())
    start_s = end_s - parse_duration(last, "--last")
    return tuple(PrometheusRange(server, query, start_s, end_s, every_s) for query in queries)


def _moment_s(text: str) -> int:
    """Unix seconds of a moment that is written as in a file."""
    stamps = text_as_stamps([text], "--until", [0])
    if not stamps.is_dated:
        raise InputError(
            "is no date", remedy="write 2026-01-31 23:55:00 (UTC) or Unix seconds", field="--until"
        )
    return int(stamps.times_ns[0]) // NS_PER_S
