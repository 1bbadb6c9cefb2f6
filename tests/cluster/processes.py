"""Everything a run starts, as one household: one process group, one folder, one end.

However the run ends, its keeper ends the household; were both killed, the ledger on disk lets the
next run clear up. Processes here hold nothing worth saving, so they are killed, not asked.
This module must not know what the processes are.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections import deque
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gpu_fleet.errors import ServiceError
from tests.cluster.cache import cache_folder
from tests.cluster.keeper import clear_away
from tests.cluster.marks import VARIABLE, identity, still_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Household", "Launch", "Running", "clear_up_after_the_killed", "household", "ledger"]

ROOT = Path(__file__).resolve().parents[2]
KEEPER_LIMIT_S = 30.0
PORTS = range(15_000, 32_768)
"""Below the range Linux takes for outgoing connections, which therefore cannot take one of ours."""
PORT_ATTEMPTS = 200
TAIL_LINES = 25


@dataclass(frozen=True, slots=True)
class Launch:
    """How a program is started, kept so that it can be started again just so."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    """Added to this process's own."""
    working_folder: Path
    log: Path


class Running:
    """One program of a household, through as many lives as a test gives it."""

    def __init__(self, launch: Launch, group: int, mark: str) -> None:
        self.launch = launch
        self._group = group
        self._mark = mark
        self._process = self._spawn()

    @property
    def name(self) -> str:
        """What the household calls it."""
        return self.launch.name

    @property
    def pid(self) -> int:
        """Of its latest life."""
        return self._process.pid

    @property
    def ended_with(self) -> int | None:
        """Its exit code, negative for a signal; None while it lives."""
        return self._process.poll()

    @property
    def log(self) -> Path:
        """The file that holds what it says, over all its lives."""
        return self.launch.log

    def wait(self, limit_s: float) -> int:
        """Its exit code, once it ended by itself; a `ServiceError` when it has not by then."""
        try:
            return self._process.wait(limit_s)
        except subprocess.TimeoutExpired as problem:
            raise ServiceError(
                f"{self.name} still runs after {limit_s:.0f} s; the end of its log:\n{self.tail()}"
            ) from problem

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal (SIGSTOP pauses it); one that ended hears nothing."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def stop(self, limit_s: float = 10.0) -> int:
        """SIGTERM, and its exit code; it is killed when it does not end in time."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(limit_s)
        self.kill()
        return -signal.SIGKILL

    def start(self) -> None:
        """Start it again as it was, unless it runs; its log goes on."""
        if self.ended_with is not None:
            self._process = self._spawn()

    def told(self) -> str:
        """All it has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The end of its log."""
        return "\n".join(deque(self.told().splitlines(), lines))

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.launch.log.open("ab") as log:
            return subprocess.Popen(
                self.launch.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.launch.environment, VARIABLE: self._mark},
                cwd=self.launch.working_folder,
                process_group=self._group,
            )


class Household:
    """A folder, a process group and ports that end together; made by `household()`."""

    def __init__(self, mark: str, folder: Path, group: int, reservations: ExitStack) -> None:
        self.mark = mark
        self.folder = folder
        self.group = group
        self._reservations = reservations
        self._running: list[Running] = []
        self._ports: list[int] = []

    @property
    def ports(self) -> tuple[int, ...]:
        """Every port it has taken."""
        return tuple(self._ports)

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        working_folder: Path | None = None,
    ) -> Running:
        """Start a program; what it says on either stream goes to `logs/NAME.log`."""
        logs = self.folder / "logs"
        logs.mkdir(exist_ok=True)
        launch = Launch(
            name,
            tuple(map(str, command)),
            environment or {},
            working_folder or self.folder,
            logs / f"{name}.log",
        )
        running = Running(launch, self.group, self.mark)
        self._running.append(running)
        return running

    def take_port(self) -> int:
        """A free port of 127.0.0.1 that no other household gets while this one lives.

        The claim is an abstract Unix socket: it has the same scope as the port, leaves no file
        and goes with its process. A stranger may still take the port before it is used.
        """
        for _ in range(PORT_ATTEMPTS):
            port = PORTS[secrets.randbelow(len(PORTS))]
            claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                claim.bind(f"\0synthscale-port-{port}")
            except OSError:
                claim.close()
                continue
            self._reservations.enter_context(closing(claim))
            if _is_free(port):
                self._ports.append(port)
                return port
        raise ServiceError(f"no free port found between {PORTS.start} and {PORTS.stop}")

    def reap(self) -> None:
        """Take note that all have ended, once the keeper has ended them."""
        for running in self._running:
            running.kill()


@contextmanager
def household(label: str, *, cache: Path | None = None) -> Iterator[Household]:
    """A new, empty household; whatever ends this context or this process ends all that is in it."""
    book = ledger(cache)
    clear_up_after_the_killed(cache)
    mark = f"{label}-{secrets.token_hex(8)}"
    folder = Path(tempfile.gettempdir()) / f"synthscale-{mark}"
    entry = book / f"{mark}.json"
    _enter(entry, mark, folder)
    folder.mkdir(mode=0o700)
    with ExitStack() as reservations:
        keeper = _start_keeper(mark, folder, entry)
        house = Household(mark, folder, keeper.pid, reservations)
        try:
            yield house
        finally:
            _let_go(keeper)
            if entry.exists():  # the keeper was killed: do its work
                clear_away(mark, folder, entry)
            house.reap()
    if entry.exists():
        raise ServiceError(f"{folder}: could not be cleared away; see {entry}, end what holds it")


def ledger(cache: Path | None = None) -> Path:
    """The folder with one entry for each household that has not ended yet."""
    return (cache or cache_folder()) / "running"


def clear_up_after_the_killed(cache: Path | None = None) -> list[str]:
    """End and remove every household whose run is gone; returns their marks.

    The keeper has done so already, unless it was killed along with the run.
    """
    cleared = []
    for entry in sorted(ledger(cache).glob("*.json")):
        try:
            told = json.loads(entry.read_text(encoding="utf-8"))
            pid, start_ticks = told["owner"]
            mark, folder = told["mark"], Path(told["folder"])
        except (OSError, ValueError, KeyError, TypeError):
            # Entries are written in one step, so it is gone meanwhile or was never one of ours.
            entry.unlink(missing_ok=True)
            continue
        if not still_runs((pid, start_ticks)):
            clear_away(mark, folder, entry)
            cleared.append(mark)
    return cleared


def _enter(entry: Path, mark: str, folder: Path) -> None:
    """Write before anything exists, and in one step: an entry is whole or is not there."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    scratch = entry.with_suffix(".unfinished")
    told = {"mark": mark, "folder": str(folder), "owner": identity(os.getpid())}
    scratch.write_text(json.dumps(told), encoding="utf-8")
    scratch.rename(entry)


def _start_keeper(mark: str, folder: Path, entry: Path) -> subprocess.Popen[bytes]:
    keeper = subprocess.Popen(
        (sys.executable, "-m", "tests.cluster.keeper", mark, str(folder), str(entry)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        process_group=0,
    )
    assert keeper.stdout is not None
    with keeper.stdout as said:
        ready, _, _ = select.select([said], [], [], KEEPER_LIMIT_S)
        if not ready or said.readline() != b"watching\n":
            _let_go(keeper)
            raise ServiceError("the keeper of the tests' processes did not start; see above")
    return keeper


def _let_go(keeper: subprocess.Popen[bytes]) -> None:
    assert keeper.stdin is not None
    keeper.stdin.close()
    try:
        keeper.wait(KEEPER_LIMIT_S)
    except subprocess.TimeoutExpired:
        keeper.kill()
        keeper.wait()


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
