"""All rules, in the order in which the reference page lists them.

A rule that is not named here does not exist, which a test compares with the modules. This module
must not hold a rule of its own.
"""

from __future__ import annotations

from scheduler_extender.scheduler_config.rules import calls, connection, file, resources, weights

__all__ = ["RULES"]

RULES = (*file.RULES, *connection.RULES, *calls.RULES, *resources.RULES, *weights.RULES)
