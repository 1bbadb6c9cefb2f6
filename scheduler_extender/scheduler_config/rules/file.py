"""Rules about the file as a whole: whether kube-scheduler starts with it, and beside whom.

Most of these end in a kube-scheduler that does not start, which is the kindest failure there is,
but on a control plane it is found by a person at night. They must not judge extenders.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from scheduler_extender.scheduler_config.document import API_VERSION
from scheduler_extender.scheduler_config.durations import seconds
from scheduler_extender.scheduler_config.finding import Rule, Severity, Trap, UnknownField
from scheduler_extender.scheduler_config.scores import KNOWN_PLUGINS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler_extender.scheduler_config.document import PluginSet, Profile
    from scheduler_extender.scheduler_config.finding import Subject

__all__ = ["RULES"]

_DEFAULT_PROFILE = "default-scheduler"
_DEFAULT_LEASE = ("kube-system", "kube-scheduler")
_REMOVED_PLUGINS = {
    "AzureDiskLimits": "NodeVolumeLimits",
    "CinderLimits": "NodeVolumeLimits",
    "EBSLimits": "NodeVolumeLimits",
    "GCEPDLimits": "NodeVolumeLimits",
}
_ARGUMENTS = {
    "DefaultPreemption": ("minCandidateNodesPercentage", "minCandidateNodesAbsolute"),
    "DynamicResources": ("filterTimeout", "bindingTimeout"),
    "InterPodAffinity": ("hardPodAffinityWeight", "ignorePreferredTermsOfExistingPods"),
    "NodeAffinity": ("addedAffinity",),
    "NodeResourcesBalancedAllocation": ("resources",),
    "NodeResourcesFit": ("ignoredResources", "ignoredResourceGroups", "scoringStrategy"),
    "PodTopologySpread": ("defaultConstraints", "defaultingType"),
    "VolumeBinding": ("bindTimeoutSeconds", "shape"),
}
"""The arguments of in-tree plugins, beside apiVersion and kind."""


def old_version(subject: Subject) -> Iterator[Trap]:
    """v1 is the only version that 1.37 serves."""
    if subject.config.api_version != API_VERSION:
        yield Trap("apiVersion", f"apiVersion: {API_VERSION}")


def unknown_field(subject: Subject) -> Iterator[Trap]:
    """Keys that no type has, in the file and in the arguments of in-tree plugins."""
    for unknown in (*subject.unknown, *_unknown_arguments(subject)):
        near = _near(unknown.name, unknown.known)
        yield Trap(
            unknown.where,
            f"{near}: ..." if near else f"# {unknown.name} removed",
            f"There is no {unknown.name} here{f'; {near} was probably meant' if near else ''}.",
        )


def _unknown_arguments(subject: Subject) -> Iterator[UnknownField]:
    for place, profile in _profiles(subject):
        for at, config in enumerate(profile.plugin_config):
            known = ("apiVersion", "kind", *_ARGUMENTS.get(config.name, ()))
            where = f"{place}.pluginConfig[{at}].args"
            for key in config.args if config.name in _ARGUMENTS else ():
                if key not in known:
                    yield UnknownField(f"{where}.{key}", key, known)


def out_of_range(subject: Subject) -> Iterator[Trap]:
    """Numbers that kube-scheduler's validation refuses."""
    config = subject.config
    if config.parallelism is not None and config.parallelism <= 0:
        yield Trap("parallelism", "parallelism: 16")
    shares = {"": config.percentage_of_nodes_to_score} | {
        f"{place}.": profile.percentage_of_nodes_to_score for place, profile in _profiles(subject)
    }
    for place, percent in shares.items():
        if percent is not None and not 0 <= percent <= 100:  # noqa: PLR2004 - per cent
            yield Trap(f"{place}percentageOfNodesToScore", "percentageOfNodesToScore: 100")
    first, last = config.pod_initial_backoff_seconds, config.pod_max_backoff_seconds
    if (first is not None and first <= 0) or (1 if first is None else first) > (
        10 if last is None else last
    ):
        lines = "podInitialBackoffSeconds: 1\npodMaxBackoffSeconds: 10"
        yield Trap("podInitialBackoffSeconds", lines)
    if config.client_connection.burst < 0:
        yield Trap("clientConnection.burst", "burst: 400")


