"""Builds a group of Go programs once and keeps them: the same pins never compile twice.

A group is a folder with a go.mod of its own; what it makes lies in the user's cache under a hash of
everything that decides it. Nothing here may know what the programs are for, and a build that is
killed must leave finished programs or nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gpu_fleet.errors import ServiceError
from tests.cluster.cache import cache_folder, made_whole, mark_used, only_one, prune
from tests.cluster.processes import household
from tests.cluster.toolchain import Go, find_go, needed_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "ASSETS",
    "Binaries",
    "Group",
    "ModuleFiles",
    "Tool",
    "binaries",
    "build_name",
    "tell_terminal",
]

ASSETS = "KUBEBUILDER_ASSETS"
"""The convention of envtest: a folder with etcd, kube-apiserver and kubectl, built elsewhere."""
BUILD_LIMIT_S = 3_000.0
LINES_OF_AN_ERROR = 15


@dataclass(frozen=True, slots=True)
class Tool:
    """One program: the package that is built and the name it is kept under."""

    package: str
    """An import path, or a folder of the group such as `./elector`."""
    name: str
    from_assets: bool = False
    """Whether the one in `KUBEBUILDER_ASSETS` is as good."""


@dataclass(frozen=True, slots=True)
class ModuleFiles:
    """Files a module ships beside its code, copied so that a warm run needs no module cache."""

    module: str
    paths: tuple[str, ...]
    """Files or folders, relative to the module; each keeps its last name."""
    name: str
    """The folder they are kept in."""


@dataclass(frozen=True, slots=True)
class Group:
    """Programs that share one go.mod."""

    name: str
    folder: Path
    tools: tuple[Tool, ...]
    files: tuple[ModuleFiles, ...] = ()
    stamps: Mapping[str, str] = field(default_factory=dict)
    """String variables of Go packages, set while linking (a version, mostly)."""
    tags: tuple[str, ...] = ()
    """Go build tags: what the programs' authors let one leave out or add."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """What a group became."""

    folder: Path
    paths: Mapping[str, Path]
    seconds: Mapping[str, float]
    """How long each took this time; empty on a warm run."""

    def path(self, name: str) -> Path:
        """Where one program is."""
        if name not in self.paths:
            raise ServiceError(f"{name}: not in this group; it has {', '.join(sorted(self.paths))}")
        return self.paths[name]

    def files(self, name: str) -> Path:
        """The folder of one `ModuleFiles`."""
        return self.folder / name


def tell_terminal(line: str) -> None:
    """Progress for a person: on standard error, which a test runner's workers share."""
    sys.stderr.write(f"synthscale: {line}\n")
    sys.stderr.flush()


def binaries(
    group: Group,
    tell: Callable[[str], None] = tell_terminal,
    *,
    environment: Mapping[str, str] = os.environ,
) -> Binaries:
    """The programs of a group, built now if they never were.

    Where `KUBEBUILDER_ASSETS` names a folder, the programs of the group that may come from there
    and are there do; everything else is built.
    """
    given = _given(group, environment)
    cache = cache_folder(environment)
    go = find_go(needed_version(_text(group.folder / "go.mod")), tell, environment=environment)
    place = cache / build_name(group, go.told)
    waiting = f"waiting for another run that builds {group.name}"
    with only_one(cache / f"{group.name}.lock", waiting=lambda: tell(waiting)):
        place.mkdir(parents=True, exist_ok=True)
        build = _Build(group, go, place, tell)
        seconds = build.programs(skip=given)
        build.module_files()
        mark_used(place)
        for old in prune(cache, group.name):
            tell(f"removed {old.name}, a build that nobody used lately")
    built = {tool.name: place / tool.name for tool in group.tools}
    return Binaries(place, {**built, **given}, seconds)


def build_name(group: Group, go_told: str) -> str:
    """The folder of a build: the group, and a hash of all that decides what comes out."""
    digest = hashlib.sha256()
    decided = [go_told, repr(group.tools), repr(group.files), repr(sorted(group.stamps.items()))]
    decided += [f"tag {tag}" for tag in group.tags]
    for path in (group.folder / "go.mod", group.folder / "go.sum", *_sources(group.folder)):
        decided += [path.relative_to(group.folder).as_posix(), _text(path)]
    for part in decided:
        digest.update(f"{len(part)}:{part}".encode())
    return f"{group.name}-{digest.hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class _Build:
    group: Group
    go: Go
    place: Path
    tell: Callable[[str], None]

    def programs(self, skip: Mapping[str, Path]) -> dict[str, float]:
        missing = [
            tool
            for tool in self.group.tools
            if tool.name not in skip and not (self.place / tool.name).exists()
        ]
        seconds: dict[str, float] = {}
        for number, tool in enumerate(missing, 1):
            counted = f"{self.group.name} {number}/{len(missing)}"
            self.tell(f"building {counted}: {tool.name} (minutes, the first time)")
            before_s = time.monotonic()
            with made_whole(self.place / tool.name) as scratch:
                links = " ".join(["-s -w", *(f"-X {k}={v}" for k, v in self.group.stamps.items())])
                options = ("-tags", ",".join(self.group.tags), "-ldflags", links)
                self._go("build", *options, "-o", str(scratch), tool.package)
            seconds[tool.name] = time.monotonic() - before_s
            self.tell(f"built {tool.name} in {seconds[tool.name]:.0f} s")
        return seconds

    def module_files(self) -> None:
        for files in self.group.files:
            target = self.place / files.name
            if target.is_dir():
                continue
            self._go("mod", "download", files.module)
            # Last line: Go may say on the other stream what it is fetching.
            told = self._go("list", "-m", "-f", "{{.Dir}}", files.module)
            module = Path(told.splitlines()[-1])
            with made_whole(target) as scratch:
                scratch.mkdir()
                for path in files.paths:
                    _copy(module / path, scratch / Path(path).name)

    def _go(self, *words: str) -> str:
        """Run Go in the group's folder; it and its compilers end with us, however we end."""
        with household("build") as house:
            go = house.start(
                f"go-{words[0]}",
                (self.go.command, *words),
                environment=self.go.environment,
                working_folder=self.group.folder,
            )
            if go.wait(BUILD_LIMIT_S):
                raise ServiceError(
                    f"go {words[0]} {words[-1]} failed in {self.group.folder.name}/ "
                    f"with {self.go.told}:\n{go.tail(LINES_OF_AN_ERROR)}\n"
                    "Modules come through GOPROXY; look at it with: go env GOPROXY"
                )
            return go.told()


def _given(group: Group, environment: Mapping[str, str]) -> dict[str, Path]:
    named = environment.get(ASSETS)
    if not named:
        return {}
    folder = Path(named)
    if not folder.is_dir():
        raise ServiceError(f"{ASSETS}: {named} is no folder; correct it, or leave it out to build")
    return {
        tool.name: folder / tool.name
        for tool in group.tools
        if tool.from_assets and os.access(folder / tool.name, os.X_OK)
    }


def _sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.go"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        raise ServiceError(
            f"{path}: {problem.strerror}; a group is a folder with go.mod and go.sum"
        ) from problem


def _copy(source: Path, target: Path) -> None:
    # A module's files are read-only, and copies that nobody can remove would outlive the cache.
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile)
        for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
    else:
        shutil.copyfile(source, target)
