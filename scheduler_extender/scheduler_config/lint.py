"""Every rule over one configuration, in the order of the page that lists them.

A rule knows nothing of the others, and this module must not weigh one against another: a file
that breaks five rules is told five things.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler_extender.scheduler_config.finding import Finding, Severity
from scheduler_extender.scheduler_config.rules.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler_extender.scheduler_config.finding import Rule, Subject, Trap

__all__ = ["lint"]


def lint(subject: Subject, rules: Sequence[Rule] = RULES) -> tuple[Finding, ...]:
    """What is wrong with a configuration: errors first, each group in the rules' own order."""
    found = [_finding(rule, trap) for rule in rules for trap in rule.check(subject)]
    return tuple(sorted(found, key=lambda finding: finding.severity is not Severity.ERROR))


def _finding(rule: Rule, trap: Trap) -> Finding:
    why = f"{trap.detail} {rule.why}" if trap.detail else rule.why
    return Finding(rule.name, rule.severity, trap.where, why, trap.write_this)