def election_times(subject: Subject) -> Iterator[Trap]:
    """Durations that cannot be read, or a deadline that ends after the Lease."""
    election = subject.config.leader_election
    written = {
        "leaseDuration": election.lease_duration or "15s",
        "renewDeadline": election.renew_deadline or "10s",
        "retryPeriod": election.retry_period or "2s",
    }
    read = {name: seconds(text) for name, text in written.items()}
    lease, deadline = read["leaseDuration"], read["renewDeadline"]
    wrong = any(value is None or value < 0 for value in read.values())
    if wrong or (lease or 0) <= (deadline or 0):
        yield Trap("leaderElection", "leaseDuration: 15s\nrenewDeadline: 10s\nretryPeriod: 2s")


def shared_lease(subject: Subject) -> Iterator[Trap]:
    """A scheduler of its own name that waits for the Lease of the cluster's own scheduler."""
    election = subject.config.leader_election
    names = [profile.scheduler_name for profile in subject.config.effective_profiles]
    lease = (
        election.resource_namespace or _DEFAULT_LEASE[0],
        election.resource_name or _DEFAULT_LEASE[1],
    )
    second = _DEFAULT_PROFILE not in names and None not in names
    if second and election.leader_elect is not False and lease == _DEFAULT_LEASE:
        yield Trap("leaderElection.resourceName", f"resourceName: {names[0]}")


def same_name_twice(subject: Subject) -> Iterator[Trap]:
    """A second Lease beside a profile that the cluster's own scheduler serves too."""
    election = subject.config.leader_election
    own = bool(election.resource_name) and election.resource_name != _DEFAULT_LEASE[1]
    for place, profile in _profiles(subject):
        if own and profile.scheduler_name in {None, _DEFAULT_PROFILE}:
            yield Trap(f"{place}.schedulerName", f"schedulerName: {election.resource_name}")


def no_election(subject: Subject) -> Iterator[Trap]:
    """Two replicas that both believe to be alone."""
    if subject.config.leader_election.leader_elect is False:
        yield Trap("leaderElection.leaderElect", "leaderElect: true")


def profile_names(subject: Subject) -> Iterator[Trap]:
    """Profiles without a name beside others, and names that are taken."""
    seen: set[str] = set()
    several = len(subject.config.profiles) > 1
    for place, profile in _profiles(subject):
        name = profile.scheduler_name
        if not name and (several or name == ""):
            yield Trap(f"{place}.schedulerName", "schedulerName: NAME", "It has no name.")
        elif name in seen:
            yield Trap(f"{place}.schedulerName", f"schedulerName: {name}-2", f"{name} is taken.")
        seen.add(name or "")


def queue_order(subject: Subject) -> Iterator[Trap]:
    """Profiles that want the one queue in different orders."""
    profiles = subject.config.profiles
    for at, profile in enumerate(profiles[1:], start=1):
        if profile.plugins.queue_sort != profiles[0].plugins.queue_sort:
            yield Trap(f"profiles[{at}].plugins.queueSort", "# queueSort as in profiles[0]")


def removed_plugin(subject: Subject) -> Iterator[Trap]:
    """Names of plugins that v1 refuses."""
    for where, name in _plugin_names(subject):
        if name in _REMOVED_PLUGINS:
            yield Trap(where, f"name: {_REMOVED_PLUGINS[name]}")


def unknown_plugin(subject: Subject) -> Iterator[Trap]:
    """Names that upstream's kube-scheduler does not know."""
    for where, name in _plugin_names(subject):
        if name not in KNOWN_PLUGINS and name not in _REMOVED_PLUGINS:
            near = _near(name, KNOWN_PLUGINS)
            yield Trap(where, f"name: {near or 'NodeResourcesFit'}", f"There is no {name}.")


def plugin_told_twice(subject: Subject) -> Iterator[Trap]:
    """Two lists of arguments for one plugin."""
    for place, profile in _profiles(subject):
        names = [config.name for config in profile.plugin_config]
        for at, name in enumerate(names):
            if name in names[:at]:
                where = f"{place}.pluginConfig[{at}]"
                yield Trap(where, f"# one entry for {name}, with the arguments of both")


