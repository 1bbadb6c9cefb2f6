"""KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1) as Kubernetes 1.37 defines it.

Types only: what a file says, with the zero values that Go would give what it leaves out; a zero
therefore means "absent" wherever kube-scheduler treats it so. Values must not be completed by
kube-scheduler's defaults here, for a rule may care whether a person wrote them.
"""

from __future__ import annotations

import msgspec

__all__ = [
    "API_VERSION",
    "KIND",
    "ClientConnection",
    "Extender",
    "LeaderElection",
    "ManagedResource",
    "Plugin",
    "PluginConfig",
    "PluginSet",
    "Plugins",
    "Profile",
    "SchedulerConfiguration",
    "TlsConfig",
]

API_GROUP = "kubescheduler.config.k8s.io"
API_VERSION = f"{API_GROUP}/v1"
KIND = "KubeSchedulerConfiguration"


class _Struct(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Go's spelling outside, ours inside."""


class TlsConfig(_Struct, frozen=True):
    """How kube-scheduler trusts the extender, and how it shows who it is."""

    insecure: bool = False
    server_name: str = ""
    cert_file: str = ""
    key_file: str = ""
    ca_file: str = ""
    cert_data: str = ""
    key_data: str = ""
    ca_data: str = ""

    @property
    def names_an_authority(self) -> bool:
        """Whether the extender's certificate is checked against an authority named here."""
        return bool(self.ca_file or self.ca_data)


class ManagedResource(_Struct, frozen=True):
    """A resource whose pods are sent to the extender."""

    name: str = ""
    ignored_by_scheduler: bool = False


class Extender(_Struct, frozen=True):
    """One entry of `extenders`; an empty verb is a call that is never made."""

    url_prefix: str = ""
    filter_verb: str = ""
    preempt_verb: str = ""
    prioritize_verb: str = ""
    weight: int = 0
    bind_verb: str = ""
    enable_https: bool = msgspec.field(default=False, name="enableHTTPS")
    tls_config: TlsConfig | None = None
    http_timeout: str = ""
    """A Go duration such as `200ms`."""
    node_cache_capable: bool = False
    managed_resources: tuple[ManagedResource, ...] = ()
    ignorable: bool = False

    @property
    def tls(self) -> TlsConfig:
        """The TLS settings, empty where there are none."""
        return self.tls_config or TlsConfig()

    @property
    def verbs(self) -> dict[str, str]:
        """The calls that are made, by the field that names them."""
        named = {
            "filterVerb": self.filter_verb,
            "prioritizeVerb": self.prioritize_verb,
            "preemptVerb": self.preempt_verb,
            "bindVerb": self.bind_verb,
        }
        return {field: verb for field, verb in named.items() if verb}

    @property
    def resources(self) -> tuple[str, ...]:
        """The names of its managed resources."""
        return tuple(resource.name for resource in self.managed_resources)


class Plugin(_Struct, frozen=True):
    """A plugin at one extension point."""

    name: str = ""
    weight: int = 0


class PluginSet(_Struct, frozen=True):
    """What a profile changes at one extension point."""

    enabled: tuple[Plugin, ...] = ()
    disabled: tuple[Plugin, ...] = ()


class Plugins(_Struct, frozen=True):
    """The extension points of a profile."""

    multi_point: PluginSet = PluginSet()
    pre_enqueue: PluginSet = PluginSet()
    queue_sort: PluginSet = PluginSet()
    pre_filter: PluginSet = PluginSet()
    filter: PluginSet = PluginSet()
    post_filter: PluginSet = PluginSet()
    pre_score: PluginSet = PluginSet()
    score: PluginSet = PluginSet()
    reserve: PluginSet = PluginSet()
    permit: PluginSet = PluginSet()
    pre_bind: PluginSet = PluginSet()
    bind: PluginSet = PluginSet()
    post_bind: PluginSet = PluginSet()
    placement_generate: PluginSet = PluginSet()
    placement_score: PluginSet = PluginSet()
    pod_group_post_filter: PluginSet = PluginSet()


class PluginConfig(_Struct, frozen=True):
    """The arguments of one plugin; their shape is the plugin's own."""

    name: str = ""
    args: dict[str, object] = {}


class Profile(_Struct, frozen=True):
    """One `schedulerName` and the plugins that serve it."""

    scheduler_name: str | None = None
    percentage_of_nodes_to_score: int | None = None
    plugins: Plugins = Plugins()
    plugin_config: tuple[PluginConfig, ...] = ()

    def arguments(self, plugin: str) -> dict[str, object]:
        """What a plugin is told; empty where it is told nothing."""
        return next((config.args for config in self.plugin_config if config.name == plugin), {})


class LeaderElection(_Struct, frozen=True):
    """Which Lease decides who schedules."""

    leader_elect: bool | None = None
    lease_duration: str = ""
    renew_deadline: str = ""
    retry_period: str = ""
    resource_lock: str = ""
    resource_name: str = ""
    resource_namespace: str = ""


class ClientConnection(_Struct, frozen=True):
    """How kube-scheduler speaks to the API server."""

    kubeconfig: str = ""
    accept_content_types: str = ""
    content_type: str = ""
    qps: float = 0
    burst: int = 0


class SchedulerConfiguration(_Struct, frozen=True):
    """The whole file."""

    api_version: str = ""
    kind: str = ""
    parallelism: int | None = None
    leader_election: LeaderElection = LeaderElection()
    client_connection: ClientConnection = ClientConnection()
    enable_profiling: bool | None = None
    enable_contention_profiling: bool | None = None
    percentage_of_nodes_to_score: int | None = None
    pod_initial_backoff_seconds: int | None = None
    pod_max_backoff_seconds: int | None = None
    profiles: tuple[Profile, ...] = ()
    extenders: tuple[Extender, ...] = ()
    delay_cache_until_active: bool = False

    @property
    def effective_profiles(self) -> tuple[Profile, ...]:
        """The profiles that run: kube-scheduler makes one where none is written."""
        return self.profiles or (Profile(),)
