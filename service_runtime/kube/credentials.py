"""Where the API server is and who we are: read by the official client, held to our conditions.

The official client knows kubeconfig files, service accounts and exec plugins; what it lacks is
added here: everything is read anew now and then (a token is renewed on disk, a certificate and an
authority change), nothing is written back to a person's kubeconfig, and verification of the
server cannot be turned off. This module must not open a connection to the API server.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from gpu_fleet.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service_runtime.kube.settings import KubeSettings

__all__ = ["Credentials", "read_credentials"]

_KUBECONFIG: Final = "KUBECONFIG"
_IN_CLUSTER: Final = "KUBERNETES_SERVICE_HOST"
_PLUGIN_TIMEOUT_S: Final = 60.0
"""An exec plugin may open a browser or ask a cloud; a minute is client-go users' experience."""
_EARLY: Final = timedelta(minutes=5)
"""A token is renewed this long before it ends, as the official client does."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API server's address, how to trust it and how to be known to it."""

    source: str
    configuration: Configuration
    fingerprint: str
    """Changes with anything that a TLS connection is made of; a new token leaves it alone."""
    good_until: datetime | None = None
    """When an exec plugin's token should be renewed, where the plugin said so."""

    def may_be_renewed(self, now: datetime) -> bool:
        """Whether reading anew can help: not while a plugin's token has long to live."""
        return self.good_until is None or now >= self.good_until

    async def headers(self) -> dict[str, str]:
        """The headers that say who asks."""
        settings = await self.configuration.auth_settings()
        token = settings.get("BearerToken")
        if token is None or not token["value"]:
            return {}
        return {"Authorization": str(token["value"]).strip()}


async def read_credentials(
    settings: KubeSettings, environment: Mapping[str, str] = os.environ
) -> Credentials:
    """Read from `settings.kubeconfig`, else `$KUBECONFIG`, else the pod's service account.

    Raises `InputError` that names the source when there is none or it cannot be used.
    """
    path = settings.kubeconfig or environment.get(_KUBECONFIG, "")
    if path:
        return await _from_kubeconfig(path, settings.context)
    if _IN_CLUSTER in environment:
        return _from_service_account()
    raise InputError(
        "no way to the API server is known",
        remedy=f"set kube.kubeconfig or ${_KUBECONFIG}, or run in a pod with a service account",
        field="kube.kubeconfig",
    )


async def _from_kubeconfig(path: str, context: str) -> Credentials:
    if not _any_file(path):
        raise InputError("there is no such file", remedy="name a kubeconfig file", file=path)
    configuration = _blank()
    try:
        async with asyncio.timeout(_PLUGIN_TIMEOUT_S):
            loader: Any = await load_kube_config(  # type: ignore[no-untyped-call]
                config_file=path,
                context=context or None,
                client_configuration=configuration,
                persist_config=False,
            )
    except TimeoutError as error:
        raise InputError(
            f"its exec plugin did not answer in {_PLUGIN_TIMEOUT_S:.0f} s",
            remedy="run the plugin by hand to see why",
            file=path,
        ) from error
    except Exception as error:  # the official loader raises whatever its parser met
        raise InputError(
            f"cannot be used as a kubeconfig: {error}",
            remedy="compare it with `kubectl config view`",
            file=path,
        ) from error
    _check(configuration, path)
    expiry = getattr(loader, "exec_plugin_expiry", None)
    return Credentials(path, configuration, _fingerprint(configuration), expiry and expiry - _EARLY)


def _from_service_account() -> Credentials:
    configuration = _blank()
    source = "the pod's service account"
    try:
        load_incluster_config(  # type: ignore[no-untyped-call]
            client_configuration=configuration, try_refresh_token=False
        )
    except (ConfigException, OSError) as error:
        raise InputError(
            f"{source} cannot be used: {error}",
            remedy="set automountServiceAccountToken, or name a kubeconfig",
            field="kube.kubeconfig",
        ) from error
    return Credentials(source, configuration, _fingerprint(configuration))


def _any_file(path: str) -> bool:
    """Whether one of the files that `path` lists, as KUBECONFIG may, is there."""
    return any(Path(part).expanduser().is_file() for part in path.split(os.pathsep) if part)


def _blank() -> Configuration:
    return Configuration(host="")


def _check(configuration: Configuration, path: str) -> None:
    if not configuration.host:
        raise InputError("its cluster has no server", remedy="add `server:`", file=path)
    if not configuration.verify_ssl:
        raise InputError(
            "insecure-skip-tls-verify is set",
            remedy="remove it and give certificate-authority(-data): the server is always verified",
            file=path,
        )
    if configuration.host.startswith("https") and not (
        configuration.api_key or configuration.cert_file
    ):
        raise InputError(
            "its user has no token, no client certificate and no working exec plugin",
            remedy="add one; if there is a plugin, run it by hand to see why it fails",
            file=path,
        )


def _fingerprint(configuration: Configuration) -> str:
    """A digest of the address and of the contents of the files TLS is made of."""
    digest = sha256(
        repr((configuration.host, configuration.tls_server_name, configuration.proxy)).encode()
    )
    for name in (configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file):
        digest.update(b"\0" if name is None else Path(name).read_bytes())
    return digest.hexdigest()
