"""Every verb that is granted has a feature behind it, in a table that is kept by hand.

A grant that nobody can explain is one that nobody dares to remove. The whole run of the extender is
compared with its grants elsewhere, by the audit log; here the grants are compared with the table.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.house.tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.manifests.rendered import Objects

Grant = tuple[str, str, str, str]
"""Role, `resource.group`, a name or empty, verb."""

FEATURES: dict[Grant, str] = {
    ("ClusterRole", "nodes.", "", "list"): "view of the fleet",
    ("ClusterRole", "nodes.", "", "watch"): "view of the fleet",
    ("ClusterRole", "pods.", "", "list"): "view of the fleet",
    ("ClusterRole", "pods.", "", "watch"): "view of the fleet",
    ("ClusterRole", "agentprofiles.synthscale.io", "", "list"): "agents",
    ("ClusterRole", "agentprofiles.synthscale.io", "", "watch"): "agents",
    ("ClusterRole", "events.events.k8s.io", "", "create"): "explanations",
    ("ClusterRole", "tokenreviews.authentication.k8s.io", "", "create"): "access",
    ("ClusterRole", "subjectaccessreviews.authorization.k8s.io", "", "create"): "access",
    ("Role", "leases.coordination.k8s.io", "synthscale-extender", "get"): "one active replica",
    ("Role", "leases.coordination.k8s.io", "synthscale-extender", "update"): "one active replica",
    ("Role", "leases.coordination.k8s.io", "", "create"): "one active replica",
    (
        "Role",
        "endpointslices.discovery.k8s.io",
        "synthscale-extender",
        "patch",
    ): "one active replica",
    ("Role", "endpointslices.discovery.k8s.io", "", "create"): "one active replica",
    ("Role", "csistoragecapacities.storage.k8s.io", "synthscale-extender", "patch"): "nudges",
}

BORROWED = {
    "synthscale-scheduler": "system:kube-scheduler",
    "synthscale-scheduler-volumes": "system:volume-scheduler",
    "synthscale-scheduler-authentication": "extension-apiserver-authentication-reader",
}
"""Bindings of the second scheduler to roles of Kubernetes' own, by the binding's name."""

NEVER = {"secrets", "pods/exec", "pods/binding", "bindings", "pods/attach", "serviceaccounts/token"}
NEVER_VERBS = {"*", "impersonate", "escalate", "bind", "delete", "deletecollection"}


def grants(role: Mapping[str, Any]) -> Iterator[Grant]:
    """A role, verb by verb."""
    for rule in role["rules"]:
        for group in rule.get("apiGroups", []):
            for resource in rule.get("resources", []):
                for name in rule.get("resourceNames", [""]):
                    for verb in rule["verbs"]:
                        yield role["kind"], f"{resource}.{group}", name, verb


def test_the_extender_may_do_what_its_features_need(build: Objects) -> None:
    """Grants and table are the same, and no grant is made twice."""
    found = [
        grant
        for kind in ("ClusterRole", "Role")
        for grant in grants(build.named(kind, "synthscale-extender"))
    ]

    assert set(FEATURES) == set(found)
    assert len(set(found)) == len(found)


def test_each_row_says_its_feature() -> None:
    """In the file a comment before each rule begins with the feature's name."""
    text = (ROOT / "manifests" / "base" / "rbac.yaml").read_text(encoding="utf-8")
    rows = re.findall(
        r"^# ([a-z][^:\n]*):[^\n]*\n- (?:apiGroups|nonResourceURLs)", text, re.MULTILINE
    )
    rules = text.count("\n- apiGroups:")

    assert len(rows) == rules
    assert {name.removesuffix(" to /metrics and /explain") for name in rows} == set(
        FEATURES.values()
    )


def test_nobody_may_do_what_nothing_here_needs(build: Objects) -> None:
    """No wildcard, no secrets, no exec, no binding of pods or roles, no impersonation."""
    for role in (*build.kind("ClusterRole"), *build.kind("Role")):
        for rule in role["rules"]:
            named = {*rule.get("resources", []), *rule.get("apiGroups", [])}

            assert not named & {"*", *NEVER}, role["metadata"]["name"]
            assert not set(rule["verbs"]) & NEVER_VERBS, role["metadata"]["name"]


def test_an_observer_may_read_and_nothing_else(build: Objects) -> None:
    """Figures and explanations are behind one role that people are bound to."""
    (rule,) = build.named("ClusterRole", "synthscale-observer")["rules"]

    assert rule == {"nonResourceURLs": ["/metrics", "/explain/*"], "verbs": ["get"]}


def test_roles_are_bound_to_our_accounts_alone(build: Objects) -> None:
    """Every subject is a service account of ours, and every role is ours or Kubernetes' own."""
    ours = {account["metadata"]["name"] for account in build.kind("ServiceAccount")}
    for binding in (*build.kind("ClusterRoleBinding"), *build.kind("RoleBinding")):
        name = binding["metadata"]["name"]
        (subject,) = binding["subjects"]

        assert subject["kind"] == "ServiceAccount"
        assert subject["name"] in ours
        assert subject["namespace"] == "synthscale-system"
        if (role := binding["roleRef"])["name"] not in ours:
            assert BORROWED[name] == role["name"]


@pytest.mark.parametrize("name", ["synthscale-extender", "synthscale-scheduler"])
def test_a_stray_pod_gets_no_token(builds: Mapping[str, Objects], name: str) -> None:
    """Accounts mount no token by themselves; the Deployments ask for it."""
    build = builds["install/second-scheduler"]
    pod = build.named("Deployment", name)["spec"]["template"]["spec"]

    assert build.named("ServiceAccount", name)["automountServiceAccountToken"] is False
    assert pod["automountServiceAccountToken"] is True
    assert name == pod["serviceAccountName"]
