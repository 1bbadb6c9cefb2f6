"""`synthscale demo`: every experiment on bundled workloads, in words, with one report.

It exists so that a person sees within a minute what the suite answers, without a cluster and
without a file. Shell: results are written when all of them are there, each file in one move, so an
interrupt leaves whole files or none. It must not compute: a chapter is what a command would say.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpu_fleet.errors import InputError
from simulations.commands.demo_chapters import CHAPTERS, Inputs, bundled_files
from simulations.runs.outputs import check_writable, say, write_json, write_text
from simulations.runs.reports import write_report
from simulations.runs.sweep import workers

if TYPE_CHECKING:
    from simulations.commands.demo_chapters import Chapter

__all__ = ["command"]

_MOST_WORKERS = 8
_REPORT = "report.html"
_NEXT = """\
Your own cluster, nothing is sent anywhere:
  kubectl get nodes,pods -A -o json > cluster.json
  synthscale simulate placement --nodes cluster.json --pods cluster.json"""


def command(
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("out/demo"),
    workers_: Annotated[
        int | None, typer.Option("--workers", help="Processes; by default one for each core.")
    ] = None,
) -> None:
    """Run every experiment on bundled workloads, print what a planner wants, write a report."""
    began = time.perf_counter()
    inputs = _write_inputs(out)
    chapters: list[Chapter] = []
    with workers(_cores() if workers_ is None else workers_) as executor:
        for number, run in enumerate(CHAPTERS, start=1):
            chapter = run(inputs, executor)
            chapters.append(chapter)
            say(_told(number, chapter))
    for chapter in chapters:
        write_json(str(out / chapter.file), chapter.content)
    # Imported here: what a report is made of is needed once everything else is done.
    from simulations.report.demo import demo_report  # noqa: PLC0415

    write_report(str(out / _REPORT), demo_report(chapters))
    say(_closing(out, chapters, time.perf_counter() - began))


def _cores() -> int:
    """As many processes as this process may use cores, within reason."""
    return min(_MOST_WORKERS, os.cpu_count() or 1)


def _write_inputs(out: Path) -> Inputs:
    if out.exists() and not out.is_dir():
        raise InputError("is not a folder", remedy="name a folder, or a new one", file=str(out))
    check_writable(out / _REPORT)
    for name, text in bundled_files():
        write_text(out / name, text)
    return Inputs(out)


def _told(number: int, chapter: Chapter) -> str:
    title = f"{number} of {len(CHAPTERS)}  {chapter.question}"
    return f"{title}\n{'=' * len(title)}\n$ {chapter.by_hand}\n\n{chapter.words}\n"


def _closing(out: Path, chapters: list[Chapter], seconds: float) -> str:
    files = ", ".join(chapter.file for chapter in chapters)
    return f"""\
{seconds:.0f} s. Everything with its charts: {out / _REPORT}
The figures: {files} in {out}, beside the files that they are of.

{_NEXT}"""