def slow_client(subject: Subject) -> Iterator[Trap]:
    """A client that may ask the API server less often than pods arrive."""
    client = subject.config.client_connection
    qps, burst = client.qps or 50, client.burst or 100
    if 0 < qps < _LEAST_QPS or (qps > 0 and 0 <= burst < qps):
        detail = f"It may send {qps:g} requests a second (burst {burst})."
        yield Trap("clientConnection", "clientConnection:\n  qps: 200\n  burst: 400", detail)


_LEAST_QPS = 100
"""Twice 50 pods/s: a pod costs a bind, and a refused one a status patch."""


def _profiles(subject: Subject) -> Iterator[tuple[str, Profile]]:
    for at, profile in enumerate(subject.config.profiles):
        yield f"profiles[{at}]", profile


def _plugin_names(subject: Subject) -> Iterator[tuple[str, str]]:
    """Every plugin that a profile enables, by where it stands."""
    for place, profile in _profiles(subject):
        plugins = profile.plugins
        for field, attribute in zip(
            plugins.__struct_encode_fields__, plugins.__struct_fields__, strict=True
        ):
            point: PluginSet = getattr(plugins, attribute)
            for at, plugin in enumerate(point.enabled):
                yield f"{place}.plugins.{field}.enabled[{at}]", plugin.name


def _near(name: str, known: tuple[str, ...] | frozenset[str]) -> str:
    """The known name that was probably meant; empty where none is near."""
    lower = {candidate.lower(): candidate for candidate in known}
    near = get_close_matches(name.lower(), sorted(lower), n=1)
    return lower[near[0]] if near else ""


RULES = (
    Rule(
        "old-version",
        Severity.ERROR,
        "A version that is not served",
        f"kube-scheduler 1.37 reads {API_VERSION} alone and does not start with another.",
        old_version,
    ),
    Rule(
        "unknown-field",
        Severity.ERROR,
        "A key that does not exist",
        "kube-scheduler reads this file strictly and does not start with a key it does not know.",
        unknown_field,
    ),
    Rule(
        "out-of-range",
        Severity.ERROR,
        "A number that is refused",
        "kube-scheduler does not start with this number.",
        out_of_range,
    ),
    Rule(
        "election-times",
        Severity.ERROR,
        "Election times that contradict each other",
        "A leader must give up (renewDeadline) before others may take over (leaseDuration); "
        "kube-scheduler refuses anything else.",
        election_times,
    ),
    Rule(
        "shared-lease",
        Severity.ERROR,
        "A second scheduler behind the first one's Lease",
        "Without a resourceName of its own it waits for kube-system/kube-scheduler, which the "
        "cluster's own scheduler holds, and never places a pod.",
        shared_lease,
    ),
    Rule(
        "same-name-twice",
        Severity.WARNING,
        "Two schedulers for the same pods",
        "A scheduler with a Lease of its own runs beside the cluster's; where both serve "
        "default-scheduler they race for the same pods and count free room twice.",
        same_name_twice,
    ),
    Rule(
        "no-election",
        Severity.WARNING,
        "No leader election",
        "Two replicas, or the two generations of a rollout, both place pods then, each from "
        "a view of its own.",
        no_election,
    ),
    Rule(
        "profile-names",
        Severity.ERROR,
        "Profiles without a name of their own",
        "With more than one profile each needs a schedulerName that no other has; "
        "kube-scheduler does not start otherwise.",
        profile_names,
    ),
    Rule(
        "queue-order",
        Severity.ERROR,
        "Profiles that order one queue differently",
        "All profiles share one queue, so kube-scheduler wants the same queueSort in each.",
        queue_order,
    ),
    Rule(
        "removed-plugin",
        Severity.ERROR,
        "A plugin that is gone",
        "v1 refuses this plugin; NodeVolumeLimits does its work.",
        removed_plugin,
    ),
    Rule(
        "unknown-plugin",
        Severity.WARNING,
        "A plugin that upstream does not have",
        "Upstream's kube-scheduler does not start with it; only a build of one's own may.",
        unknown_plugin,
    ),
    Rule(
        "plugin-told-twice",
        Severity.ERROR,
        "Arguments for one plugin in two places",
        "kube-scheduler refuses a second pluginConfig entry of the same name.",
        plugin_told_twice,
    ),
    Rule(
        "slow-client",
        Severity.WARNING,
        "Fewer requests a second than pods",
        "Each pod costs a bind and each refusal a status patch, so this is the ceiling of "
        "pods per second, whatever the extender does.",
        slow_client,
    ),
)
