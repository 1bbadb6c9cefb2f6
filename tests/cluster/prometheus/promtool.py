"""promtool, the judge of rules and the maker of history: each call ends before it returns.

A rule file that is shipped is tested by the program that its operator would use. Nothing here may
keep a process or judge what promtool has not.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.errors import ServiceError
from tests.cluster.prometheus.series import openmetrics

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.cluster.prometheus.series import Series

__all__ = ["Promtool"]

LIMIT_S = 120.0
BLOCK_SPAN = "1000h"
"""Upper bound: promtool reads its input again for each block, and two hours is its default."""


@dataclass(frozen=True, slots=True)
class Promtool:
    """The program, wherever it was built."""

    command: Path

    def check_rules(self, file: Path) -> str:
        """What it says of a rule file; a `ServiceError` with its complaint when it is wrong."""
        return self._run("check", "rules", "--lint-fatal", str(file))

    def check_config(self, file: Path) -> str:
        """The same of a configuration and the rule files it names."""
        return self._run("check", "config", str(file))

    def test_rules(self, file: Path) -> str:
        """Run a file of rule unit tests; a `ServiceError` with what failed."""
        return self._run("test", "rules", str(file))

    def write_blocks(self, history: Iterable[Series], data: Path) -> None:
        """Put made history into a data folder; whoever serves it must not run meanwhile."""
        text = data.with_name("history.txt")
        text.write_text(openmetrics(history), encoding="utf-8")
        words = ("create-blocks-from", "--quiet", f"--max-block-duration={BLOCK_SPAN}")
        self._run("tsdb", *words, "openmetrics", str(text), str(data))
        text.unlink()

    def _run(self, *words: str) -> str:
        answer = subprocess.run(
            (str(self.command), *words),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
        if answer.returncode:
            raise ServiceError(f"promtool {' '.join(words)}:\n{answer.stdout.strip()}")
        return answer.stdout
