"""Serves recorded pages over TLS 1.3 on loopback: `python -m ... FOLDER NODES PODS PAGE`.

FOLDER holds `server.crt` and `server.key`; the port is printed once everything is in memory, so
that no page is made while a client is measured. It knows two lists and one bookmark, no more.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from tests.service_runtime.kube.recorded import node_body, page_of, pod_body

if TYPE_CHECKING:
    from collections.abc import Callable

BOOKMARK = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"900000"}}}\n'


def pages(kind: str, body: Callable[[int], bytes], count: int, size: int) -> dict[str, bytes]:
    """Every page of a list by the token that asks for it."""
    starts = range(0, count, size)
    return {
        str(first) if first else "": page_of(
            kind,
            body,
            first,
            min(size, count - first),
            str(first + size) if first + size < count else "",
        )
        for first in starts
    }


def handler(recorded: dict[str, bytes]) -> Callable[[web.Request], object]:
    """Answers a list with its pages and a watch with a bookmark and silence."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            body = recorded[request.query.get("continue", "")]
            return web.Response(body=body, content_type="application/json")
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(BOOKMARK)
        await asyncio.sleep(3600)
        return response

    return handle


async def serve(folder: Path, nodes: int, pods: int, size: int) -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_get("/api/v1/nodes", handler(pages("Node", node_body, nodes, size)))  # type: ignore[arg-type]
    app.router.add_get("/api/v1/pods", handler(pages("Pod", pod_body, pods, size)))  # type: ignore[arg-type]
    runner = web.AppRunner(app)
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201 - how the test learns the port
    await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), *map(int, sys.argv[2:5])))
