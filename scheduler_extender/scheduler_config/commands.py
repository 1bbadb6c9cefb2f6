"""`synthscale lint scheduler-config`: reads a file, asks the rules, prints what they found.

Shell: files, standard input and the exit code are here. It must not judge, and must not reach a
cluster: `kubectl get configmap NAME -o yaml | synthscale lint scheduler-config -` does that.

    0    nothing of severity error (with --strict: nothing at all)
    1    findings
    2    the file cannot be read as a KubeSchedulerConfiguration
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from gpu_fleet.errors import InputError
from scheduler_extender.scheduler_config.finding import Finding, Severity, Subject
from scheduler_extender.scheduler_config.lint import lint
from scheduler_extender.scheduler_config.reading import Reading, read
from scheduler_extender.scheduler_config.reference import page

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["command"]

_STDIN = "-"
_MOST_BYTES = 4 << 20
"""A ConfigMap holds 1 MiB at most; more is another file."""


def command(
    file: Annotated[
        str | None, typer.Argument(help="The configuration, or a ConfigMap with it; - is stdin.")
    ] = None,
    nodes: Annotated[
        int | None, typer.Option(min=1, help="How many nodes the cluster has.")
    ] = None,
    claims: Annotated[bool, typer.Option(help="Pods ask for GPUs by resourceClaims.")] = False,
    strict: Annotated[bool, typer.Option(help="Warnings fail too.")] = False,
    json_path: Annotated[
        str | None, typer.Option("--json", help="Write the findings as JSON; - is stdout.")
    ] = None,
    rules: Annotated[bool, typer.Option("--rules", help="Print every rule instead.")] = False,
) -> None:
    """Traps in kube-scheduler's configuration, each with why and the lines to write."""
    if rules:
        typer.echo(page(), nl=False)
        return
    if file is None:
        raise InputError("is needed", remedy="name a file, or - for stdin", field="FILE")
    judged = [
        _Judged(reading, lint(Subject(reading.config, reading.unknown, nodes, claims)))
        for reading in read(_text(file), file)
    ]
    typer.echo("\n".join(_words(one) for one in judged), err=json_path == _STDIN)
    if json_path is not None:
        _write(json_path, _document(judged))
    if any(one.count(Severity.ERROR) or (strict and one.findings) for one in judged):
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Judged:
    """One configuration with what was found in it."""

    reading: Reading
    findings: Sequence[Finding]

    def count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)


def _text(file: str) -> str:
    try:
        raw = sys.stdin.buffer.read(_MOST_BYTES + 1) if file == _STDIN else _bytes(Path(file))
        if len(raw) > _MOST_BYTES:
            raise InputError("is over 4 MiB", remedy="give one configuration", file=file)
        return raw.decode()
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InputError(problem, remedy="check the path", file=file) from error
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8 text", remedy="give YAML", file=file) from error


def _bytes(path: Path) -> bytes:
    with path.open("rb") as opened:
        return opened.read(_MOST_BYTES + 1)


# -- output --------------------------------------------------------------------------------------


def _words(judged: _Judged) -> str:
    """What is printed for people."""
    errors, warnings = judged.count(Severity.ERROR), judged.count(Severity.WARNING)
    if not judged.findings:
        return f"{judged.reading.source}: no trap found"
    head = f"{judged.reading.source}: {_counted(errors, 'error')}, {_counted(warnings, 'warning')}"
    return "\n".join((head, *(_paragraph(judged.reading, f) for f in judged.findings)))


def _paragraph(reading: Reading, finding: Finding) -> str:
    line = reading.line(finding.where)
    place = finding.where if line is None else f"{finding.where} (line {line})"
    write = "\n".join(f"    {text}" for text in finding.write_this.splitlines())
    return f"\n{finding.severity} {finding.rule}: {place}\n  {finding.why}\n  write this:\n{write}"


def _counted(count: int, one: str) -> str:
    return f"{count} {one}{'' if count == 1 else 's'}"


def _document(judged: Sequence[_Judged]) -> bytes:
    content = [
        {
            "source": one.reading.source,
            "errors": one.count(Severity.ERROR),
            "warnings": one.count(Severity.WARNING),
            "findings": [
                {
                    "rule": finding.rule,
                    "severity": str(finding.severity),
                    "where": finding.where,
                    "line": one.reading.line(finding.where),
                    "why": finding.why,
                    "write_this": finding.write_this,
                }
                for finding in one.findings
            ],
        }
        for one in judged
    ]
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def _write(path: str, content: bytes) -> None:
    if path == _STDIN:
        typer.echo(content.decode(), nl=False)
        return
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
        raise InputError(problem, remedy="name another file", file=path) from error
