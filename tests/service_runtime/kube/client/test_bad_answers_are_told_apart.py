"""A server that is wrong, slow, silent, foreign or too old: each is an error that says which."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from gpu_fleet.errors import (
    KubeError,
    KubeMalformed,
    KubeNotFound,
    KubeThrottled,
    KubeUnauthorized,
    KubeUnreachable,
)
from service_runtime.kube.api import EVERYTHING, NODES
from service_runtime.kube.objects import fetch
from service_runtime.kube.wire import Node
from tests.certificates import Authority
from tests.service_runtime.kube.kubeconfigs import write_kubeconfig

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from service_runtime.kube.api import KubeApi
    from tests.service_runtime.kube.client.conftest import Misbehaving


def saying(
    status: int, body: bytes = b"", **headers: str
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A server that always says the same."""

    async def answer(_: web.Request) -> web.StreamResponse:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return answer


async def silent(request: web.Request) -> web.StreamResponse:
    """A server that begins to answer and stops."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"2"}}}\n')
    await asyncio.sleep(30)
    return response


async def half(request: web.Request) -> web.StreamResponse:
    """A server that stops in the middle of an event."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"type":"ADD')
    return response


async def watch(api: KubeApi) -> None:
    """Read a watch to its end."""
    async with api.watch(NODES, EVERYTHING, resource_version="1", timeout_s=60) as lines:
        async for _ in lines:
            pass


async def test_silence_beyond_a_bookmark_is_a_break(misbehaving: Misbehaving) -> None:
    """A watch that is silent for longer than the server's bookmarks take is broken."""
    misbehaving.answer = silent
    async with misbehaving.client(watch_idle_s=0.2) as api:
        with pytest.raises(KubeUnreachable, match=r"watch nodes: .* it took too long"):
            await watch(api)


async def test_half_an_event_is_a_break(misbehaving: Misbehaving) -> None:
    """A stream that ends within an event did not end well."""
    misbehaving.answer = half
    async with misbehaving.client() as api:
        with pytest.raises(KubeUnreachable, match="in the middle of an event"):
            await watch(api)


async def test_a_slow_answer_is_given_up(misbehaving: Misbehaving) -> None:
    """A request has a limit of time."""
    misbehaving.answer = silent
    async with misbehaving.client(request_timeout_s=0.2) as api:
        with pytest.raises(KubeUnreachable, match=r"get nodes a: .* it took too long"):
            await api.get(NODES, "a")


async def test_a_long_answer_is_given_up(misbehaving: Misbehaving) -> None:
    """An answer has a limit of length, and the message names the setting."""
    misbehaving.answer = saying(200, b" " * (2**20 + 1))
    async with misbehaving.client(answer_limit_mib=1) as api:
        with pytest.raises(KubeMalformed, match=r"kube\.answer_limit_mib"):
            await api.get(NODES, "a")


async def test_a_page_that_is_no_object_is_malformed(misbehaving: Misbehaving) -> None:
    """A success that carries HTML is told as what it is."""
    misbehaving.answer = saying(200, b"<html>welcome</html>")
    async with misbehaving.client() as api:
        with pytest.raises(KubeMalformed, match="get nodes a: the answer cannot be read"):
            await fetch(api, NODES, Node, "a")


async def test_a_refusal_without_a_status_is_quoted(misbehaving: Misbehaving) -> None:
    """A 404 of a proxy is quoted, so that one sees who answered."""
    misbehaving.answer = saying(404, b"<html>nginx</html>")
    async with misbehaving.client() as api:
        with pytest.raises(KubeNotFound, match="<html>nginx</html>"):
            await api.get(NODES, "a")


async def test_a_redirect_is_not_followed(misbehaving: Misbehaving) -> None:
    """Credentials do not go where a redirect points."""
    misbehaving.answer = saying(302, location="https://127.0.0.1:1/")
    async with misbehaving.client() as api:
        with pytest.raises(KubeError, match="302"):
            await api.get(NODES, "a")


async def test_patience_is_asked_for(misbehaving: Misbehaving) -> None:
    """A 429 carries the time after which to ask again."""
    misbehaving.answer = saying(429, retry_after="7")
    async with misbehaving.client() as api:
        with pytest.raises(KubeThrottled) as caught:
            await api.get(NODES, "a")

    assert caught.value.retry_after_s == 7.0


async def test_after_a_401_the_credentials_are_read_again(misbehaving: Misbehaving) -> None:
    """A token that is refused is not used again when the file holds another."""
    misbehaving.answer = saying(401)
    async with misbehaving.client() as api:
        with pytest.raises(KubeUnauthorized):
            await api.get(NODES, "a")
        misbehaving.kubeconfig({"token": "two"})
        with pytest.raises(KubeUnauthorized):
            await api.get(NODES, "a")

    assert misbehaving.asked_by == ["Bearer one", "Bearer two"]


async def test_a_foreign_server_is_not_told_who_we_are(misbehaving: Misbehaving) -> None:
    """A server whose certificate is of another authority gets no request."""
    (misbehaving.folder / "other.crt").write_bytes(Authority("another").certificate)
    path = write_kubeconfig(
        misbehaving.folder / "kubeconfig",
        f"https://127.0.0.1:{misbehaving.port}",
        {"token": "one"},
        **{"certificate-authority": str(misbehaving.folder / "other.crt")},
    )
    async with misbehaving.client(path) as api:
        with pytest.raises(KubeUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
            await api.get(NODES, "a")

    assert misbehaving.asked_by == []


async def test_an_old_tls_is_refused_unless_allowed(misbehaving: Misbehaving) -> None:
    """TLS 1.2 is refused by default, and used when a setting says so."""
    old = ssl.TLSVersion.TLSv1_2
    async with misbehaving.listening(misbehaving.authority, old) as misbehaving.port:
        async with misbehaving.client() as api:
            with pytest.raises(KubeUnreachable, match=r"kube\.tls_minimum"):
                await api.get(NODES, "a")
        async with misbehaving.client(tls_minimum="1.2") as api:
            await api.get(NODES, "a")


async def test_nobody_listens(misbehaving: Misbehaving) -> None:
    """A port without a server is unreachable, and the message says what to check."""
    path = write_kubeconfig(misbehaving.folder / "nobody", "https://127.0.0.1:1", {"token": "one"})
    async with misbehaving.client(path) as api:
        with pytest.raises(KubeUnreachable, match="check that it runs and can be reached"):
            await api.get(NODES, "a")
