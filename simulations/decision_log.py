"""The decision log: what was decided, in lines that a checker, a differ and a person can read.

One line for each event: `sequence,t_ns,event,pod,node,devices,score`, where event is `place`,
`wait`, `reject` or `depart`, and devices are joined by `+`. The same spec and seed give the same
bytes, on any machine and with any number of workers. This module must not write files.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["HEADER", "DecisionLog", "Entry", "digest", "parse"]

HEADER = "sequence,t_ns,event,pod,node,devices,score"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line, read back."""

    sequence: int
    t_ns: int
    event: str
    pod: str
    node: str
    devices: tuple[int, ...]
    score: int | None


class DecisionLog:
    """Collects lines in the order in which things happened."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: list[str] = []

    def place(self, t_ns: int, pod: str, node: str, devices: tuple[int, ...], score: int) -> None:
        """A pod was given a node."""
        where = "+".join(map(str, devices))
        self._lines.append(f"{len(self._lines)},{t_ns},place,{pod},{node},{where},{score}")

    def wait(self, t_ns: int, pod: str) -> None:
        """A pod fits nowhere now and waits."""
        self._lines.append(f"{len(self._lines)},{t_ns},wait,{pod},,,")

    def reject(self, t_ns: int, pod: str) -> None:
        """A pod was given up."""
        self._lines.append(f"{len(self._lines)},{t_ns},reject,{pod},,,")

    def depart(self, t_ns: int, pod: str, node: str) -> None:
        """A pod ended and gave its resources back."""
        self._lines.append(f"{len(self._lines)},{t_ns},depart,{pod},{node},,")

    def text(self) -> str:
        """All lines, each ended by a newline, without a header."""
        return "".join(f"{line}\n" for line in self._lines)


def digest(text: str) -> str:
    """The SHA-256 that `--log` prints."""
    return hashlib.sha256(text.encode()).hexdigest()


def parse(lines: Iterable[str]) -> Iterator[Entry]:
    """Read lines back; headers and comments are passed over."""
    for line in lines:
        if not line[:1].isdigit():
            continue
        # A pod's name may hold anything but a comma; Kubernetes names never do.
        sequence, t_ns, event, pod, node, devices, score = line.rstrip("\n").split(",")
        yield Entry(
            int(sequence),
            int(t_ns),
            event,
            pod,
            node,
            tuple(int(device) for device in devices.split("+") if device),
            int(score) if score else None,
        )
