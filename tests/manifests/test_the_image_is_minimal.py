"""The Dockerfile keeps hadolint's rules and ours; no engine runs here, so it is read, not built.

What it copies is compared with the rooms that exist, so that a new room is not left out.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import synthscale
from tests.house.tree import ROOT, rooms

DOCKERFILE = ROOT / "Dockerfile"
TEXT = DOCKERFILE.read_text(encoding="utf-8")


def instructions(text: str = TEXT) -> list[tuple[str, str]]:
    """Each instruction with its arguments, continued lines joined."""
    plain = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    words = (line.partition(" ") for line in plain.splitlines() if line.strip())
    return [(name.upper(), " ".join(rest.split())) for name, _, rest in words]


def of(name: str) -> list[str]:
    """The arguments of every instruction of that name."""
    return [rest for found, rest in instructions() if found == name]


def hadolint(path: Path) -> tuple[int, str]:
    """The linter's exit code and words."""
    program = Path(sys.executable).parent / "hadolint"
    answer = subprocess.run(
        [program, path], capture_output=True, text=True, timeout=60, check=False
    )
    return answer.returncode, answer.stdout


def test_hadolint_finds_nothing() -> None:
    """No rule of it is broken, and none is switched off."""
    assert hadolint(DOCKERFILE) == (0, "")
    assert "hadolint ignore" not in TEXT


def test_hadolint_would_find_something(tmp_path: Path) -> None:
    """A planted sin is named, so that silence means something."""
    sinful = tmp_path / "Dockerfile"
    sinful.write_text("FROM python:latest\nRUN cd /tmp && pip install x\n", encoding="utf-8")
    code, told = hadolint(sinful)

    assert code != 0
    assert "DL3007" in told


def test_bases_are_given_by_digest() -> None:
    """Both come from build arguments without a default, so that nobody builds on a mere tag."""
    arguments = [rest for rest in of("ARG") if rest.endswith("_IMAGE")]
    bases = [rest.partition(" AS ")[0] for rest in of("FROM")]

    assert arguments == ["BUILD_IMAGE", "RUN_IMAGE"]
    assert bases == ["${BUILD_IMAGE}", "${RUN_IMAGE}"]
    assert TEXT.count("@sha256:...") == len(bases)


def test_nothing_unpinned_is_fetched() -> None:
    """Libraries come by hash from the requirement file, and the build asks no index."""
    libraries, own = of("RUN")

    assert '"--require-hashes"' in libraries
    assert '"--requirement=requirements/run.txt"' in libraries
    assert '"--no-index"' in own
    assert "numba" in (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")


def test_it_runs_as_nobody_in_particular() -> None:
    """A numeric user that is not root, the same as the Deployment's."""
    deployment = (ROOT / "manifests" / "base" / "deployment.yaml").read_text(encoding="utf-8")

    assert of("USER") == ["65532:65532"]
    assert "runAsUser: 65532" in deployment


def test_no_shell_is_needed() -> None:
    """Everything that runs is a list of words, and nothing runs in the last stage but us."""
    names = [name for name, _ in instructions()]
    last = names[len(names) - names[::-1].index("FROM") :]

    assert all(rest.startswith("[") for rest in (*of("RUN"), *of("ENTRYPOINT"), *of("CMD")))
    assert "RUN" not in last
    assert of("HEALTHCHECK") == []


def test_every_room_is_in_it() -> None:
    """Each room is copied and let through .dockerignore; tests, papers and keys are not."""
    copies = {rest.partition(" ")[0] for rest in of("COPY")}
    allowed = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }

    assert set(rooms()) <= copies
    assert {"LICENSE", "README.md", "pyproject.toml", "requirements/run.txt", *rooms()} == allowed


@pytest.mark.parametrize("name", ["title", "licenses", "version", "revision"])
def test_it_says_what_it_is(name: str) -> None:
    """The labels that registries read are there."""
    (labels,) = of("LABEL")

    assert f"org.opencontainers.image.{name}=" in labels
    assert f'image.version="{synthscale.__version__}"' in labels
