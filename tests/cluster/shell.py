"""`make cluster`: a person's shell against a real control plane that ends with the shell.

It prints what was started and what to try, sets KUBECONFIG and PATH for the shell, and leaves the
machine as it was. Nothing here may be needed by a test but its own.

    python -m tests.cluster.shell [--with karpenter,prometheus]
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, TypeAlias

from gpu_fleet.errors import InputError, SynthscaleError
from tests.cluster.build import tell_terminal
from tests.cluster.control_plane import ControlPlane, start_control_plane

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["GUESTS", "Beside", "guests_named", "main"]

Beside: TypeAlias = (
    "Callable[[ControlPlane, Callable[[str], None]], AbstractContextManager[Sequence[str]]]"
)
"""How a guest joins: it starts beside a control plane and yields lines that say what to try."""

GUESTS: Mapping[str, str] = {
    "karpenter": "tests.cluster.karpenter.peer:beside",
    "prometheus": "tests.cluster.prometheus.peer:beside",
}
"""What `WITH=` may name, and where its `Beside` is, as `module:function`: imported when named."""

HINTS = (
    "kubectl get nodes,pods -A           what there is (kubectl is on PATH, KUBECONFIG is set)",
    "kubectl apply -f FILE               a node with the annotation kwok.x-k8s.io/node: fake is",
    "                                    kept alive and runs what is bound to it",
    "tail -f $SYNTHSCALE_CLUSTER/audit.log",
    "ls $SYNTHSCALE_CLUSTER/logs         one log for each part",
)

SHELL_START = """
[ -n "$BASH" ] && [ -r ~/.bashrc ] && . ~/.bashrc
PS1='(cluster) \\w \\$ '
trap 'exit 0' INT
"""
"""Read by the shell as it starts: the person's own settings, then how Ctrl-C ends it."""


def main(words: Sequence[str] | None = None) -> int:
    """Start all that was asked for, give the person a shell, end everything; an exit code."""
    parser = argparse.ArgumentParser(prog="make cluster", description="A shell on a real cluster.")
    parser.add_argument("--with", dest="guests", default="", metavar="NAME,NAME")
    named = parser.parse_args(words).guests
    try:
        with ExitStack() as stack:
            guests = guests_named(named, GUESTS)
            begun_s = time.monotonic()
            plane = stack.enter_context(start_control_plane())
            took_s = time.monotonic() - begun_s
            tell_terminal(f"control plane ready after {took_s:.1f} s at {plane.server}")
            hints = [*HINTS]
            for guest in guests:
                hints += stack.enter_context(guest(plane, tell_terminal))
            return _shell(plane, hints)
    except SynthscaleError as problem:
        tell_terminal(str(problem))
        return problem.exit_code
    except KeyboardInterrupt:
        return 130
    finally:
        tell_terminal("everything has ended")


def guests_named(names: str, table: Mapping[str, str]) -> list[Beside]:
    """The guests of a list such as `karpenter,prometheus`; a wrong name tells the right ones."""
    found = []
    for name in filter(None, (part.strip() for part in names.split(","))):
        if name not in table:
            known = ", ".join(sorted(table)) or "none"
            raise InputError(f"{name}: no such guest", field="WITH", remedy=f"there are: {known}")
        module, _, function = table[name].partition(":")
        found.append(getattr(importlib.import_module(module), function))
    return found


def _shell(plane: ControlPlane, hints: Sequence[str]) -> int:
    out = sys.stdout
    out.write(f"\nexport KUBECONFIG={plane.kubeconfig}\n\ntry:\n")
    out.writelines(f"  {hint}\n" for hint in hints)
    out.write("\nCtrl-C at the prompt, or exit, ends everything.\n")
    out.flush()
    environment = {
        **os.environ,
        "KUBECONFIG": str(plane.kubeconfig),
        "SYNTHSCALE_CLUSTER": str(plane.house.folder),
        "PATH": f"{plane.programs.folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    if not sys.stdin.isatty():
        return subprocess.run(["/bin/sh"], env=environment, check=False).returncode
    start = plane.house.folder / "shell-start"
    start.write_text(SHELL_START, encoding="utf-8")
    bash = shutil.which("bash")
    command = [bash, "--rcfile", str(start), "-i"] if bash else ["/bin/sh", "-i"]
    # What runs in the shell may be interrupted; its own end is the only one that counts here.
    # (A handler of our own, because a shell cannot trap what it found ignored.)
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run(
            command, env={**environment, "ENV": str(start)}, check=False
        ).returncode
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    sys.exit(main())
