"""Create, replace, apply and delete: what is stored, and what is refused, on either server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from gpu_fleet.errors import KubeConflict, KubeInvalid, KubeNotFound
from service_runtime.kube.objects import apply, apply_status, create, fetch, replace
from service_runtime.kube.wire import ObjectMeta
from tests.service_runtime.kube.gadgets import GADGETS, Gadget, GadgetSpec, GadgetStatus

if TYPE_CHECKING:
    from tests.service_runtime.kube.servers import Server

NAME = "a"


async def made(server: Server, size: int = 1) -> Gadget:
    """A gadget that was created."""
    content = Gadget(ObjectMeta(name=NAME), GadgetSpec(size=size))
    return await create(server.api, GADGETS, content, server.namespace)


async def stored(server: Server) -> Gadget:
    """The gadget as it is now."""
    return await fetch(server.api, GADGETS, Gadget, NAME, server.namespace)


async def applied(
    server: Server, manager: str, *, force: bool = False, **spec: object
) -> dict[str, object]:
    """An apply of some fields of the spec; returns the spec as stored."""
    body = await apply(
        server.api,
        GADGETS,
        NAME,
        {"spec": spec},
        manager=manager,
        namespace=server.namespace,
        force=force,
    )
    content: dict[str, dict[str, object]] = msgspec.json.decode(body)
    return content["spec"]


async def test_what_was_created_can_be_read(server: Server) -> None:
    """A created object has a uid and a version, and reading gives the same."""
    one = await made(server)

    assert one.metadata.uid
    assert one.metadata.resource_version
    assert one == await stored(server)


async def test_a_name_is_taken_once(server: Server) -> None:
    """Creating an object twice is a conflict that says so."""
    await made(server)

    with pytest.raises(KubeConflict, match="AlreadyExists"):
        await made(server)


async def test_a_name_may_be_left_to_the_server(server: Server) -> None:
    """`generateName` makes two objects of two names with that beginning."""
    content = Gadget(ObjectMeta(generate_name="some-"))
    names = {
        (await create(server.api, GADGETS, content, server.namespace)).metadata.name
        for _ in range(2)
    }

    assert len(names) == 2
    assert all(name.startswith("some-") for name in names)


async def test_an_absent_object_is_not_found(server: Server) -> None:
    """Reading what is not there is an error that names it."""
    with pytest.raises(KubeNotFound, match=f"get gadgets {server.namespace}/{NAME}"):
        await stored(server)


async def test_a_current_version_can_be_replaced(server: Server) -> None:
    """Replacing what was read last changes it, under a new version and the same uid."""
    one = await made(server)
    changed = msgspec.structs.replace(one, spec=GadgetSpec(size=2))
    two = await replace(server.api, GADGETS, NAME, changed, server.namespace)

    assert (await stored(server)).spec.size == 2
    assert one.metadata.uid == two.metadata.uid
    assert one.metadata.resource_version != two.metadata.resource_version


async def test_a_stale_version_is_not_replaced(server: Server) -> None:
    """Of two who read the same version, the second to write meets a conflict."""
    one = await made(server)
    await replace(
        server.api,
        GADGETS,
        NAME,
        msgspec.structs.replace(one, spec=GadgetSpec(size=2)),
        server.namespace,
    )

    with pytest.raises(KubeConflict):
        await replace(
            server.api,
            GADGETS,
            NAME,
            msgspec.structs.replace(one, spec=GadgetSpec(size=3)),
            server.namespace,
        )
    assert (await stored(server)).spec.size == 2


async def test_an_absent_object_is_not_replaced(server: Server) -> None:
    """A replace does not create."""
    content = Gadget(ObjectMeta(name=NAME, resource_version="1"))

    with pytest.raises((KubeNotFound, KubeConflict)):
        await replace(server.api, GADGETS, NAME, content, server.namespace)


async def test_a_deleted_object_is_gone(server: Server) -> None:
    """After a delete there is nothing to read, and nothing to delete."""
    await made(server)
    await server.api.delete(GADGETS, NAME, server.namespace)

    with pytest.raises(KubeNotFound):
        await stored(server)
    with pytest.raises(KubeNotFound):
        await server.api.delete(GADGETS, NAME, server.namespace)


async def test_a_finalizer_holds_an_object(server: Server) -> None:
    """A deleted object with a finalizer is marked, and goes when the finalizer is taken away."""
    content = Gadget(ObjectMeta(name=NAME, finalizers=("contract.synthscale.io/hold",)))
    await create(server.api, GADGETS, content, server.namespace)
    await server.api.delete(GADGETS, NAME, server.namespace)
    held = await stored(server)

    assert held.metadata.deletion_timestamp is not None

    let_go = msgspec.structs.replace(held.metadata, finalizers=())
    free = msgspec.structs.replace(held, metadata=let_go)
    await replace(server.api, GADGETS, NAME, free, server.namespace)

    with pytest.raises(KubeNotFound):
        await stored(server)


async def test_a_body_that_is_no_object_is_refused(server: Server) -> None:
    """Bytes that are no JSON are an invalid request."""
    with pytest.raises(KubeInvalid):
        await server.api.create(GADGETS, b"{", server.namespace)


async def test_an_apply_creates(server: Server) -> None:
    """Applying to a name that is free creates the object."""
    assert await applied(server, "one", size=4) == {"size": 4}
    assert (await stored(server)).spec.size == 4


async def test_the_same_apply_changes_nothing(server: Server) -> None:
    """Applying again what is applied leaves the version alone."""
    await applied(server, "one", size=4)
    before = await stored(server)
    await applied(server, "one", size=4)

    assert before == await stored(server)


async def test_managers_share_an_object(server: Server) -> None:
    """Two managers of different fields do not disturb each other."""
    await applied(server, "one", size=4)

    assert await applied(server, "two", colour="red") == {"size": 4, "colour": "red"}
    assert await applied(server, "one", size=5) == {"size": 5, "colour": "red"}


async def test_an_apply_to_anothers_field_is_a_conflict(server: Server) -> None:
    """A field that another manager owns is not overwritten; the conflict names both."""
    await applied(server, "one", size=4)

    with pytest.raises(KubeConflict, match=r'"one".*\.spec\.size'):
        await applied(server, "two", size=5)
    assert (await stored(server)).spec.size == 4


async def test_force_takes_a_field_over(server: Server) -> None:
    """A forced apply owns the field from then on, and its first owner meets the conflict."""
    await applied(server, "one", size=4)
    await applied(server, "two", force=True, size=5)

    assert (await stored(server)).spec.size == 5
    with pytest.raises(KubeConflict, match='"two"'):
        await applied(server, "one", size=4)


async def test_a_field_that_is_applied_no_more_goes(server: Server) -> None:
    """What a manager named and names no more is taken out, the others' fields stay."""
    await applied(server, "one", size=4, colour="red")

    assert await applied(server, "one", size=4) == {"size": 4}


