"""Writes what each example prints into its expected.txt: `python -m tests.examples`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.examples.golden import EXAMPLES, EXPECTED, normalised, run_example


def main() -> None:
    """Run every example and keep its output."""
    for example in EXAMPLES:
        with tempfile.TemporaryDirectory() as scratch:
            text = normalised(run_example(example, Path(scratch)))
        (example / EXPECTED).write_text(text, encoding="utf-8")
        print(f"{example.name}: {len(text.splitlines())} lines")  # noqa: T201 - it is a command


if __name__ == "__main__":
    main()
