"""Who may read a guarded path, and how little the API server is asked to find out.

The API server is a fake at our own seam: it counts what it is asked. Time is stepped.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import pytest

from gpu_fleet.errors import KubeError, KubeForbidden, KubeThrottled, KubeUnreachable
from service_runtime.kube.api import TOKEN_REVIEWS, Resource
from service_runtime.kube.wire import SubjectAccessReview, TokenReview
from service_runtime.serve import AccessSettings, Reviewer, metrics_route
from service_runtime.serve.access import Granted, Refused
from service_runtime.telemetry import RecordedLog
from service_runtime.telemetry.metrics import Metrics
from tests.service_runtime.serve.chassis import Chassis
from tests.service_runtime.stepped import SteppedTiming, settle

if TYPE_CHECKING:
    from pathlib import Path

USERS = {"good": "scraper", "weak": "nobody-special"}


@dataclass(slots=True)
class Court:
    """An API server that knows two tokens and lets one user read `/metrics`."""

    asked: list[str] = field(default_factory=list)
    failure: KubeError | None = None
    garbled: bool = False
    audiences: tuple[str, ...] = ()
    hold: asyncio.Event | None = None
    at_once: int = 0
    most_at_once: int = 0

    async def create(self, resource: Resource, body: bytes, namespace: str | None = None) -> bytes:
        """Answer a review, as `KubeApi.create` does."""
        assert namespace is None
        self.asked.append(resource.kind)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.hold is not None:
                await self.hold.wait()
        finally:
            self.at_once -= 1
        if self.failure is not None:
            raise self.failure
        if self.garbled:
            return b'{"status": 7}'
        return msgspec.json.encode({"spec": {"token": ""}, "status": self._status(resource, body)})

    def _status(self, resource: Resource, body: bytes) -> dict[str, object]:
        if resource == TOKEN_REVIEWS:
            token = msgspec.json.decode(body, type=TokenReview).spec.token
            user = {"username": USERS.get(token, ""), "groups": ["a"], "extra": {"k": ["v"]}}
            known = token in USERS
            return {"authenticated": known, "user": user, "audiences": self.audiences}
        question = msgspec.json.decode(body, type=SubjectAccessReview).spec
        wanted = question.non_resource_attributes
        assert wanted is not None
        assert (question.groups, question.extra) == (("a",), {"k": ("v",)})
        allowed = (question.user, wanted.verb, wanted.path) == ("scraper", "get", "/metrics")
        return {"allowed": allowed}


@dataclass(slots=True)
class Case:
    """A reviewer before a court."""

    settings: AccessSettings = field(default_factory=AccessSettings)
    court: Court = field(default_factory=Court)
    timing: SteppedTiming = field(default_factory=SteppedTiming)
    log: RecordedLog = field(default_factory=RecordedLog)
    metrics: Metrics = field(default_factory=Metrics)
    reviewer: Reviewer = field(init=False)

    def __post_init__(self) -> None:
        self.reviewer = Reviewer(
            self.court,
            self.settings,
            timing=self.timing,
            log=self.log,
            metrics=self.metrics,
        )

    async def status(self, token: str, path: str = "/metrics") -> int:
        """What a request with this token gets."""
        decision = await self.reviewer.decide(f"Bearer {token}", path)
        return 200 if isinstance(decision, Granted) else decision.reply.status


# ---------------------------------------------------------------- who may


async def test_a_known_user_with_the_right_is_let_in_by_name() -> None:
    """TokenReview says who it is, SubjectAccessReview that they may."""
    case = Case()

    assert Granted("scraper") == await case.reviewer.decide("bearer good", "/metrics")
    assert case.court.asked == ["TokenReview", "SubjectAccessReview"]


async def test_a_known_user_without_the_right_is_told_what_to_bind() -> None:
    """403 names the user and the path."""
    decision = await Case().reviewer.decide("Bearer weak", "/metrics")

    assert isinstance(decision, Refused)
    assert decision.reply.status == 403
    assert b"nobody-special may not get /metrics; bind a role" in decision.reply.body


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic Zm9v",
        "Bearer a b",
        "Bearer \x00",
        "Bearer " + "x" * 9000,
    ],
)
async def test_what_can_be_no_token_is_refused_unasked(header: str | None) -> None:
    """401, and the API server hears nothing of it."""
    case = Case()
    decision = await case.reviewer.decide(header, "/metrics")

    assert isinstance(decision, Refused)
    assert (decision.reply.status, decision.reply.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert case.court.asked == []


@pytest.mark.parametrize(
    ("answered", "expected"), [(("synthscale",), 200), (("other",), 401), ((), 401)]
)
async def test_a_token_must_be_for_us_where_audiences_are_set(
    answered: tuple[str, ...], expected: int
) -> None:
    """An authenticator that answers without audiences has not checked them."""
    case = Case(AccessSettings(audiences=("synthscale",)), Court(audiences=answered))

    assert expected == await case.status("good")


# ---------------------------------------------------------------- how often it is asked


async def test_answers_are_remembered_for_seconds_yes_and_no() -> None:
    """A second request asks nothing, and one after the time asks again."""
    case = Case()
    tokens = ("good", "weak", "junk")
    first = [await case.status(token) for token in tokens]
    asked = len(case.court.asked)
    second = [await case.status(token) for token in tokens]
    still = len(case.court.asked)
    await case.timing.pass_s(10.1)
    third = [await case.status(token) for token in tokens]

    assert [200, 403, 401] == first == second == third
    assert 5 == asked == still
    assert len(case.court.asked) == 10


async def test_each_path_is_decided_for_itself() -> None:
    """A yes for one path is none for another; who the user is is not asked twice."""
    case = Case()

    assert [await case.status("good", path) for path in ("/metrics", "/explain/x")] == [200, 403]
    assert case.court.asked == ["TokenReview", "SubjectAccessReview", "SubjectAccessReview"]


async def test_one_token_asked_for_at_once_is_reviewed_a_few_times_at_most() -> None:
    """Fifty requests in one moment cost as many questions as may be on their way, not fifty."""
    case = Case(AccessSettings(reviews_at_once=1, reviews_burst=200))
    found = await asyncio.gather(*(case.status("good") for _ in range(9)))

    assert {200} == set(found)
    assert case.court.asked == ["TokenReview", "SubjectAccessReview"]


async def test_a_flood_of_junk_does_not_flood_the_api_server() -> None:
    """Beyond the allowance the answer is 429, which goes over as time passes."""
    case = Case(AccessSettings(reviews_burst=5, reviews_per_s=1))
    flood = [await case.status(f"junk{at}") for at in range(100)]
    await case.timing.pass_s(2)
    later = [await case.status(f"more{at}") for at in range(3)]

    assert flood == [401] * 5 + [429] * 95
    assert later == [401, 401, 429]
    assert len(case.court.asked) == 7


async def test_a_flood_of_junk_does_not_keep_out_who_was_good_before() -> None:
    """A scraper whose remembered answer ends in the flood is reviewed in a lane of its own."""
    case = Case(AccessSettings(reviews_burst=5, reviews_per_s=0.001, answers_max=3))
    before = await case.status("good")
    await case.timing.pass_s(11)
    for at in range(100):
        await case.status(f"junk{at}")

    assert (before, await case.status("good")) == (200, 200)


async def test_questions_on_their_way_and_waiting_are_bounded() -> None:
    """A slow API server has so many of ours at once; who finds the queue full hears so at once."""
    case = Case(
        AccessSettings(reviews_at_once=2, reviews_burst=1_000, reviews_per_s=1_000),
        Court(hold=asyncio.Event()),
    )
    asking = [asyncio.create_task(case.status(f"junk{at}")) for at in range(30)]
    await settle()
    turned_away = [one.result() for one in asking if one.done()]
    assert case.court.hold is not None
    case.court.hold.set()
    found = await asyncio.gather(*asking)

    assert turned_away == [429] * 12
    assert found.count(401) == 18
    assert case.court.most_at_once == 2


async def test_a_client_that_leaves_while_waiting_frees_its_place() -> None:
    """Cancelled waiters and askers leave nothing taken behind."""
    case = Case(AccessSettings(reviews_at_once=1), Court(hold=asyncio.Event()))
    asking = [asyncio.create_task(case.status(f"junk{at}")) for at in range(5)]
    await settle()
    for one in asking:
        one.cancel()
    await asyncio.wait(asking)
    case.court.hold = None

    assert await case.status("good") == 200


# ---------------------------------------------------------------- when it cannot be asked


@pytest.mark.parametrize(
    ("failure", "level"),
    [
        (KubeUnreachable("refused"), "warning"),
        (KubeThrottled("later", status=429), "warning"),
        (KubeForbidden("no", status=403), "error"),
    ],
)
async def test_an_api_server_that_does_not_answer_means_no_and_says_so(
    failure: KubeError, level: str
) -> None:
    """503 with when to come again, an event, and nothing remembered: the next request asks."""
    case = Case(court=Court(failure=failure))
    decision = await case.reviewer.decide("Bearer good", "/metrics")
    case.court.failure = None

    assert isinstance(decision, Refused)
    assert (decision.reply.status, decision.reply.headers["Retry-After"]) == (503, "1")
    assert [level] == [one.level for one in case.log.events]
    assert await case.status("good") == 200


async def test_an_api_server_that_hangs_is_waited_for_only_so_long() -> None:
    """The limit is the reviewer's own, far below the request's."""
    case = Case(AccessSettings(review_timeout_s=0.01), Court(hold=asyncio.Event()))

    assert await case.status("good") == 503


async def test_an_answer_that_cannot_be_read_lets_nobody_in() -> None:
    """503, and the event names the review."""
    case = Case(court=Court(garbled=True))

    assert await case.status("good") == 503
    assert case.log.names() == ["access_review_unanswered"]


async def test_no_token_is_told_to_anybody() -> None:
    """Neither events nor replies repeat it."""
    case = Case(court=Court(failure=KubeUnreachable("refused")))
    decision = await case.reviewer.decide("Bearer s3cret", "/metrics")

    assert "s3cret" not in f"{decision} {case.log.events}"


# ---------------------------------------------------------------- at the port


async def test_metrics_are_guarded_and_health_is_open(tmp_path: Path) -> None:
    """One port, three answers: health to anybody, metrics to a good token, 401 to none."""
    case = Case()
    chassis = Chassis(
        tmp_path,
        observed=[metrics_route(case.metrics)],
        reviewer=case.reviewer,
        metrics=case.metrics,
    )
    async with chassis.running():
        bare = await chassis.ask("observation", "GET", "/metrics")
        good = await chassis.ask("observation", "GET", "/metrics", Authorization="Bearer good")
        weak = await chassis.ask("observation", "GET", "/metrics", Authorization="Bearer weak")
        health = await chassis.ask("observation", "GET", "/livez")

    assert [bare.status, good.status, weak.status, health.status] == [401, 200, 403, 200]
    assert bare.headers["www-authenticate"] == "Bearer"
    assert 'synthscale_serve_access_decisions_total{result="unauthenticated"} 1.0' in good.text
    assert good.headers["content-type"].startswith("text/plain; version=")


def test_a_guarded_route_without_a_reviewer_is_a_programming_error(tmp_path: Path) -> None:
    """It would let everybody in, or nobody; neither is meant."""
    chassis = Chassis(tmp_path, observed=[metrics_route(Metrics())])
    with pytest.raises(ValueError, match="port observation: a route is to be reviewed"):
        chassis.make()
