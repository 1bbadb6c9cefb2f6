"""Lists: pages of one snapshot, and what a selection leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import KubeExpired, KubeInvalid
from service_runtime.kube.api import Selection
from service_runtime.kube.reading import Page, Reader
from service_runtime.kube.refusals import Asked
from tests.service_runtime.kube.gadgets import GADGETS, Gadget, gadget

if TYPE_CHECKING:
    from tests.service_runtime.kube.servers import Server


async def page(
    server: Server, *, limit: int, token: str = "", selection: Selection | None = None
) -> Page[Gadget]:
    """One decoded page."""
    body = await server.api.list_page(
        GADGETS, selection or server.here, limit=limit, continue_token=token
    )
    return Reader(Gadget, Asked("list", GADGETS)).page(body)


async def names(server: Server, selection: Selection) -> set[str]:
    """Whom a selection selects."""
    return {
        one.metadata.name for one in (await page(server, limit=100, selection=selection)).objects
    }


async def test_nothing_is_a_list_too(server: Server) -> None:
    """An empty list has a version to watch from, no items and no second page."""
    empty = await page(server, limit=10)

    assert empty.objects == []
    assert empty.continue_token == ""
    assert empty.version


async def test_pages_hold_each_object_once(server: Server) -> None:
    """Many objects come in pages of the asked size, each object once, all of one version."""
    await server.put_all(gadget(f"g-{n:05}") for n in range(server.many))
    found, versions, sizes, token = [], set(), [], ""
    while True:
        one = await page(server, limit=100, token=token)
        found += [each.metadata.name for each in one.objects]
        versions.add(one.version)
        sizes.append(len(one.objects))
        token = one.continue_token
        if not token:
            break

    assert [f"g-{n:05}" for n in range(server.many)] == sorted(found)
    assert len(versions) == 1
    assert [100] * (server.many // 100) == sizes


async def test_a_page_continues_its_own_snapshot(server: Server) -> None:
    """What is written between two pages is not in the second."""
    await server.put_all(gadget(f"g-{n}") for n in range(4))
    first = await page(server, limit=2)
    await server.put(gadget("g-9"))
    second = await page(server, limit=10, token=first.continue_token)

    assert [one.metadata.name for one in second.objects] == ["g-2", "g-3"]
    assert first.version == second.version


async def test_a_page_of_the_past_is_refused(server: Server) -> None:
    """A continue token of a version that is forgotten is a 410."""
    await server.put_all(gadget(f"g-{n}") for n in range(4))
    first = await page(server, limit=2)
    await server.expire_pages()

    with pytest.raises(KubeExpired):
        await page(server, limit=2, token=first.continue_token)


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        ("tier=gold", {"a"}),
        ("tier==gold", {"a"}),
        ("tier!=gold", {"b", "c"}),
        ("tier", {"a", "b"}),
        ("!tier", {"c"}),
        ("tier in (gold, tin)", {"a", "b"}),
        ("tier notin (gold)", {"b", "c"}),
        ("tier=tin,zone=z", {"b"}),
        ("zone=", set()),
    ],
)
async def test_labels_select(server: Server, selector: str, chosen: set[str]) -> None:
    """A label selector chooses by equality, inequality, sets and presence."""
    await server.put(gadget("a", labels={"tier": "gold", "zone": "z"}))
    await server.put(gadget("b", labels={"tier": "tin", "zone": "z"}))
    await server.put(gadget("c", labels={"zone": "z"}))

    assert chosen == await names(server, Selection(server.namespace, label_selector=selector))


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [("metadata.name=a", {"a"}), ("metadata.name!=a", {"b"}), ("metadata.name=x", set())],
)
async def test_fields_select(server: Server, selector: str, chosen: set[str]) -> None:
    """A field selector chooses by equality and inequality."""
    await server.put_all([gadget("a"), gadget("b")])

    assert chosen == await names(server, Selection(server.namespace, field_selector=selector))


async def test_a_selector_that_cannot_be_read_is_refused(server: Server) -> None:
    """A malformed selector is an invalid request, not an empty list."""
    with pytest.raises(KubeInvalid):
        await names(server, Selection(server.namespace, label_selector="tier in gold"))
