"""Ends what a run started once the run lets go, in whatever way the run itself ended.

It is a process of its own that reads a pipe only the run holds open. The end of that pipe is the
one signal that always comes: on a normal end, Ctrl-C, an exception, a crash and `kill -9` alike.
(`PR_SET_PDEATHSIG` follows the thread that forked, not the process, and is lost by grandchildren.)
It must not do anything before that, and it stands on the standard library alone to start fast.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from tests.cluster.marks import end_marked

__all__ = ["clear_away", "main"]


def clear_away(mark: str, folder: Path, entry: Path) -> None:
    """End all that carry the mark, remove their folder, and strike them from the ledger.

    When something cannot be ended or removed, its entry stays for the next run to try again.
    """
    if end_marked(mark):
        return
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        entry.unlink(missing_ok=True)


def main(words: list[str]) -> None:
    """`keeper MARK FOLDER ENTRY`: say that it watches, wait for the end of input, clear away."""
    mark, folder, entry = words
    # A terminal's Ctrl-C or hang-up is for the run; its end is what we wait for.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    os.write(1, b"watching\n")
    while os.read(0, 4096):
        pass
    clear_away(mark, Path(folder), Path(entry))


if __name__ == "__main__":
    main(sys.argv[1:])
