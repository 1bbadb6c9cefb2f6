"""What an operator may choose about the extender, beside what every service has.

One struct a subject, with bounds and the reason of each default; what does not go together is
refused before anything is opened. This module must not read files or the environment.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from scheduler_extender.accounting.ledger import LedgerSettings
from scheduler_extender.extender import ExtenderSettings
from service_runtime.kube.settings import KubeSettings
from service_runtime.leadership.settings import LeadershipSettings
from service_runtime.settings.chassis import ChassisSettings

__all__ = [
    "AccountingSettings",
    "EventSettings",
    "ExplainSettings",
    "LeaderSettings",
    "NudgeSettings",
    "PodSettings",
    "PolicySettings",
    "SchedulerSettings",
    "ServiceSettings",
    "ViewSettings",
]

_NS_PER_S = 1_000_000_000


class PromptKubeSettings(KubeSettings, frozen=True, forbid_unknown_fields=True):
    """How the API server is found, trusted, asked and waited for."""

    watch_timeout_s: Annotated[
        int,
        Meta(
            description="The server is asked to end a watch after this to twice this. It vouches "
            "for the view shortly before, so that a quiet cluster's view stays young; "
            "`view.stale_after_s` must exceed twice this.",
            ge=3,
            le=3600,
        ),
    ] = 10
    backoff_cap_s: Annotated[
        float,
        Meta(
            description="Longest wait before any retry: what a view may stay stale for after the "
            "API server is back.",
            gt=0,
            le=600,
        ),
    ] = 5.0


class PromptLeadershipSettings(LeadershipSettings, frozen=True, forbid_unknown_fields=True):
    """When a leader is taken for gone, and when it has to stop by itself before that."""

    lease_duration_s: Annotated[
        int,
        Meta(
            description="A standby takes over when it has seen no renewal for this long; guarded "
            "pods wait meanwhile.",
            ge=1,
            le=3600,
        ),
    ] = 8
    renew_deadline_s: Annotated[
        float,
        Meta(
            description="A leader stops answering when the last renewal that succeeded was begun "
            "this long ago; less than `lease_duration_s`.",
            gt=0,
            le=3600,
        ),
    ] = 5.0
    retry_period_s: Annotated[
        float,
        Meta(
            description="Between two renewals of a leader; a standby looks after one to 2.2 of it.",
            gt=0,
            le=600,
        ),
    ] = 1.0
    request_timeout_s: Annotated[
        float,
        Meta(
            description="Longest wait for one answer of the API server about the Lease; less than "
            "`renew_deadline_s`.",
            gt=0,
            le=600,
        ),
    ] = 2.5


class PodSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which pod this process is; a Deployment fills these from the downward API."""

    name: Annotated[str, Meta(description="Name of the pod; empty: the host's name.")] = ""
    namespace: Annotated[
        str, Meta(description="Where our Lease and our Service are.", min_length=1)
    ] = "synthscale-system"
    address: Annotated[
        str,
        Meta(
            description="Address that the leader puts behind the Service; empty: it puts none "
            "there, for a process outside of a cluster."
        ),
    ] = ""


class LeaderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the one active replica is chosen and found."""

    lease_name: Annotated[str, Meta(description="Lease that replicas stand for.", min_length=1)] = (
        "synthscale-extender"
    )
    service: Annotated[
        str, Meta(description="Service, without a selector, by which schedulers find the leader.")
    ] = "synthscale-extender"
    endpoint_slice: Annotated[
        str, Meta(description="EndpointSlice of that Service; the leader owns it.", min_length=1)
    ] = "synthscale-extender"
    service_port: Annotated[
        str, Meta(description="Name of the Service's port.", min_length=1, max_length=63)
    ] = "decision"
    republish_s: Annotated[
        float,
        Meta(
            description="The leader states its address anew this often, in case somebody changed "
            "or removed it.",
            gt=0,
            le=3600,
        ),
    ] = 15.0


class SchedulerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may ask, and how long they wait."""

    common_names: Annotated[
        tuple[str, ...],
        Meta(
            description="Common names of client certificates that are answered; empty: of every "
            "certificate of the authority."
        ),
    ] = ("synthscale-scheduler",)
    waits_s: Annotated[
        float,
        Meta(
            description="How long a scheduler waits for an answer (httpTimeout); what takes "
            "longer is counted as late.",
            gt=0,
            le=60,
        ),
    ] = 0.5


class ViewSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How old what is known may be."""

    stale_after_s: Annotated[
        float,
        Meta(
            description="With an older view the guard refuses every node and the scorer's answers "
            "are marked.",
            gt=0,
            le=3600,
        ),
    ] = 30.0
    shapes_max: Annotated[
        int,
        Meta(
            description="Distinct pod shapes remembered; beyond it the view is built anew.",
            ge=64,
            le=1_000_000,
        ),
    ] = 8_192


class AccountingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long to believe what nobody has confirmed."""

    assume_s: Annotated[
        float,
        Meta(
            description="A pod that was answered about and is not seen bound holds its GPUs for "
            "this long; longer than a binding takes, or than a Permit plugin's timeout.",
            gt=0,
            le=3600,
        ),
    ] = 30.0
    takeover_s: Annotated[
        float,
        Meta(
            description="A new leader gives no shares for this long: pods may be under way by its "
            "predecessor's answers. Longer than watches lag.",
            ge=0,
            le=60,
        ),
    ] = 2.0


class PolicySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which policy decides, and what it knows about the pods that usually come."""

    name: Annotated[
        Literal[
            "least-loss", "fgd", "best-fit", "gpu-packing", "gpu-clustering", "dot-prod",
            "least-allocated", "most-allocated",
        ],
        Meta(description="The policy; `synthscale simulate placement` compares them."),
    ] = "least-loss"  # fmt: skip
    mix_file: Annotated[
        str,
        Meta(
            description="JSON file with the pods that usually come: a list of {cpu_milli, "
            "memory_mib, gpu_count, gpu_milli, gpu_memory_mib, count, lifetime_s}; empty: what is "
            "in the cluster tells."
        ),
    ] = ""
    learn_every_s: Annotated[
        float,
        Meta(
            description="Without a file, how often the mix is learned anew from the cluster's "
            "pods; every new mix costs all prepared scores.",
            ge=10,
            le=86_400,
        ),
    ] = 600.0
    term_budget_ms: Annotated[
        float,
        Meta(
            description="A term that takes longer in one call is left out of that call; 0: terms "
            "are not timed.",
            ge=0,
            le=1_000,
        ),
    ] = 50.0


class ExplainSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of decisions."""

    records_max: Annotated[
        int,
        Meta(
            description="Pods whose latest decision is kept; about 2 KB each.", ge=1, le=1_000_000
        ),
    ] = 10_000
    nodes: Annotated[
        int,
        Meta(
            description="Nodes of a decision that are taken apart, the winner first.", ge=1, le=32
        ),
    ] = 4
    regret_every: Annotated[
        int,
        Meta(
            description="One decision in so many is compared with best-fit and fgd, after its "
            "answer was sent.",
            ge=1,
            le=1_000_000,
        ),
    ] = 100
    idle_ms: Annotated[
        float,
        Meta(
            description="Decisions are explained once no call came for this long, or too many "
            "wait: a scheduler's next call goes first.",
            ge=0,
            le=1_000,
        ),
    ] = 5.0


class EventSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events that tell people about their pods."""

    placed: Annotated[
        bool,
        Meta(
            description="Write an event for every pod that is placed as well; it is what an "
            "explanation survives a restart by."
        ),
    ] = True
    per_s: Annotated[
        float,
        Meta(
            description="Events written a second, lastingly. While calls come, one about a "
            "placed pod counts as ten.",
            gt=0,
            le=10_000,
        ),
    ] = 10.0
    burst: Annotated[
        int, Meta(description="Events at once after a quiet time.", ge=1, le=100_000)
    ] = 50
    queue_max: Annotated[
        int,
        Meta(description="Events that wait to be written; more are dropped.", ge=1, le=1_000_000),
    ] = 2_000
    repeat_after_s: Annotated[
        float,
        Meta(
            description="The same words about the same pod are written again after this; the "
            "API server keeps an event for an hour.",
            gt=0,
            le=86_400,
        ),
    ] = 1_800.0


class NudgeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done for a pod that was refused and fits now, though its scheduler does not know."""

    enabled: Annotated[
        bool,
        Meta(
            description="Change an object of our own that schedulers watch, which makes them ask "
            "again about refused pods, instead of after five minutes."
        ),
    ] = True
    object: Annotated[
        str,
        Meta(
            description="Name of that CSIStorageCapacity in `pod.namespace`; it must be there.",
            min_length=1,
            max_length=253,
        ),
    ] = "synthscale-extender"
    every_s: Annotated[
        float,
        Meta(
            description="The least time between two changes: each wakes every refused pod whose "
            "back-off is over.",
            gt=0,
            le=600,
        ),
    ] = 5.0
    after_s: Annotated[
        float,
        Meta(
            description="How long a scheduler is given to ask by itself; doubles with each time "
            "that it was nudged for the same pod.",
            gt=0,
            le=600,
        ),
    ] = 2.0
    most: Annotated[
        int,
        Meta(description="Nudges for one pod until it is asked about again.", ge=1, le=100),
    ] = 5


class ServiceSettings(ChassisSettings, frozen=True, forbid_unknown_fields=True):
    """Every subject of the extender."""

    kube: PromptKubeSettings = PromptKubeSettings()
    leadership: PromptLeadershipSettings = PromptLeadershipSettings()
    pod: PodSettings = PodSettings()
    leader: LeaderSettings = LeaderSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    view: ViewSettings = ViewSettings()
    accounting: AccountingSettings = AccountingSettings()
    policy: PolicySettings = PolicySettings()
    explain: ExplainSettings = ExplainSettings()
    events: EventSettings = EventSettings()
    nudge: NudgeSettings = NudgeSettings()

    def __post_init__(self) -> None:
        """A healthy view must never be taken for a stale one."""
        ChassisSettings.__post_init__(self)
        longest_s = 2 * self.kube.watch_timeout_s
        if self.view.stale_after_s <= longest_s:
            raise ValueError(
                f"view.stale_after_s ({self.view.stale_after_s:g}) must exceed twice"
                f" kube.watch_timeout_s ({longest_s}): a quiet cluster's view grows that old"
            )

    def of_decisions(self) -> ExtenderSettings:
        """What the deciding part is given."""
        return ExtenderSettings(
            ledger=LedgerSettings(
                assume_ns=round(self.accounting.assume_s * _NS_PER_S),
                takeover_ns=round(self.accounting.takeover_s * _NS_PER_S),
            ),
            stale_ns=round(self.view.stale_after_s * _NS_PER_S),
            regret_every=self.explain.regret_every,
            most_records=self.explain.records_max,
            explained_nodes=self.explain.nodes,
            most_shapes=self.view.shapes_max,
        )
