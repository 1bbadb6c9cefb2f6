"""A table of traps: one configuration each, spoilt in one place, and what the linter says.

Every rule has at least one row, and a row names every finding, so that no rule bites in passing.
"""

from __future__ import annotations

import pytest

from scheduler_extender.scheduler_config.rules.registry import RULES
from tests.scheduler_extender.scheduler_config.configurations import (
    ABSENT,
    CLEAN,
    findings,
    spoilt,
)

G = "extenders[0]"
S = "extenders[1]"
P = "profiles[0]"
URL = f"{S}.urlPrefix"
FIT = f"{P}.pluginConfig[0].args"
ONE_PROFILE = {"schedulerName": "x", "percentageOfNodesToScore": 100}
SHARED = {"leaderElection": ABSENT}
DATA: dict[str, object] = {f"{S}.tlsConfig.{name}Data": "AAAA" for name in ("ca", "cert", "key")}

TRAPS: list[tuple[str, dict[str, object], str, str]] = [
    # rule, what is changed, where it is found, a part of what to write
    ("old-version", {"apiVersion": "kubescheduler.config.k8s.io/v1beta3"}, "apiVersion", "/v1"),
    ("unknown-field", {f"{S}.enableHttps": True}, f"{S}.enableHttps", "enableHTTPS: ..."),
    ("unknown-field", {f"{FIT}.scoringstrategy": {}}, f"{FIT}.scoringstrategy", "scoringStrategy"),
    ("out-of-range", {"parallelism": 0}, "parallelism", "16"),
    ("out-of-range", {"percentageOfNodesToScore": 101}, "percentageOfNodesToScore", "100"),
    (
        "out-of-range",
        {f"{P}.percentageOfNodesToScore": 101},
        f"{P}.percentageOfNodesToScore",
        "100",
    ),
    (
        "out-of-range",
        {"podInitialBackoffSeconds": 20},
        "podInitialBackoffSeconds",
        "podMaxBackoffSeconds: 10",
    ),
    ("out-of-range", {"clientConnection.burst": -1}, "clientConnection.burst", "burst: 400"),
    ("election-times", {"leaderElection.renewDeadline": "15s"}, "leaderElection", "10s"),
    ("election-times", {"leaderElection.retryPeriod": "soon"}, "leaderElection", "2s"),
    ("shared-lease", SHARED, "leaderElection.resourceName", "resourceName: gpu-scheduler"),
    (
        "same-name-twice",
        {f"{P}.schedulerName": "default-scheduler"},
        f"{P}.schedulerName",
        "schedulerName: gpu-scheduler",
    ),
    ("no-election", {"leaderElection.leaderElect": False}, "leaderElection.leaderElect", "true"),
    ("queue-order", {}, "profiles[1].plugins.queueSort", "queueSort as in profiles[0]"),
    (
        "removed-plugin",
        {f"{P}.plugins.filter": {"enabled": [{"name": "EBSLimits"}]}},
        f"{P}.plugins.filter.enabled[0]",
        "NodeVolumeLimits",
    ),
    (
        "unknown-plugin",
        {f"{P}.plugins.filter": {"enabled": [{"name": "NodeResourceFit"}]}},
        f"{P}.plugins.filter.enabled[0]",
        "name: NodeResourcesFit",
    ),
    (
        "plugin-told-twice",
        {f"{P}.pluginConfig[1]": {"name": "NodeResourcesFit", "args": {}}},
        f"{P}.pluginConfig[1]",
        "one entry for NodeResourcesFit",
    ),
    ("slow-client", {"clientConnection": ABSENT}, "clientConnection", "qps: 200"),
    ("slow-client", {"clientConnection.burst": 100}, "clientConnection", "burst: 400"),
    ("url-prefix", {URL: "extender:8443"}, URL, "urlPrefix: https://"),
    ("url-prefix", {URL: "https://extender:port/x"}, URL, "urlPrefix: https://"),
    ("url-prefix", {URL: "https://extender.example:8443/?verb="}, URL, "urlPrefix: https://"),
    ("plain-http", {URL: "http://extender.example/scorer"}, URL, "https://extender.example/scorer"),
    ("https-not-enabled", {f"{S}.enableHTTPS": ABSENT}, f"{S}.enableHTTPS", "enableHTTPS: true"),
    ("unverified-tls", {f"{S}.tlsConfig.caFile": ABSENT}, f"{S}.tlsConfig", "caFile: "),
    ("insecure-tls", {f"{S}.tlsConfig.insecure": True}, f"{S}.tlsConfig.insecure", "false"),
    ("no-client-certificate", {f"{S}.tlsConfig.keyFile": ABSENT}, f"{S}.tlsConfig", "keyFile: "),
    ("inline-certificates", DATA, f"{S}.tlsConfig.keyData", "keyFile: "),
    (
        "address-without-name",
        {f"{G}.urlPrefix": "https://10.0.0.9/guard", URL: "https://10.0.0.9/scorer"},
        f"{S}.tlsConfig.serverName",
        "serverName: ",
    ),
    ("timeout", {f"{S}.httpTimeout": ABSENT}, f"{S}.httpTimeout", "500ms"),
    ("timeout", {f"{S}.httpTimeout": "30s"}, f"{S}.httpTimeout", "500ms"),
    ("timeout", {f"{S}.httpTimeout": "10ms"}, f"{S}.httpTimeout", "500ms"),
    ("unreadable-timeout", {f"{S}.httpTimeout": "half"}, f"{S}.httpTimeout", "500ms"),
    ("unreadable-timeout", {f"{S}.httpTimeout": "-1s"}, f"{S}.httpTimeout", "500ms"),
    ("verb-spelling", {f"{S}.filterVerb": "/filter"}, f"{S}.filterVerb", "filterVerb: filter"),
    ("verb-spelling", {f"{S}.prioritizeVerb": "prioritise"}, f"{S}.prioritizeVerb", "prioritize"),
    (
        "verb-not-served",
        {
            f"{G}.urlPrefix": "https://synthscale-extender.s.svc/guard",
            URL: "https://synthscale-extender.s.svc/scorer",
            f"{S}.preemptVerb": "preempt",
        },
        f"{S}.preemptVerb",
        "# no preemptVerb",
    ),
    (
        "does-nothing",
        {f"{S}.filterVerb": ABSENT, f"{S}.prioritizeVerb": ABSENT, f"{S}.weight": ABSENT},
        S,
        "prioritizeVerb",
    ),
    ("sends-whole-nodes", {f"{S}.nodeCacheCapable": False}, f"{S}.nodeCacheCapable", "true"),
    (
        "several-binders",
        {f"{G}.bindVerb": "bind", f"{S}.bindVerb": "bind", f"{S}.ignorable": False},
        f"{S}.bindVerb",
        "# no bindVerb",
    ),
    ("binder-ignorable", {f"{S}.bindVerb": "bind"}, f"{S}.ignorable", "ignorable: false"),
    ("guard-ignorable", {f"{G}.ignorable": True}, f"{G}.ignorable", "ignorable: false"),
    ("guard-without-filter", {f"{G}.filterVerb": ABSENT}, f"{G}.filterVerb", "filter"),
    ("scorer-not-ignorable", {f"{S}.ignorable": ABSENT}, f"{S}.ignorable", "ignorable: true"),
    ("asked-twice", {URL: "https://extender.example:8443/guard/"}, URL, "a prefix for each"),
    (
        "resource-name",
        {f"{S}.managedResources[1]": {"name": "gpu.nvidia.com"}},
        f"{S}.managedResources[1].name",
        "name: nvidia.com/gpu",
    ),
    (
        "managed-twice",
        {f"{S}.managedResources[1]": {"name": "nvidia.com/gpumem"}, f"{S}.ignorable": False},
        f"{S}.managedResources[1].name",
        "# no second nvidia.com/gpumem",
    ),
    (
        "claims-never-match",
        {f"{P}.pluginConfig[1]": {"name": "DynamicResources", "args": {"filterTimeout": "1s"}}},
        f"{S}.managedResources",
        "extendedResourceName: nvidia.com/gpu",
    ),
    (
        "ignores-overwritten",
        {f"{G}.managedResources[0].ignoredByScheduler": True},
        f"{P}.pluginConfig",
        "- nvidia.com/gpumem",
    ),
    (
        "ignored-by-scheduler",
        {
            f"{G}.managedResources[0].ignoredByScheduler": True,
            f"{FIT}.ignoredResources": ABSENT,
        },
        f"{G}.managedResources[0].ignoredByScheduler",
        "ignoredResources:\n    - nvidia.com/gpumem",
    ),
    (
        "whole-gpus-ignored",
        {
            f"{S}.managedResources[0].ignoredByScheduler": True,
            f"{FIT}.ignoredResources": ABSENT,
        },
        f"{S}.managedResources[0].ignoredByScheduler",
        "ignoredByScheduler: false",
    ),
    ("no-weight", {f"{S}.weight": ABSENT}, f"{S}.weight", "weight: 141"),
    ("weight-without-verb", {f"{S}.prioritizeVerb": ABSENT}, f"{S}.prioritizeVerb", "prioritize"),
    ("never-decides", {f"{S}.weight": 14}, f"{S}.weight", "weight: 141"),
    ("step-outweighed", {f"{S}.weight": 15}, f"{S}.weight", "weight: 141"),
    ("step-outweighed", {f"{S}.weight": 140}, f"{S}.weight", "weight: 141"),
    (
        "spreads-against-packing",
        {f"{FIT}.scoringStrategy": ABSENT},
        f"{P}.pluginConfig",
        "MostAllocated",
    ),
    (
        "samples-nodes",
        {f"{P}.percentageOfNodesToScore": ABSENT},
        f"{P}.percentageOfNodesToScore",
        "percentageOfNodesToScore: 100",
    ),
]

