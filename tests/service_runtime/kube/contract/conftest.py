"""Runs every test of this folder twice: on the twin and on the real API server."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.service_runtime.kube.servers import real_server, twin_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from tests.service_runtime.kube.servers import Server


@pytest.fixture(
    params=["twin", pytest.param("real", marks=pytest.mark.xdist_group("control_plane"))]
)
def ground(request: pytest.FixtureRequest) -> Callable[[], AbstractAsyncContextManager[Server]]:
    """How to get a server; the control plane is started only for those who stand on it."""
    if request.param == "twin":
        return twin_server
    plane = request.getfixturevalue("control_plane")
    return partial(real_server, plane, request.getfixturevalue("namespace"))


@pytest.fixture
async def server(
    ground: Callable[[], AbstractAsyncContextManager[Server]],
) -> AsyncIterator[Server]:
    """A server of this test alone, or a namespace of it."""
    async with ground() as one:
        yield one
