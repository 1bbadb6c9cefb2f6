"""The same guard before a real kube-apiserver: real tokens, real roles, real refusals.

What the fake in `test_tokens_are_reviewed` pretends is checked here against the thing itself.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from service_runtime.kube.client import ApiServer
from service_runtime.kube.settings import KubeSettings
from service_runtime.serve import AccessSettings, Reviewer, metrics_route
from service_runtime.telemetry import RecordedLog
from service_runtime.telemetry.metrics import Metrics
from service_runtime.timing import SystemTiming
from tests.service_runtime.serve.chassis import Chassis

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.cluster.control_plane import ControlPlane


@pytest.fixture
def accounts(control_plane: ControlPlane, namespace: str) -> Iterator[str]:
    """A namespace with two service accounts, of which `scraper` may get `/metrics`."""
    role = f"{namespace}-metrics"
    ask = control_plane.kubectl
    for name in ("scraper", "other"):
        ask("create", "serviceaccount", name, "-n", namespace)
    ask("create", "clusterrole", role, "--verb=get", "--non-resource-url=/metrics")
    subject = f"--serviceaccount={namespace}:scraper"
    ask("create", "clusterrolebinding", role, f"--clusterrole={role}", subject)
    yield namespace
    ask("delete", "clusterrolebinding,clusterrole", role)


@asynccontextmanager
async def guarded(
    folder: Path, kubeconfig: Path, settings: AccessSettings | None = None
) -> AsyncIterator[Chassis]:
    """A chassis whose metrics are guarded by the API server of this kubeconfig."""
    timing, log, metrics = SystemTiming(), RecordedLog(), Metrics()
    async with ApiServer(KubeSettings(kubeconfig=str(kubeconfig)), timing) as api:
        reviewer = Reviewer(
            api,
            settings or AccessSettings(),
            timing=timing,
            log=log,
            metrics=metrics,
        )
        chassis = Chassis(
            folder, observed=[metrics_route(metrics)], reviewer=reviewer, metrics=metrics, log=log
        )
        async with chassis.running():
            yield chassis


async def asked(chassis: Chassis, token: str) -> tuple[int, str]:
    """What a scraper with this token is told."""
    reply = await chassis.ask("observation", "GET", "/metrics", Authorization=f"Bearer {token}")
    return reply.status, reply.text


async def test_a_service_account_is_let_in_by_its_role(
    tmp_path: Path, control_plane: ControlPlane, accounts: str
) -> None:
    """200 with the role, 403 without it, 401 for a token nobody issued."""
    good, other = await asyncio.to_thread(
        lambda: [control_plane.token(accounts, name) for name in ("scraper", "other")]
    )
    async with guarded(tmp_path, control_plane.kubeconfig) as chassis:
        found = [await asked(chassis, token) for token in (good, other, good[:-8] + "AAAAAAAA")]

    assert [status for status, _ in found] == [200, 403, 401]
    assert f"system:serviceaccount:{accounts}:other may not get /metrics" in found[1][1]


async def test_a_token_for_somebody_else_is_refused(
    tmp_path: Path, control_plane: ControlPlane, accounts: str
) -> None:
    """With an audience set, a token must be issued for it."""
    ours, general = await asyncio.to_thread(
        lambda: [
            control_plane.token(accounts, "scraper", audiences=audiences)
            for audiences in (["synthscale"], [])
        ]
    )
    settings = AccessSettings(audiences=("synthscale",))
    async with guarded(tmp_path, control_plane.kubeconfig, settings) as chassis:
        found = [(await asked(chassis, token))[0] for token in (ours, general)]

    assert found == [200, 401]


async def test_a_service_that_may_not_review_says_so(
    tmp_path: Path, control_plane: ControlPlane, accounts: str
) -> None:
    """Without system:auth-delegator it is 503 to the client and a remedy in the log."""
    powerless = await asyncio.to_thread(control_plane.user, f"powerless-{accounts}")
    async with guarded(tmp_path, powerless.kubeconfig) as chassis:
        status, text = await asked(chassis, "any-token")
        told = chassis.log.named("access_review_forbidden")

    assert (status, text) == (503, "this service may not review tokens; its log says more\n")
    assert "system:auth-delegator" in str(told[0].fields["remedy"])