SEVERAL: list[tuple[str, dict[str, object], set[str]]] = [
    # what comes with it: files that no single change spoils
    ("two profiles of one name", {"profiles[1]": {"schedulerName": "gpu-scheduler"}}, set()),
    ("a profile without a name", {"profiles[1]": {}}, {"same-name-twice"}),
]
"""Rules that only a second profile shows; a bare profile has the default's traps as well."""

OF_A_BARE_PROFILE = {"profile-names", "step-outweighed", "spreads-against-packing", "samples-nodes"}

COMPANIONS = {
    "inline-certificates": 3,
    "claims-never-match": 2,
    "address-without-name": 2,
}
"""How often a rule bites in its row, where that is not once."""

ALSO = {
    "ignores-overwritten": {"ignored-by-scheduler"},
    "managed-twice": {"scorer-not-ignorable"},
    "several-binders": {"scorer-not-ignorable"},
}
"""What else is wrong, unavoidably, in a row."""


def text_of(rule: str, changes: dict[str, object]) -> str:
    """The configuration of a row."""
    if rule != "queue-order":
        return spoilt(changes)
    second = {
        "schedulerName": "b",
        "plugins": {"queueSort": {"enabled": [{"name": "PrioritySort"}]}},
    }
    return spoilt({"profiles[1]": second})


