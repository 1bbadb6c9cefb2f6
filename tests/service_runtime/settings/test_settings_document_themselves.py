"""What can be set is printed from the declaration, as a file that can be used as it is."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import InputError, ServiceError
from service_runtime.settings import read_settings
from service_runtime.settings.keys import Key, subjects_of
from service_runtime.settings.printing import as_file, as_rows
from service_runtime.settings.services import SERVICES, settings_of
from service_runtime.telemetry.plain import is_secret_name
from synthscale.__main__ import main
from tests.service_runtime.settings.planted import PlantedSettings, read

if TYPE_CHECKING:
    from pathlib import Path

    import msgspec


def keys_of(service: str) -> list[Key]:
    """Every key of a service in the table."""
    subjects = subjects_of(settings_of(service))
    return [key for subject in subjects.values() for key in subject.keys.values()]


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_of_the_house_is_documented(service: str) -> None:
    """Each key says in sentences what it is, and each subject what it is about."""
    subjects = subjects_of(settings_of(service)).values()

    assert [one.name for one in subjects if not one.documentation.endswith(".")] == []
    assert [key.path for key in keys_of(service) if not key.documentation.endswith(".")] == []


@pytest.mark.parametrize("service", SERVICES)
def test_no_setting_of_the_house_is_a_secret(service: str) -> None:
    """A setting may name the file that holds a secret, never be one."""
    assert [key.path for key in keys_of(service) if is_secret_name(key.name)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_number_of_the_house_is_bounded(service: str) -> None:
    """A number without bounds is a mistake waiting: each has a least value at least."""
    numbers = [key for key in keys_of(service) if "number" in key.form.words]

    assert [key.path for key in numbers if ">" not in key.form.words] == []


@pytest.mark.parametrize("kind", [PlantedSettings, *map(settings_of, SERVICES)])
def test_what_is_printed_is_a_file_of_the_defaults(
    kind: type[msgspec.Struct], tmp_path: Path
) -> None:
    """The page can be saved, mounted and changed: read back it means what it said."""
    path = tmp_path / "settings.toml"
    path.write_text(as_file(subjects_of(kind)), encoding="utf-8")

    assert kind() == read_settings(kind, file=str(path), environment={}).settings


def test_a_key_is_printed_with_all_that_is_known(tmp_path: Path) -> None:
    """Documentation, type, bounds, default, variable and origin stand above each value."""
    effective = read(tmp_path, None, {"SYNTHSCALE_SERVE__PORT": "80"})
    text = as_file(subjects_of(PlantedSettings), effective)

    assert text.startswith(
        "# Where to listen.\n[serve]\n\n"
        "# Where to listen.\n"
        "# whole number >= 1, <= 65535; default 8443; SYNTHSCALE_SERVE__PORT\n"
        "# from SYNTHSCALE_SERVE__PORT\n"
        "port = 80\n"
    )
    assert '# list of text, at most 3 values; default ["localhost"];' in text
    assert (
        "# text or nothing; default nothing; SYNTHSCALE_SERVE__TOKEN_FILE\n# token_file =" in text
    )
    assert 'verbosity = "quiet"' in text
    assert "# list of table; default []\nbackends = []" in text
    assert tomllib.loads(text)["serve"]["port"] == 80


def test_programs_get_a_row_for_each_key() -> None:
    """A row has the same facts as the page, by name."""
    row = as_rows(subjects_of(PlantedSettings))[0]

    assert row == {
        "key": "serve.port",
        "type": "whole number >= 1, <= 65535",
        "required": False,
        "default": 8443,
        "value": 8443,
        "origin": "default",
        "variable": "SYNTHSCALE_SERVE__PORT",
        "documentation": "Where to listen.",
    }


def test_the_command_prints_a_service(capsys: pytest.CaptureFixture[str]) -> None:
    """`synthscale settings chassis` prints every subject of the chassis."""
    assert main(["settings", "chassis"]) == 0
    assert list(subjects_of(settings_of("chassis"))) == list(tomllib.loads(capsys.readouterr().out))


def test_the_command_prints_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`--json --file` says what holds and where it came from."""
    monkeypatch.setenv("SYNTHSCALE_LOG__LEVEL", "error")
    path = tmp_path / "settings.toml"
    path.write_text('[log]\nformat = "json"\n', encoding="utf-8")

    assert main(["settings", "chassis", "--json", "--file", str(path)]) == 0
    document = json.loads(capsys.readouterr().out)
    origins = {row["key"]: (row["value"], row["origin"]) for row in document["rows"]}
    assert origins["log.level"] == ("error", "SYNTHSCALE_LOG__LEVEL")
    assert origins["log.format"] == ("json", f"{path}:2")
    assert origins["log.library_level"] == ("warning", "default")


def test_the_command_refuses_a_wrong_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A file can be checked before it is mounted: exit code 2 and a line for the mistake."""
    path = tmp_path / "settings.toml"
    path.write_text("[log]\nlevle = 1\n", encoding="utf-8")

    assert main(["settings", "chassis", "--file", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"synthscale: {path}:2: log.levle: no such key; did you mean level?\n"
    )


def test_a_planted_service_is_found_by_name() -> None:
    """A service is a line in the table; it is imported when its name is given."""
    planted = {"planted": f"{PlantedSettings.__module__}:PlantedSettings"}

    assert settings_of("planted", planted) is PlantedSettings
    with pytest.raises(InputError, match="no such service; there is planted"):
        settings_of("plant", planted)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("no_such_library.settings:S", "need the Python package 'no_such_library'"),
        ("service_runtime.settings.services:SERVICES", "is no struct of settings"),
    ],
)
def test_a_service_that_cannot_be_loaded_says_why(target: str, told: str) -> None:
    """An absent library and a wrong line in the table are told, not raised through."""
    with pytest.raises(ServiceError, match=told):
        settings_of("planted", {"planted": target})
