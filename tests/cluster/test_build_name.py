"""The same pins never compile twice, and no other pins pass for them.

A build's folder is named by everything that decides what comes out of it. No Go runs here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import ServiceError
from tests.cluster.build import ASSETS, Binaries, Group, ModuleFiles, Tool, build_name
from tests.cluster.build import _given as given  # the rule of what may come from elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GO = "go1.26.8 linux/amd64"


@pytest.fixture
def group(tmp_path: Path) -> Group:
    """A group of one program, on disk."""
    folder = tmp_path / "group"
    (folder / "peer").mkdir(parents=True)
    (folder / "go.mod").write_text("module m\n\ngo 1.26.0\n", encoding="utf-8")
    (folder / "go.sum").write_text("sums\n", encoding="utf-8")
    (folder / "peer" / "main.go").write_text("package main\n", encoding="utf-8")
    return Group("group", folder, (Tool("./peer", "peer", from_assets=True),))


def test_a_build_keeps_its_name(group: Group) -> None:
    """Nothing but what is in the folder counts: not its dates, not a file beside the sources."""
    before = build_name(group, GO)
    (group.folder / "notes.txt").write_text("irrelevant", encoding="utf-8")
    (group.folder / "go.mod").touch()

    assert before == build_name(group, GO)
    assert before.startswith("group-")


@pytest.mark.parametrize("file", ["go.mod", "go.sum", "peer/main.go", "peer/more.go"])
def test_a_changed_file_is_another_build(group: Group, file: str) -> None:
    """A pin, a checksum or a line of our own code makes a new name."""
    before = build_name(group, GO)
    with (group.folder / file).open("a", encoding="utf-8") as text:
        text.write("// changed\n")

    assert before != build_name(group, GO)


@pytest.mark.parametrize(
    "change",
    [
        lambda group: replace(group, stamps={"main.version": "2"}),
        lambda group: replace(group, tools=(Tool("./peer", "other"),)),
        lambda group: replace(group, files=(ModuleFiles("m", ("a",), "files"),)),
        lambda group: replace(group, tags=("remove_all",)),
    ],
    ids=["a stamp", "a tool", "a copied file", "a tag"],
)
def test_a_changed_wish_is_another_build(group: Group, change: Callable[[Group], Group]) -> None:
    """What is asked of the same pins is part of the name."""
    assert build_name(group, GO) != build_name(change(group), GO)


def test_another_go_is_another_build(group: Group) -> None:
    """Programs of one compiler are not taken for those of the next."""
    assert build_name(group, GO) != build_name(group, "go1.27.3 linux/amd64")


def test_a_folder_without_pins_is_refused(group: Group) -> None:
    """A group that lacks its go.sum is named, not built without checksums."""
    (group.folder / "go.sum").unlink()

    with pytest.raises(ServiceError, match=r"go\.sum: No such file.*go\.mod and go\.sum"):
        build_name(group, GO)


def test_programs_built_elsewhere_are_used_where_they_may(group: Group, tmp_path: Path) -> None:
    """`KUBEBUILDER_ASSETS` gives what it has of the programs that may come from there."""
    assets = tmp_path / "assets"
    assets.mkdir()
    mixed = replace(
        group, tools=(*group.tools, Tool("./own", "own"), Tool("./no", "no", from_assets=True))
    )
    for name in ("peer", "own"):
        (assets / name).touch(mode=0o755)

    assert {"peer": assets / "peer"} == given(mixed, {ASSETS: str(assets)})
    assert not given(mixed, {})


def test_assets_that_are_not_there_are_refused(group: Group, tmp_path: Path) -> None:
    """A wrong `KUBEBUILDER_ASSETS` is an error: it never quietly becomes a build of minutes."""
    with pytest.raises(ServiceError, match=f"{ASSETS}: .*is no folder"):
        given(group, {ASSETS: str(tmp_path / "none")})


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Asking for a program that the group lacks tells which it has."""
    with pytest.raises(ServiceError, match=r"kubectl: not in this group; it has etcd"):
        Binaries(tmp_path, {"etcd": tmp_path / "etcd"}, {}).path("kubectl")