@pytest.mark.parametrize(
    ("rule", "changes", "where", "write"),
    TRAPS,
    ids=[f"{rule}:{'+'.join(changes)}" for rule, changes, _, _ in TRAPS],
)
def test_a_trap_is_named_with_its_place_and_its_cure(
    rule: str, changes: dict[str, object], where: str, write: str
) -> None:
    """One spoilt place gives that rule's finding, there, with the lines to write."""
    found = findings(text_of(rule, changes))
    mine = [finding for finding in found if finding.rule == rule]
    others = {finding.rule for finding in found} - {rule}

    assert where in [finding.where for finding in mine]
    assert COMPANIONS.get(rule, 1) == len(mine)
    assert any(write in finding.write_this for finding in mine if finding.where == where)
    if rule == "queue-order":
        assert others <= OF_A_BARE_PROFILE
    else:
        assert others == ALSO.get(rule, set())


@pytest.mark.parametrize(
    ("changes", "also"), [row[1:] for row in SEVERAL], ids=[r[0] for r in SEVERAL]
)
def test_profiles_need_names_of_their_own(changes: dict[str, object], also: set[str]) -> None:
    """A second profile without a name, or with the first one's, is named."""
    found = {finding.rule for finding in findings(spoilt(changes))}

    assert found == OF_A_BARE_PROFILE | also


def test_a_configuration_without_traps_is_clean() -> None:
    """What the rows are spoilt from has no finding at all."""
    assert findings(CLEAN) == []


def test_every_rule_has_a_row() -> None:
    """No rule is without a configuration that it bites in."""
    assert {rule.name for rule in RULES} == {row[0] for row in TRAPS} | {"profile-names"}


def test_rules_have_names_of_their_own() -> None:
    """A finding's name leads to one rule."""
    names = [rule.name for rule in RULES]

    assert sorted(set(names)) == sorted(names)


def test_claims_are_told_by_the_person_asking_too() -> None:
    """Without a word about claims in the file, `claims` still warns of them."""
    assert {f.rule for f in findings(CLEAN, claims=True)} == {"claims-never-match"}


@pytest.mark.parametrize("url", ["http://localhost:1/a", "http://127.0.0.1:1/a", "http://[::1]/a"])
def test_plain_http_stays_inside_one_machine(url: str) -> None:
    """An extender beside kube-scheduler may be asked without TLS."""
    found = findings(spoilt({URL: url, f"{S}.enableHTTPS": ABSENT, f"{S}.tlsConfig": ABSENT}))

    assert "plain-http" not in {finding.rule for finding in found}


def test_a_second_extender_for_all_pods_is_a_rival() -> None:
    """Its weight counts against ours; that of one for other resources does not."""
    other: dict[str, object] = {URL: "https://other.example/scorer"}
    found = findings(spoilt(other | {f"{S}.managedResources": ABSENT, f"{S}.weight": 6}))
    weights = {finding.where: finding.write_this for finding in found}

    assert findings(spoilt(other)) == []
    assert weights == {f"{G}.weight": "weight: 201", f"{S}.weight": "weight: 1551"}
