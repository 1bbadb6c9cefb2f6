"""The real kube-scheduler 1.37.2 is asked whether the linter tells the truth about it.

It reads a configuration, says what it made of it and ends, without any cluster: so every row of
the table of traps is given to it, and every weight is compared with the one it will use.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler_extender.scheduler_config.reading import read
from scheduler_extender.scheduler_config.scores import KNOWN_PLUGINS, SCORING, score_weights
from tests.certificates import Authority
from tests.cluster.build import binaries
from tests.cluster.components import CONTROL_PLANE
from tests.scheduler_extender.scheduler_config.configurations import CLEAN, spoilt
from tests.scheduler_extender.scheduler_config.test_each_trap_is_named import TRAPS, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LIMIT_S = 60
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"token": "nobody"}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "x",
}
WORKING = re.compile(
    r'"the scheduler starts to work with those plugins" Plugins=(\{.*\})$', re.MULTILINE
)

REFUSED = {
    "old-version",
    "unknown-field",
    "out-of-range",
    "election-times",
    "profile-names",
    "queue-order",
    "removed-plugin",
    "unknown-plugin",
    "plugin-told-twice",
    "insecure-tls",
    "inline-certificates",
    "several-binders",
    "resource-name",
    "managed-twice",
    "no-weight",
}
"""Rules whose rows it refuses; those of inline-certificates hold no real certificate."""

ROWS = [(rule, changes) for rule, changes, _, _ in TRAPS] + [
    ("profile-names", {"profiles[1]": {"schedulerName": "gpu-scheduler"}}),
    ("profile-names", {"profiles[1]": {}}),
]


def is_refused(rule: str, changes: Mapping[str, object]) -> bool:
    """Whether the linter's words say that kube-scheduler does not start with a row."""
    return rule in REFUSED or "half" in changes.values()


@dataclass(frozen=True, slots=True)
class Scheduler:
    """kube-scheduler, as a program that reads a file and says what it understood."""

    program: Path
    folder: Path

    def tell(self, text: str) -> str | None:
        """What it logs when it accepts the configuration; None when it does not start."""
        document = yaml.safe_load(text)
        connection = document.get("clientConnection") or {}
        document["clientConnection"] = {**connection, "kubeconfig": str(self.folder / "kubeconfig")}
        local = yaml.safe_dump(document).replace("/etc/kubernetes/synthscale", str(self.folder))
        (self.folder / "config.yaml").write_text(local, encoding="utf-8")
        answer = subprocess.run(
            [
                self.program,
                f"--config={self.folder / 'config.yaml'}",
                f"--write-config-to={self.folder / 'understood.yaml'}",
                "--secure-port=0",
                "--v=2",
            ],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert "panic" not in answer.stderr, answer.stderr
        return None if answer.returncode else answer.stderr

    def weights(self, text: str) -> dict[str, int] | None:
        """The score plugins it will run, with their weights."""
        told = self.tell(text)
        if told is None:
            return None
        found = WORKING.search(told)
        assert found is not None, told
        plugins = json.loads(found.group(1))["Score"]["Enabled"] or []
        return {plugin["Name"]: plugin["Weight"] for plugin in plugins}


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Scheduler:
    """The pinned binary, with certificates that exist and an API server that does not."""
    folder = tmp_path_factory.mktemp("scheduler")
    authority = Authority("test")
    authority.issue("scheduler").write(folder, "tls")
    (folder / "ca.crt").write_bytes(authority.certificate)
    (folder / "kubeconfig").write_text(yaml.safe_dump(KUBECONFIG), encoding="utf-8")
    return Scheduler(binaries(CONTROL_PLANE).path("kube-scheduler"), folder)


@pytest.mark.parametrize(
    ("rule", "changes"), ROWS, ids=[f"{rule}:{'+'.join(changes)}" for rule, changes in ROWS]
)
def test_it_refuses_what_the_linter_says_it_refuses(
    scheduler: Scheduler, rule: str, changes: dict[str, object]
) -> None:
    """Rows of rules that speak of a start that fails do fail it; all others start, traps or not."""
    text = text_of(rule, changes) if rule != "profile-names" else spoilt(changes)

    assert is_refused(rule, changes) == (scheduler.tell(text) is None)


def test_it_starts_with_a_configuration_without_traps(scheduler: Scheduler) -> None:
    """The clean configuration is understood."""
    assert scheduler.tell(CLEAN) is not None


_names = st.sampled_from(sorted(SCORING))
_enabled = st.lists(
    st.builds(
        lambda name, weight: {"name": name, "weight": weight} if weight else {"name": name},
        _names,
        st.integers(0, 9),
    ),
    max_size=3,
    unique_by=lambda plugin: plugin["name"],
)
_disabled = st.lists(
    st.builds(lambda name: {"name": name}, _names),
    max_size=3,
    unique_by=lambda plugin: plugin["name"],
) | st.just([{"name": "*"}])
_REST: list[dict[str, object]] = [{"name": name} for name in sorted(KNOWN_PLUGINS - set(SCORING))]
_SWITCHED_OFF = {"GangScheduling", "PodGroupPodsCount", "TopologyPlacementGenerator"}


@settings(
    max_examples=25,
    deadline=None,  # each example starts a process
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(_enabled, _disabled, _enabled, _disabled)
def test_it_weighs_scores_as_the_linter_works_out(
    scheduler: Scheduler,
    everywhere: list[dict[str, object]],
    nowhere: list[dict[str, object]],
    scored: list[dict[str, object]],
    unscored: list[dict[str, object]],
) -> None:
    """For any mix of enabled, disabled and overridden plugins the weights are its own."""
    enabled = [*everywhere]
    if {"name": "*"} in nowhere:
        # A scheduler needs its queue and its binder.
        enabled += [plugin for plugin in _REST if plugin["name"] not in _SWITCHED_OFF]
    plugins = {
        "multiPoint": {"enabled": enabled, "disabled": nowhere},
        "score": {"enabled": scored, "disabled": unscored},
    }
    text = spoilt({"profiles[0].plugins": plugins})
    (reading,) = read(text, "config.yaml")

    weights = scheduler.weights(text)

    assert weights == score_weights(reading.config.profiles[0])
