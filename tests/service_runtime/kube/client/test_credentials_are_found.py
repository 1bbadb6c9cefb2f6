"""Kubeconfig, environment, service account: what is used, and what is said when nothing can be."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gpu_fleet.errors import CertificateUnusable, InputError
from service_runtime.kube.api import EVERYTHING, NODES
from service_runtime.kube.client import ApiServer
from service_runtime.kube.credentials import read_credentials
from service_runtime.kube.settings import KubeSettings
from service_runtime.timing import SystemTiming
from tests.service_runtime.kube.kubeconfigs import write_kubeconfig

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service_runtime.kube.client.conftest import Misbehaving

PLUGIN = """
import json
print(json.dumps({
    "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
    "status": {"token": "of-the-plugin"},
}))
"""


def plugin(code: str) -> dict[str, Any]:
    """A user whose token comes from a program."""
    api = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": api, "command": sys.executable, "args": ["-c", code]}}


async def test_a_token_says_who_asks(misbehaving: Misbehaving) -> None:
    """The token of a kubeconfig is sent as a bearer token."""
    async with misbehaving.client() as api:
        await api.list_page(NODES, EVERYTHING, limit=1)

    assert misbehaving.asked_by == ["Bearer one"]


async def test_a_certificate_says_who_asks(misbehaving: Misbehaving) -> None:
    """The client certificate of a kubeconfig is shown to the server."""
    certificate, key = misbehaving.authority.issue("somebody").write(misbehaving.folder, "me")
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    async with misbehaving.client(misbehaving.kubeconfig(user)) as api:
        await api.list_page(NODES, EVERYTHING, limit=1)

    assert misbehaving.asked_by == ["somebody"]


async def test_a_plugin_says_who_asks(misbehaving: Misbehaving) -> None:
    """The token that an exec plugin prints is sent."""
    async with misbehaving.client(misbehaving.kubeconfig(plugin(PLUGIN))) as api:
        await api.list_page(NODES, EVERYTHING, limit=1)

    assert misbehaving.asked_by == ["Bearer of-the-plugin"]


async def test_the_environment_names_a_kubeconfig(misbehaving: Misbehaving) -> None:
    """Without a setting, KUBECONFIG is used."""
    path = misbehaving.kubeconfig()
    found = await read_credentials(KubeSettings(), {"KUBECONFIG": str(path)})

    assert found.source == str(path)


async def test_a_renewed_token_is_used(misbehaving: Misbehaving) -> None:
    """A token that changes in the file is used from the next reading on."""
    async with misbehaving.client(credentials_reread_s=1e-6) as api:
        await api.list_page(NODES, EVERYTHING, limit=1)
        misbehaving.kubeconfig({"token": "two"})
        await api.list_page(NODES, EVERYTHING, limit=1)

    assert misbehaving.asked_by == ["Bearer one", "Bearer two"]


async def test_a_renewed_certificate_is_used(misbehaving: Misbehaving) -> None:
    """A client certificate that changes on disk is shown on new connections, without a restart."""
    certificate, key = misbehaving.authority.issue("before").write(misbehaving.folder, "me")
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    path = misbehaving.kubeconfig(user)
    async with misbehaving.client(path, credentials_reread_s=1e-6) as api:
        await api.list_page(NODES, EVERYTHING, limit=1)
        misbehaving.authority.issue("after").write(misbehaving.folder, "me")
        await api.list_page(NODES, EVERYTHING, limit=1)

    assert misbehaving.asked_by == ["before", "after"]


async def test_garbage_in_the_file_leaves_the_old_token(misbehaving: Misbehaving) -> None:
    """A kubeconfig that turns unreadable while we run changes nothing for us."""
    path = misbehaving.kubeconfig()
    async with misbehaving.client(path, credentials_reread_s=1e-6) as api:
        path.write_text("{", encoding="utf-8")
        await api.list_page(NODES, EVERYTHING, limit=1)

    assert misbehaving.asked_by == ["Bearer one"]


@pytest.mark.parametrize(
    ("user", "cluster", "context", "told"),
    [
        ({}, {}, "", "no token, no client certificate and no working exec plugin"),
        (plugin("raise SystemExit(3)"), {}, "", "run it by hand to see why it fails"),
        ({"token": "t"}, {"insecure-skip-tls-verify": True}, "", "the server is always verified"),
        ({"token": "t"}, {}, "elsewhere", "elsewhere"),
        ({"token": "t"}, {"certificate-authority": "/nowhere/ca.crt"}, "", "/nowhere/ca.crt"),
    ],
    ids=["nobody", "broken-plugin", "unverified", "unknown-context", "absent-authority"],
)
async def test_a_kubeconfig_that_cannot_be_used_says_why(
    tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], context: str, told: str
) -> None:
    """Each wrong kubeconfig is an error that names the file and the fault."""
    path = write_kubeconfig(tmp_path / "kubeconfig", "https://127.0.0.1:1", user, **cluster)
    settings = KubeSettings(kubeconfig=str(path), context=context)

    with pytest.raises(InputError) as caught:
        await read_credentials(settings, {})
    assert told in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "environment", "told"),
    [
        (KubeSettings(), {}, "set kube.kubeconfig or $KUBECONFIG, or run in a pod"),
        (KubeSettings(kubeconfig="/nowhere/config"), {}, "/nowhere/config: there is no such file"),
        (KubeSettings(), {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "automountServiceAccountToken"),
    ],
    ids=["nothing", "no-file", "no-service-account"],
)
async def test_no_way_to_a_server_says_what_to_set(
    settings: KubeSettings, environment: dict[str, str], told: str
) -> None:
    """Without any usable source, the error names the ways there are."""
    with pytest.raises(InputError) as caught:
        await read_credentials(settings, environment)
    assert told in str(caught.value)


async def test_garbage_is_no_kubeconfig(tmp_path: Path) -> None:
    """A file that is no kubeconfig is told so by name."""
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(["not", "a", "kubeconfig"]), encoding="utf-8")

    with pytest.raises(InputError, match="cannot be used as a kubeconfig"):
        await read_credentials(KubeSettings(kubeconfig=str(path)), {})


async def test_a_certificate_that_is_none_is_named(misbehaving: Misbehaving) -> None:
    """A client certificate of garbage is an error of its own, before anything is asked."""
    bad = misbehaving.folder / "bad.crt"
    bad.write_text("no certificate", encoding="utf-8")
    path = misbehaving.kubeconfig({"client-certificate": str(bad), "client-key": str(bad)})
    settings = KubeSettings(kubeconfig=str(path))

    with pytest.raises(CertificateUnusable, match="certificate, key or authority"):
        async with ApiServer(settings, SystemTiming(), environment={}):
            pass
