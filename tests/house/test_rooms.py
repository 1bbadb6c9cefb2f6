"""The rooms that stand are the rooms that are named, wherever the house names them.

A room is added in one commit with its first working code; this file tells which list was forgotten.
It must not know any room by name, except the front door that composes them.
"""

from __future__ import annotations

import importlib
import tomllib

import pytest

from synthscale import front_door
from tests.house.tree import ROOT, SHELLS, docstring, python_files, rooms

RULES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINTER = RULES["tool"]["importlinter"]


def contract(name: str) -> dict[str, list[str]]:
    """One import contract of pyproject.toml."""
    found: dict[str, list[str]] = next(c for c in LINTER["contracts"] if c["id"] == name)
    return found


def packages() -> list[str]:
    """Every package of every room."""
    return sorted(
        ".".join(path.parent.relative_to(ROOT).parts)
        for room in rooms()
        for path in python_files(room)
        if path.name == "__init__.py"
    )


def test_every_room_is_shipped() -> None:
    """The wheel lists each room that exists, and no other."""
    assert rooms() == sorted(RULES["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


def test_every_room_is_under_the_import_law() -> None:
    """The import linter reads each room, and each has its place in the layers."""
    layers = " | ".join(contract("rooms")["layers"])
    placed = {layer.strip() for layer in layers.split("|")}

    assert rooms() == sorted(LINTER["root_packages"])
    assert set() == set(rooms()) - placed


def test_every_room_is_type_checked() -> None:
    """`make check` reads each room, and the front door knows it for ours."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    line = next(line for line in makefile.splitlines() if line.startswith("CODE :="))

    assert rooms() == sorted(set(line.split()[2:]) - {"tests"})
    assert rooms() == sorted(front_door.OUR_ROOMS)


def test_every_shell_of_the_simulator_is_protected() -> None:
    """A shell folder that exists is closed to decisions by an import contract."""
    here = {f"simulations.{name}" for name in SHELLS if (ROOT / "simulations" / name).is_dir()}

    assert here == set(contract("shell")["protected_modules"])


@pytest.mark.parametrize("package", packages())
def test_a_package_exports_what_it_says(package: str) -> None:
    """`__all__` of a package names what it defines for others, once, and nothing that is absent."""
    module = importlib.import_module(package)
    exported = list(getattr(module, "__all__", ()))
    defined = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == package
    }

    assert sorted(set(exported)) == sorted(exported)
    assert set() == defined - set(exported)
    assert all(hasattr(module, name) for name in exported)


@pytest.mark.parametrize(
    "path",
    [path for room in rooms() for path in python_files(room)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_module_opens_with_why_it_exists(path: object) -> None:
    """Each module opens with at least two whole sentences: why it exists, what it must not do."""
    text = " ".join(docstring(ROOT / str(path)).split())
    sentences = [part for part in text.replace("? ", ". ").split(". ") if part]

    assert len(sentences) >= 2, f"{path} does not say why it exists and what it must not do"


@pytest.mark.parametrize(
    "path", python_files("tests"), ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_test_module_says_what_it_proves(path: object) -> None:
    """Each test module opens with a docstring."""
    assert docstring(ROOT / str(path))
