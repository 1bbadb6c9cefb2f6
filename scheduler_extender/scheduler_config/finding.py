"""What a rule sees, and what it says: a trap, why it is one, and the lines that mend it.

A finding can be acted on without another page open, so it always carries the YAML to write. This
module must hold values only; judging belongs to `rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scheduler_extender.scheduler_config.document import SchedulerConfiguration

__all__ = ["Finding", "Rule", "Severity", "Subject", "Trap", "UnknownField"]


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """kube-scheduler refuses the file, or runs it and does something unsafe or useless."""
    WARNING = "warning"
    """It runs, and costs placements, time or certainty that need not be paid."""


@dataclass(frozen=True, slots=True)
class UnknownField:
    """A key that the configuration's types do not have."""

    where: str
    name: str
    known: tuple[str, ...]
    """The keys that are understood there."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged: one configuration, and what the person asking told about the cluster."""

    config: SchedulerConfiguration
    unknown: tuple[UnknownField, ...] = ()
    nodes: int | None = None
    """How many nodes the cluster has; None where nobody said."""
    claims: bool = False
    """Whether pods ask for GPUs by resourceClaims."""


@dataclass(frozen=True, slots=True)
class Trap:
    """One place where a rule bites."""

    where: str
    """A path such as `extenders[0].tlsConfig`."""
    write_this: str
    """The YAML that mends it, as it stands below `where`."""
    detail: str = ""
    """What is particular about this place, such as a computed number; a whole sentence."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A trap that configurations fall into."""

    name: str
    severity: Severity
    title: str
    """The trap in a few words."""
    why: str
    """What happens to whoever falls into it, in a sentence or two."""
    check: Callable[[Subject], Iterable[Trap]]


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that bit, in one place."""

    rule: str
    severity: Severity
    where: str
    why: str
    write_this: str
