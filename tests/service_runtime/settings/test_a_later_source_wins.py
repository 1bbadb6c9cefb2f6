"""Defaults give way to the file, the file to the environment, each key by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.service_runtime.settings.planted import Backend, PlantedSettings, Verbosity, read

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_given_means_defaults(tmp_path: Path) -> None:
    """Without file and variables every key has its default, and says so."""
    effective = read(tmp_path)

    assert PlantedSettings() == effective.settings
    assert set(effective.origins.values()) == {"default"}


def test_each_key_takes_its_last_source(tmp_path: Path) -> None:
    """A file sets two keys, a variable one of them; the third stays as it was."""
    effective = read(
        tmp_path,
        '[serve]\nport = 1\nmode = "off"\n',
        {"SYNTHSCALE_SERVE__PORT": "2", "HOME": "/nowhere"},
    )

    assert (
        effective.settings.serve.port,
        effective.settings.serve.mode,
        effective.settings.serve.verbose,
    ) == (2, "off", False)
    assert {
        "serve.port": "SYNTHSCALE_SERVE__PORT",
        "serve.mode": f"{tmp_path}/settings.toml:3",
        "serve.verbose": "default",
    }.items() <= dict(effective.origins).items()


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("SERVE__PORT", "65535", 65535),
        ("SERVE__HOSTS", "a, b", ("a", "b")),
        ("SERVE__HOSTS", "", ()),
        ("SERVE__MODE", "off", "off"),
        ("SERVE__VERBOSITY", "loud", Verbosity.LOUD),
        ("SERVE__VERBOSE", "true", True),
        ("SERVE__TOKEN_FILE", "/run/token", "/run/token"),
        ("WAIT__SHORTEST_S", "2", 2.0),
    ],
)
def test_a_variable_is_read_as_its_fields_type(
    tmp_path: Path, variable: str, text: str, value: object
) -> None:
    """Text becomes a number, a choice, a switch or a list as the declaration says."""
    settings = read(tmp_path, None, {f"SYNTHSCALE_{variable}": text}).settings
    subject, _, key = variable.lower().partition("__")

    assert value == getattr(getattr(settings, subject), key)


def test_a_file_can_hold_tables(tmp_path: Path) -> None:
    """A list of tables becomes a tuple of structs."""
    effective = read(tmp_path, '[[serve.backends]]\nhost = "a"\n[[serve.backends]]\nhost = "b"\n')

    assert (Backend("a"), Backend("b")) == effective.settings.serve.backends


@pytest.mark.parametrize(
    "name",
    [
        "SYNTHSCALE_EXTENDER_SERVICE_HOST",
        "SYNTHSCALE_EXTENDER_SERVICE_PORT",
        "SYNTHSCALE_EXTENDER_SERVICE_PORT_HTTPS",
        "SYNTHSCALE_EXTENDER_PORT",
        "SYNTHSCALE_EXTENDER_PORT_443_TCP",
        "SYNTHSCALE_EXTENDER_PORT_443_TCP_ADDR",
        "SYNTHSCALE_CLUSTER",
    ],
)
def test_what_kubernetes_tells_of_our_services_is_no_setting(tmp_path: Path, name: str) -> None:
    """A Service of ours in the namespace, or the shell of `make cluster`, breaks no pod."""
    environment = {"SYNTHSCALE_EXTENDER_SERVICE_HOST": "10.0.0.1", name: "10.0.0.1"}

    assert PlantedSettings() == read(tmp_path, None, environment).settings