async def test_agreeing_managers_own_together(server: Server) -> None:
    """Two managers who apply the same value own it both: one of them leaving keeps it."""
    await applied(server, "one", size=4, colour="red")
    await applied(server, "two", size=4)

    assert await applied(server, "one", colour="red") == {"size": 4, "colour": "red"}


async def test_a_status_is_written_on_its_own(server: Server) -> None:
    """A status patch changes the status alone, whatever the spec says."""
    await made(server, size=7)
    await apply_status(
        server.api,
        GADGETS,
        NAME,
        GadgetStatus(phase="Well"),
        manager="one",
        namespace=server.namespace,
    )
    after = await stored(server)

    assert after.status.phase == "Well"
    assert after.spec.size == 7


async def test_a_spec_is_written_without_its_status(server: Server) -> None:
    """Neither an apply nor a replace of an object touches its status."""
    await made(server)
    status = GadgetStatus(phase="Well")
    await apply_status(server.api, GADGETS, NAME, status, manager="one", namespace=server.namespace)
    body = {"spec": {"colour": "red"}, "status": {"phase": "Lost"}}
    await apply(
        server.api, GADGETS, NAME, body, manager="two", namespace=server.namespace, force=True
    )
    held = await stored(server)
    lost = msgspec.structs.replace(held, status=GadgetStatus(phase="Lost"))
    await replace(server.api, GADGETS, NAME, lost, server.namespace)
    after = await stored(server)

    assert after.spec.colour == "red"
    assert after.status.phase == "Well"


async def test_an_absent_object_has_no_status(server: Server) -> None:
    """A status patch does not create."""
    with pytest.raises(KubeNotFound):
        await apply_status(
            server.api,
            GADGETS,
            NAME,
            GadgetStatus(phase="Well"),
            manager="one",
            namespace=server.namespace,
        )
