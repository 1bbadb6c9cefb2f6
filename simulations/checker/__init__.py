"""The independent checker: it recomputes a run from its decision log and its inputs.

It exists so that a wrong simulator cannot vouch for itself. It therefore shares nothing with what
it checks but the values and the log's format: no ClusterView, no policy, no feasibility, not even
the admission rules. This package must stay plain Python that a person can follow with a pencil.
"""

from __future__ import annotations

from simulations.checker.run import Verdict, check_run

__all__ = ["Verdict", "check_run"]
