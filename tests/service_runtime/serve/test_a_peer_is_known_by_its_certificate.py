"""What a handler learns about the client, and whom a list of common names lets in.

The metrics adapter trusts the headers of the front proxy only, so a name must be exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service_runtime.serve import Peer, Reply, Request, Route
from tests.service_runtime.serve.chassis import Chassis

if TYPE_CHECKING:
    from pathlib import Path


async def introduce(request: Request) -> Reply:
    """Says who asks, as the handler sees it."""
    assert request.peer is not None
    peer = request.peer
    return Reply.of_json([peer.common_name, peer.organizations, peer.dns_names, peer.ip_addresses])


async def test_a_handler_sees_who_asks(tmp_path: Path) -> None:
    """Common name, organizations and alternative names."""
    chassis = Chassis(tmp_path, routes=[Route("GET", "/who", introduce)])
    issued = chassis.authority.issue(
        "front-proxy-client", organizations=["system:masters"], hosts=["proxy.local", "10.0.0.7"]
    )
    async with (
        chassis.running(),
        chassis.client(context=chassis.client_context(issued)) as client,
    ):
        reply = await client.ask("GET", "/who")

    assert reply.text == '["front-proxy-client",["system:masters"],["proxy.local"],["10.0.0.7"]]'
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("name", "status"),
    [("front-proxy-client", 200), ("front-proxy-client2", 403), ("Front-Proxy-Client", 403)],
)
async def test_only_listed_names_are_let_in(tmp_path: Path, name: str, status: int) -> None:
    """Exactly; the refused one is told which name it came with."""
    chassis = Chassis(
        tmp_path,
        routes=[Route("GET", "/who", introduce)],
        common_names=frozenset({"front-proxy-client"}),
    )
    context = chassis.client_context(chassis.authority.issue(name))
    async with chassis.running(), chassis.client(context=context) as client:
        reply = await client.ask("GET", "/who")

    assert status == reply.status
    assert status == 200 or reply.text == f"the common name {name} is not let in here\n"


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        pytest.param(((("commonName", "one"),),), "one", id="one"),
        pytest.param((), None, id="none"),
        pytest.param(((("commonName", "a"),), (("commonName", "b"),)), None, id="two"),
        pytest.param(((("commonName", "a"), ("commonName", "b")),), None, id="two in one part"),
    ],
)
def test_an_ambiguous_common_name_is_none(
    subject: tuple[tuple[tuple[str, str], ...], ...], expected: str | None
) -> None:
    """With two, a list that allows one of them would let the other in."""
    assert expected == Peer.of({"subject": subject}).common_name
