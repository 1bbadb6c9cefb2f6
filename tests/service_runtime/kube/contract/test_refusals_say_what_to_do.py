"""Who may not, or is not known, or finds nobody: each an error of its own that names the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import KubeForbidden, KubeUnauthorized, KubeUnreachable
from tests.service_runtime.kube.gadgets import GADGETS, gadget
from tests.service_runtime.kube.seen import watching

if TYPE_CHECKING:
    from tests.service_runtime.kube.servers import Server


async def test_a_missing_right_is_named_in_rbac_words(server: Server) -> None:
    """A 403 says which rule would allow it: group, resource, verb and namespace."""
    with pytest.raises(KubeForbidden) as caught:
        await server.stranger().list_page(GADGETS, server.here, limit=10)

    rule = (
        'grant by RBAC: apiGroups: ["contract.synthscale.io"], resources: ["gadgets"], '
        f'verbs: ["list"] in namespace {server.namespace}'
    )

    assert rule in str(caught.value)
    assert caught.value.status == 403


async def test_a_missing_right_to_write_a_status_is_named(server: Server) -> None:
    """A status patch needs the right to patch the subresource, and the message says so."""
    with pytest.raises(KubeForbidden, match=r'resources: \["gadgets/status"\], verbs: \["patch"\]'):
        await server.stranger().apply(
            GADGETS,
            "a",
            b'{"apiVersion":"contract.synthscale.io/v1","kind":"Gadget","metadata":{"name":"a"}}',
            manager="one",
            namespace=server.namespace,
            subresource="status",
        )


async def test_an_unknown_caller_is_told_so(server: Server) -> None:
    """A 401 says to look at the credentials."""
    with pytest.raises(KubeUnauthorized, match="check the token or client certificate"):
        await server.unknown().list_page(GADGETS, server.here, limit=10)


async def test_nobody_there_is_said(server: Server) -> None:
    """A server that is gone is unreachable, for a request and for a watch."""
    await server.stop()

    with pytest.raises(KubeUnreachable, match="list gadgets"):
        await server.api.list_page(GADGETS, server.here, limit=10)
    with pytest.raises(KubeUnreachable, match="watch gadgets"):
        async with server.api.watch(GADGETS, server.here, resource_version="1", timeout_s=5):
            pass


async def test_a_view_waits_for_its_right(server: Server) -> None:
    """A watch without the right says so and goes on asking; once granted, it syncs by itself."""
    await server.put(gadget("a"))
    async with watching(server, api=server.stranger(), synced=False) as seen:
        await server.until(lambda: isinstance(seen.watch.trouble, KubeForbidden))

        assert not seen.watch.synced.is_set()

        await server.forgive()
        await server.until(lambda: ("Added", "a") in seen.told())
