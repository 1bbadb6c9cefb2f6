"""A planted service with every kind of setting, for tests of how settings are read and printed.

Its subjects are small and its rules simple, so that each row of a table has one thing wrong. It
must not be a service of ours.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from service_runtime.settings import Effective, SettingsWrong, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["NeedySettings", "PlantedSettings", "read", "wrong"]


class Verbosity(Enum):
    """An enumeration, as a setting may have it."""

    QUIET = "quiet"
    LOUD = "loud"


class Backend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table in a list, which only a file can hold."""

    host: str
    weight: int = 1


class ServeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to listen.

    The second paragraph is not printed.
    """

    port: Annotated[int, Meta(description="Where to listen.", ge=1, le=65535)] = 8443
    hosts: Annotated[tuple[str, ...], Meta(description="Names we answer to.", max_length=3)] = (
        "localhost",
    )
    mode: Annotated[Literal["on", "off"], Meta(description="Whether to answer.")] = "on"
    verbosity: Annotated[Verbosity, Meta(description="How loudly.")] = Verbosity.QUIET
    verbose: Annotated[bool, Meta(description="Whether to tell more.")] = False
    backends: Annotated[tuple[Backend, ...], Meta(description="Whom to ask.")] = ()
    token_file: Annotated[str | None, Meta(description="A file that holds a token.")] = None


class WaitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long to wait."""

    shortest_s: Annotated[float, Meta(description="Shortest wait.", ge=0)] = 1.0
    longest_s: Annotated[float, Meta(description="Longest wait.", ge=0)] = 10.0

    def __post_init__(self) -> None:
        """The longest is not shorter than the shortest."""
        if self.longest_s < self.shortest_s:
            raise ValueError(f"longest_s ({self.longest_s:g}) is below shortest_s")


class PlantedSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of the planted service."""

    serve: ServeSettings = ServeSettings()
    wait: WaitSettings = WaitSettings()

    def __post_init__(self) -> None:
        """A rule between two subjects."""
        if self.serve.mode == "off" and self.wait.longest_s > 100:
            raise ValueError("serve.mode is off, so wait.longest_s must be at most 100")


class ClusterSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A subject with a key that nobody can guess."""

    name: Annotated[str, Meta(description="Which cluster this is.", min_length=1)]


class NeedySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings that cannot be used without being given something."""

    cluster: ClusterSettings


def read(
    folder: Path, text: str | None = None, environment: Mapping[str, str] | None = None
) -> Effective[PlantedSettings]:
    """What a file of this text and this environment make of the planted settings."""
    path = None
    if text is not None:
        path = folder / "settings.toml"
        path.write_text(text, encoding="utf-8")
    return read_settings(
        PlantedSettings, file=None if path is None else str(path), environment=environment or {}
    )


def wrong(
    folder: Path, text: str | None = None, environment: Mapping[str, str] | None = None
) -> list[str]:
    """What is told about a file and an environment that are wrong, the folder left out."""
    with pytest.raises(SettingsWrong) as caught:
        read(folder, text, environment)
    assert caught.value.exit_code == 2
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]
