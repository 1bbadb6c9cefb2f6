"""Which Go builds the control plane: the person's own when it is new enough, else the wheel.

The commands here are small scripts that say a version, so no Go is needed and none is fetched.
Whether the real wheel builds is seen on a machine without Go, not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import ServiceError
from tests.cluster.toolchain import find_go, go_environment, needed_version, version_told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def says(path: Path, told: str) -> Path:
    """A command that prints this, whatever it is asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{told}'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def wheel(told: str) -> Callable[[Path], None]:
    """Stands in for pip: what it installs is such a command."""

    def install(folder: Path) -> None:
        says(folder / "go" / "bin" / "go", told)

    return install


@pytest.mark.parametrize(
    ("text", "version"),
    [("module m\n\ngo 1.26.0\n", (1, 26, 0)), ("go 1.27\n", (1, 27, 0))],
)
def test_a_module_says_which_go_it_needs(text: str, version: tuple[int, int, int]) -> None:
    """The `go` line of go.mod is the demand, with or without a last number."""
    assert version == needed_version(text)


def test_a_module_without_a_go_line_is_refused() -> None:
    """A go.mod that demands nothing is an error that says what to add."""
    with pytest.raises(ServiceError, match=r"add one, such as: go 1\.26\.0"):
        needed_version("module m\n")


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go1.27 linux/arm64", (1, 27, 0)),
        ("go version devel +abc linux/amd64", (0, 0, 0)),
    ],
)
def test_a_go_says_its_version(told: str, version: tuple[int, int, int]) -> None:
    """A release is read; a Go built from sources counts as none."""
    assert version == version_told(told)


def test_the_go_on_path_is_taken_when_it_is_new_enough(tmp_path: Path) -> None:
    """A person's own Go is used as it is, and nothing is installed."""
    own = says(tmp_path / "bin" / "go", "go version go1.26.8 linux/amd64")
    found = find_go(
        (1, 26, 0),
        pytest.fail,
        environment={"PATH": str(own.parent), "HOME": str(tmp_path)},
        cache=tmp_path / "cache",
    )

    assert own == found.command
    assert found.told == "go1.26.8 linux/amd64"
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("on_path", ["go version go1.25.5 linux/amd64", None])
def test_the_wheel_is_taken_when_path_has_none_new_enough(
    tmp_path: Path, on_path: str | None
) -> None:
    """An old Go, or none, is passed over: the wheel is installed once, and said so once."""
    if on_path is not None:
        says(tmp_path / "bin" / "go", on_path)
    environment = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path), "GOROOT": "elsewhere"}
    told: list[str] = []
    for _ in range(2):
        found = find_go(
            (1, 26, 9),
            told.append,
            environment=environment,
            cache=tmp_path / "cache",
            install=wheel("go version go1.27.3 linux/amd64"),
        )

        assert found.told == "go1.27.3 linux/amd64"
        assert found.command.is_relative_to(tmp_path / "cache")
        assert not found.environment["GOROOT"]
    assert len(told) == 1


def test_a_wheel_that_is_too_old_is_said_so(tmp_path: Path) -> None:
    """A module that asks for more than the pinned wheel names the command that brings it."""
    old = wheel("go version go1.27.3 linux/amd64")

    with pytest.raises(ServiceError, match=r"Go 1\.99\.0 or newer is needed.*make lock"):
        find_go((1, 99, 0), lambda _: None, environment={"PATH": ""}, cache=tmp_path, install=old)


def test_a_build_repeats_whatever_the_person_has_set(tmp_path: Path) -> None:
    """Flags of one's own do not leak into a build, and without a home Go gets folders."""
    person = {"HOME": str(tmp_path), "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "auto"}
    at_home, homeless = go_environment(person, tmp_path), go_environment({}, tmp_path)

    assert at_home["GOFLAGS"] == "-buildvcs=false -mod=readonly -trimpath"
    assert at_home["GOTOOLCHAIN"] == "local"
    assert "GOPATH" not in at_home
    assert homeless["GOPATH"] == str(tmp_path / "gopath")
