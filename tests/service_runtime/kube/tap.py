"""Sits in the seam and counts, and makes a request older than it is when a test asks for that.

It is how a test knows that a resumed watch cost no list, and how a real API server is brought to
answer 410: by being asked for a version that it no longer knows. It must not invent an answer.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from service_runtime.kube.api import KubeApi, Resource, Selection

__all__ = ["Tap"]

ANCIENT = "1"


class Tap:
    """A `KubeApi` that passes everything on to another."""

    def __init__(self, api: KubeApi) -> None:
        self.api = api
        self.asked: Counter[str] = Counter()
        """How often a list was begun (`list`), a page of it (`page`) or a watch was asked for."""
        self.ages_next_watch = False
        self.ages_next_page = False

    async def list_page(
        self,
        resource: Resource,
        selection: Selection,
        *,
        limit: int,
        continue_token: str = "",
        resource_version: str = "",
    ) -> bytes:
        """Counts; an aged continue token names a version from the beginning of time."""
        self.asked["page" if continue_token else "list"] += 1
        if continue_token and self.ages_next_page:
            self.ages_next_page = False
            continue_token = _aged(continue_token)
        return await self.api.list_page(
            resource,
            selection,
            limit=limit,
            continue_token=continue_token,
            resource_version=resource_version,
        )

    def watch(
        self, resource: Resource, selection: Selection, *, resource_version: str, timeout_s: int
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Counts; an aged watch begins at the beginning of time."""
        self.asked["watch"] += 1
        if self.ages_next_watch:
            self.ages_next_watch = False
            resource_version = ANCIENT
        return self.api.watch(
            resource, selection, resource_version=resource_version, timeout_s=timeout_s
        )

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> bytes:
        """As it is."""
        return await self.api.get(resource, name, namespace)

    async def create(self, resource: Resource, body: bytes, namespace: str | None = None) -> bytes:
        """As it is."""
        return await self.api.create(resource, body, namespace)

    async def replace(
        self, resource: Resource, name: str, body: bytes, namespace: str | None = None
    ) -> bytes:
        """As it is."""
        return await self.api.replace(resource, name, body, namespace)

    async def apply(
        self,
        resource: Resource,
        name: str,
        body: bytes,
        *,
        manager: str,
        namespace: str | None = None,
        subresource: str | None = None,
        force: bool = False,
    ) -> bytes:
        """As it is."""
        return await self.api.apply(
            resource,
            name,
            body,
            manager=manager,
            namespace=namespace,
            subresource=subresource,
            force=force,
        )

    async def delete(self, resource: Resource, name: str, namespace: str | None = None) -> None:
        """As it is."""
        await self.api.delete(resource, name, namespace)


def _aged(token: str) -> str:
    """A token of Kubernetes' own making, moved to version 1; the twin's own becomes unknown."""
    try:
        plain = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError:
        return "page-of-another-time"
    return base64.urlsafe_b64encode(json.dumps(plain | {"rv": 1}).encode()).decode().rstrip("=")
