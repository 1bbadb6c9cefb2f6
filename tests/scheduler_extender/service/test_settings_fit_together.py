"""What an operator writes about the extender is judged before anything is opened.

The settings that the manifests mount are among the cases: they must be ones that the service takes.
Nothing here may start a service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from gpu_fleet.errors import InputError
from scheduler_extender.service.judgement import read_mix
from scheduler_extender.service.settings import ServiceSettings
from service_runtime.settings import SettingsWrong, read_settings
from service_runtime.settings.services import settings_of
from tests.scheduler_extender.service.harness import BASE

if TYPE_CHECKING:
    from pathlib import Path

POD = {
    "SYNTHSCALE_POD__NAME": "extender-0",
    "SYNTHSCALE_POD__NAMESPACE": "synthscale-system",
    "SYNTHSCALE_POD__ADDRESS": "10.0.0.7",
}


def test_the_mounted_settings_are_taken(tmp_path: Path) -> None:
    """The ConfigMap of the manifests, with the variables of its Deployment."""
    mounted = yaml.safe_load((BASE / "settings.yaml").read_text(encoding="utf-8"))
    file = tmp_path / "extender.toml"
    file.write_text(mounted["data"]["extender.toml"], encoding="utf-8")
    found = read_settings(ServiceSettings, file=str(file), environment=POD).settings

    assert found.ports.decision == 8443
    assert found.pod.address == "10.0.0.7"
    assert settings_of("extender") is ServiceSettings


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[view]\nstale_after_s = 15.0", "must exceed twice kube.watch_timeout_s"),
        ("[policy]\nname = 'best'", "policy.name"),
        ("[explain]\nregret_every = 0", "explain.regret_every"),
        ("[drain]\nnotice_s = 20.0", "the drain would be cut"),
        ("[leader]\nlease = 'x'", "no such key; did you mean lease_name?"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, text: str, told: str) -> None:
    """One line for each mistake, with the key and what would be right."""
    file = tmp_path / "extender.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsWrong) as caught:
        read_settings(ServiceSettings, file=str(file), environment={})

    assert told in str(caught.value)


def test_a_mix_is_read_from_a_file(tmp_path: Path) -> None:
    """The most frequent class first, with its expected lifetime."""
    file = tmp_path / "mix.json"
    file.write_text(
        '[{"count": 1, "cpu_milli": 1000}, {"count": 9, "gpu_count": 1, "gpu_milli": 500,'
        ' "lifetime_s": 60}]',
        encoding="utf-8",
    )
    mix = read_mix(file)

    assert mix.total == 10
    assert (mix.classes[0].shape.gpu_milli, mix.classes[0].stay_s) == (500, 60)


@pytest.mark.parametrize(
    "content", ["{", '[{"gpu_count": 1}]', '[{"count": 1, "gpu_milli": 5000, "gpu_count": 1}]']
)
def test_a_wrong_mix_names_its_file(tmp_path: Path, content: str) -> None:
    """Malformed, incomplete or impossible: the file is named."""
    file = tmp_path / "mix.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"mix\.json"):
        read_mix(file)
