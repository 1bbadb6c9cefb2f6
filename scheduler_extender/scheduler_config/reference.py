"""The page that lists every rule, made from the rules themselves.

`docs/reference/scheduler-config-rules.md` is this text, which a test compares. It must not say
anything that a rule does not say of itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler_extender.scheduler_config.rules.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler_extender.scheduler_config.finding import Rule

__all__ = ["page"]

_HEAD = """# The rules of `synthscale lint scheduler-config`

Each trap of a KubeSchedulerConfiguration that the linter knows, checked against Kubernetes 1.37.2.
An *error* is a file that kube-scheduler refuses, or runs in a way that is unsafe or useless;
a *warning* costs placements, time or certainty.
A finding adds the place, the numbers of that file and the lines to write.

This page is printed by `synthscale lint scheduler-config --rules`.

| rule | severity | trap | why |
|---|---|---|---|
"""


def page(rules: Sequence[Rule] = RULES) -> str:
    """The whole page as Markdown."""
    rows = (f"| `{r.name}` | {r.severity} | {r.title} | {r.why} |\n" for r in rules)
    return _HEAD + "".join(rows)
