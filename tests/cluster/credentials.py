"""Who may speak to a test's control plane: its two authorities, and a kubeconfig for each user.

Kubernetes reads a user and its groups from a client certificate, so a test makes any user it likes.
Nothing here may start a process or ask the API server.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Credentials", "User"]

SERVER_HOSTS = ("localhost", "127.0.0.1", "10.0.0.1", "kubernetes.default.svc")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a client certificate."""

    name: str
    certificate: Path
    key: Path
    kubeconfig: Path


class Credentials:
    """The certificates of one control plane, in one folder."""

    def __init__(self, folder: Path, server: str) -> None:
        self.folder = folder
        self.server = server
        self.authority = Authority("synthscale-tests")
        self.front_proxy_authority = Authority("synthscale-tests-front-proxy")
        self.ca, _ = self.authority.issued.write(folder, "ca")
        self.front_proxy_ca, _ = self.front_proxy_authority.issued.write(folder, "front-proxy-ca")
        front_proxy = self.front_proxy_authority.issue("front-proxy-client")
        self.front_proxy = front_proxy.write(folder, "front-proxy")
        self.serving = self.authority.issue("kubernetes", hosts=SERVER_HOSTS).write(folder, "serve")
        self.service_accounts = self.authority.issue("service-accounts").write(folder, "sa")

    def user(self, name: str, groups: Sequence[str] = ()) -> User:
        """A new certificate for this user, and a kubeconfig that uses it."""
        file = name.replace(":", "-").replace("/", "-")
        issued = self.authority.issue(name, organizations=groups)
        certificate, key = issued.write(self.folder, f"user-{file}")
        kubeconfig = self._kubeconfig(
            file, {"client-certificate": str(certificate), "client-key": str(key)}
        )
        return User(name, certificate, key, kubeconfig)

    def token_kubeconfig(self, file: str, token: str) -> Path:
        """A kubeconfig for whoever this bearer token speaks for."""
        return self._kubeconfig(file, {"token": token})

    def _kubeconfig(self, file: str, user: dict[str, str]) -> Path:
        """JSON is YAML, so every reader of a kubeconfig reads it."""
        path = self.folder / f"{file}.kubeconfig"
        cluster = {"server": self.server, "certificate-authority": str(self.ca)}
        body = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": cluster}],
            "users": [{"name": file, "user": user}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": file}}],
            "current-context": "tests",
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(body, indent=1), encoding="utf-8")
        return path
