"""The command line of each part of a control plane: pure functions of settings, ports and files.

Each flag that is not obvious says why it is there. Nothing here may start anything; what is chosen
here is what `control_plane` starts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cluster.build import Group, ModuleFiles, Tool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.cluster.credentials import Credentials, User

__all__ = [
    "AUDIT_POLICY",
    "CONTROL_PLANE",
    "HEARTBEAT_ANNOTATION",
    "KUBERNETES_VERSION",
    "KWOK_CONFIGURATION",
    "SILENT_LABEL",
    "Settings",
    "controllers",
    "etcd",
    "kwok",
    "scheduler",
    "scheduler_configuration",
    "server",
]

KUBERNETES_VERSION = "v1.37.2"
_MAJOR, _MINOR, _ = KUBERNETES_VERSION.removeprefix("v").split(".")

CONTROL_PLANE = Group(
    name="controlplane",
    folder=Path(__file__).resolve().parent / "controlplane",
    tools=(
        Tool("go.etcd.io/etcd/server/v3", "etcd", from_assets=True),
        Tool("k8s.io/kubernetes/cmd/kube-apiserver", "kube-apiserver", from_assets=True),
        Tool("k8s.io/kubernetes/cmd/kube-scheduler", "kube-scheduler"),
        Tool("k8s.io/kubernetes/cmd/kube-controller-manager", "kube-controller-manager"),
        Tool("sigs.k8s.io/kwok/cmd/kwok", "kwok"),
        Tool("k8s.io/kubernetes/cmd/kubectl", "kubectl", from_assets=True),
        Tool("./elector", "elector"),
    ),
    files=(
        ModuleFiles(
            "sigs.k8s.io/kwok",
            (
                "kustomize/stage/node/fast/node-initialize.yaml",
                "kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
                "kustomize/stage/pod/fast/pod-ready.yaml",
                "kustomize/stage/pod/fast/pod-complete.yaml",
                "kustomize/stage/pod/fast/pod-delete.yaml",
            ),
            "stages",
        ),
    ),
    # Without these a client is told v0.0.0 and guesses what the server can do.
    stamps={
        f"{package}.{variable}": value
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        for variable, value in {
            "gitVersion": KUBERNETES_VERSION,
            "gitMajor": _MAJOR,
            "gitMinor": _MINOR,
        }.items()
    },
)

STABILIZATION_FLAG = "--horizontal-pod-autoscaler-downscale-stabilization"
HEARTBEAT_ANNOTATION = "kwok.x-k8s.io/node"
"""On a node: KWOK is its kubelet (Karpenter's KWOK provider writes it too)."""
SILENT_LABEL = "synthscale.test/silent"
"""On a node: KWOK lets go of it.

KWOK takes no notice of an annotation that is removed, but a watch by label selector tells it that
the node is gone. The node itself stays, and its lease runs out.
"""

AUDIT_POLICY: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        # A thousand nodes renew a hundred leases a second, and nobody asks who did that.
        {
            "level": "None",
            "verbs": ["update"],
            "namespaces": ["kube-node-lease"],
            "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}],
        },
        {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*"]},
        {"level": "Metadata"},
    ],
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a test may ask of its control plane; the defaults are for quick tests."""

    node_lease_s: int = 40
    """A node renews its lease every quarter of this."""
    node_grace_s: int = 50
    """Silence after which a node counts as lost: Kubernetes' own, because a busy machine delays
    renewals, and nodes wrongly lost make it busier. A test of silence sets both to seconds."""
    autoscaler_sync_s: int = 2
    """Kubernetes looks every 15 s."""
    autoscaler_stabilization_s: int = 5
    """How long a lower count must be wanted; Kubernetes waits 300 s."""
    requests_per_s: int = 1_000
    """Of each client: the default of 50 would measure the throttle."""
    feature_gates: Mapping[str, bool] = field(default_factory=dict)
    scheduler: Mapping[str, Any] = field(default_factory=dict)
    """Fields of KubeSchedulerConfiguration for the default scheduler, such as `parallelism`."""
    audit_policy: Mapping[str, Any] = field(default_factory=lambda: AUDIT_POLICY)
    more_flags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By program name; a flag said again there wins."""

    def last_flags(self, program: str) -> list[str]:
        """What comes after everything else on a program's command line."""
        gates = ",".join(f"{name}={str(on).lower()}" for name, on in self.feature_gates.items())
        kubernetes = gates and program.startswith("kube-")
        return [
            *([f"--feature-gates={gates}"] if kubernetes else []),
            *self.more_flags.get(program, ()),
        ]


def etcd(
    settings: Settings, credentials: Credentials, data: Path, client_port: int, peer_port: int
) -> list[str]:
    """One member that forgets: what it holds ends with the test, so nothing is synced to disk."""
    certificate, key = credentials.serving
    client, peer = (f"https://127.0.0.1:{port}" for port in (client_port, peer_port))
    return [
        f"--data-dir={data}",
        "--unsafe-no-fsync",
        # As kubeadm sets it: else bookmarks of a quiet resource may not come for ten minutes.
        "--watch-progress-notify-interval=5s",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--tls-min-version=TLS1.3",
        *(f"--{who}cert-file={certificate}" for who in ("", "peer-")),
        *(f"--{who}key-file={key}" for who in ("", "peer-")),
        *(f"--{who}trusted-ca-file={credentials.ca}" for who in ("", "peer-")),
        *(f"--{who}client-cert-auth" for who in ("", "peer-")),
        "--log-level=warn",
        *settings.last_flags("etcd"),
    ]


def server(
    settings: Settings, credentials: Credentials, port: int, etcd_port: int, audit: Path
) -> list[str]:
    """kube-apiserver with RBAC, aggregation, service accounts and an audit log.

    Without --enable-aggregator-routing, because an APIService then reaches a process on loopback
    by a Service of type ExternalName.
    """
    certificate, key = credentials.serving
    proxy_certificate, proxy_key = credentials.front_proxy
    account_certificate, account_key = credentials.service_accounts
    return [
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        # EndpointSlices refuse loopback addresses, so the server must not announce itself.
        "--endpoint-reconciler-type=none",
        f"--secure-port={port}",
        f"--etcd-servers=https://127.0.0.1:{etcd_port}",
        f"--etcd-cafile={credentials.ca}",
        f"--etcd-certfile={certificate}",
        f"--etcd-keyfile={key}",
        f"--tls-cert-file={certificate}",
        f"--tls-private-key-file={key}",
        "--tls-min-version=VersionTLS13",
        f"--client-ca-file={credentials.ca}",
        "--authorization-mode=RBAC,Node",
        "--service-cluster-ip-range=10.0.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={account_certificate}",
        f"--service-account-signing-key-file={account_key}",
        f"--requestheader-client-ca-file={credentials.front_proxy_ca}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={proxy_certificate}",
        f"--proxy-client-key-file={proxy_key}",
        f"--audit-policy-file={audit.with_name('audit-policy.json')}",
        f"--audit-log-path={audit}",
        # One file in MiB, never rotated within a test: the record is read from its beginning.
        "--audit-log-maxsize=4096",
        # One by default: a thousand nodes are gone sooner.
        "--delete-collection-workers=8",
        *settings.last_flags("kube-apiserver"),
    ]


def controllers(settings: Settings, credentials: Credentials, user: User, port: int) -> list[str]:
    """kube-controller-manager, one of its kind, at test speed."""
    certificate, key = credentials.serving
    return [
        *_component(user, port, certificate, key),
        "--leader-elect=false",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={credentials.service_accounts[1]}",
        f"--root-ca-file={credentials.ca}",
        f"--kube-api-qps={settings.requests_per_s}",
        f"--kube-api-burst={2 * settings.requests_per_s}",
        f"--horizontal-pod-autoscaler-sync-period={settings.autoscaler_sync_s}s",
        f"{STABILIZATION_FLAG}={settings.autoscaler_stabilization_s}s",
        "--node-monitor-period=1s",
        f"--node-monitor-grace-period={settings.node_grace_s}s",
        *settings.last_flags("kube-controller-manager"),
    ]


def scheduler(
    settings: Settings, credentials: Credentials, user: User, port: int, configuration: Path
) -> list[str]:
    """kube-scheduler by a configuration file (`scheduler_configuration`)."""
    certificate, key = credentials.serving
    return [
        *_component(user, port, certificate, key),
        f"--config={configuration}",
        *settings.last_flags("kube-scheduler"),
    ]


def scheduler_configuration(
    settings: Settings, user: User, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """A KubeSchedulerConfiguration; what a test overrides, it overrides field by field."""
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": False},
        "clientConnection": {
            "kubeconfig": str(user.kubeconfig),
            "qps": settings.requests_per_s,
            "burst": 2 * settings.requests_per_s,
        },
        **overrides,
    }


KWOK_CONFIGURATION: dict[str, Any] = {
    "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
    "kind": "KwokConfiguration",
    # Four of each by default, which keeps a thousand new nodes waiting.
    "options": {
        "nodeLeaseParallelism": 16,
        "nodePlayStageParallelism": 16,
        "podPlayStageParallelism": 16,
    },
}


def kwok(settings: Settings, user: User, port: int, stages: Path, configuration: Path) -> list[str]:
    """KWOK plays the kubelet of nodes with `HEARTBEAT_ANNOTATION` and without `SILENT_LABEL`."""
    return [
        f"--kubeconfig={user.kubeconfig}",
        f"--server-address=127.0.0.1:{port}",
        "--manage-all-nodes=false",
        f"--manage-nodes-with-annotation-selector={HEARTBEAT_ANNOTATION}=fake",
        f"--manage-nodes-with-label-selector=!{SILENT_LABEL}",
        f"--node-lease-duration-seconds={settings.node_lease_s}",
        f"--config={configuration}",
        *(f"--config={stage}" for stage in sorted(stages.glob("*.yaml"))),
        *settings.last_flags("kwok"),
    ]


def _component(user: User, port: int, certificate: Path, key: Path) -> list[str]:
    return [
        f"--kubeconfig={user.kubeconfig}",
        f"--authentication-kubeconfig={user.kubeconfig}",
        f"--authorization-kubeconfig={user.kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={certificate}",
        f"--tls-private-key-file={key}",
        "--tls-min-version=VersionTLS13",
    ]
