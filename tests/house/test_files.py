"""What stands in the repository is true anywhere: no machine's paths, no registry's hosts.

A path of one machine or the address of one registry in a file makes it wrong for everyone else.
The patterns here are written so that this file does not contain what it looks for.
"""

from __future__ import annotations

import re

import pytest

from tests.house.tree import ROOT, text_files

REGISTRIES = re.compile(
    r"py(?:pi)\.org|python(?:hosted)\.org|registry\.npm(?:js)|static\.crates(?:\.io)"
    r"|proxy\.go(?:lang)|repo1?\.ma(?:ven)|deb\.deb(?:ian)|(?<!no-emit-)index[-_]url[ =]"
)
MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(?:root|work|home/\w+|Users/\w+|opt/wheels)(?=[/\s\"'`])")
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("pattern", [REGISTRIES, MACHINE_PATHS], ids=["registries", "paths"])
def test_no_file_names_a_machine_or_a_registry(pattern: re.Pattern[str]) -> None:
    """No file holds a registry's host name or an absolute path of somebody's machine."""
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path, text in text_files()
        for match in pattern.finditer(text)
    ]

    assert found == []


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_each_requirement_is_pinned_and_hashed(path: object) -> None:
    """A requirement file holds versions and hashes: no address, no path, no option."""
    text = (ROOT / str(path)).read_text(encoding="utf-8").replace("\\\n", " ")
    pinned = re.compile(r"[a-z0-9-]+==[^ ]+( ; [^-]+)?( +--hash=sha256:[0-9a-f]{64})+")
    loose = [line for line in text.splitlines() if not pinned.fullmatch(line.strip())]

    assert text
    assert loose == []


def test_a_demo_runs_on_what_the_tests_ran_on() -> None:
    """Both requirement files are one resolution: what a demo installs is in the tests' list."""
    run, develop = (
        set((ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines())
        for name in ("run.txt", "develop.txt")
    )
    versions = {line.split()[0] for line in run if "==" in line}

    assert versions
    assert set() == versions - {line.split()[0] for line in develop if "==" in line}


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"])
def test_the_house_has_its_papers(name: str) -> None:
    """README, changelog, contributing guide and licence are there and not empty."""
    assert (ROOT / name).read_text(encoding="utf-8").strip()


def test_the_licence_is_apache() -> None:
    """LICENSE is the whole text of Apache 2.0, not a notice that refers to it."""
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")

    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
