"""Who may read a guarded path: the API server is asked about a token, and little.

Answers are remembered for seconds, refusals too, so that neither a scraper nor a flood of bad
tokens reaches the API server with every request. Tokens that were good before have a lane of their
own, which strangers cannot fill. Nothing here may keep, log or repeat a token: it is known by its
hash. When the API server cannot be asked the answer is no, and says so.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Protocol, Self, TypeVar

import msgspec

from gpu_fleet.clock import NS_PER_S
from gpu_fleet.errors import KubeError, KubeForbidden, KubeUnauthorized
from service_runtime.kube.api import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS
from service_runtime.kube.wire import (
    NonResourceAttributes,
    SubjectAccessReview,
    SubjectAccessReviewSpec,
    TokenReview,
    TokenReviewSpec,
    UserInfo,
)
from service_runtime.serve.exchange import Reply, told
from service_runtime.serve.meters import AccessMeters
from service_runtime.timing import elapsed_s

if TYPE_CHECKING:
    from collections.abc import Hashable

    from service_runtime.kube.api import Resource
    from service_runtime.serve.settings import AccessSettings
    from service_runtime.telemetry import Log
    from service_runtime.telemetry.metrics import Metrics
    from service_runtime.timing import Timing

__all__ = ["Asked", "Granted", "Refused", "Reviewer"]

_BEARER: Final = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*) *")
"""RFC 6750's form; what is not of it can be no token of a Kubernetes API server."""

_WAITING_PER_PLACE: Final = 8
"""How many may wait in a lane for each question on its way: two or three answers' worth."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Granted:
    """Let in, as whom."""

    user: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not let in, and what is said."""

    result: str
    reply: Reply


class Asked(Protocol):
    """What is needed of a `KubeApi` here."""

    async def create(self, resource: Resource, body: bytes, namespace: str | None = None) -> bytes:
        """Put a question; the answer is the same object with its status."""
        ...


class _Unanswered(Exception):
    """The API server was not asked, or did not say."""

    def __init__(self, refusal: Refused) -> None:
        self.refusal = refusal
        super().__init__(refusal.result)


class Reviewer:
    """Decides about tokens by TokenReview and SubjectAccessReview."""

    def __init__(
        self,
        api: Asked,
        settings: AccessSettings,
        *,
        timing: Timing,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._api = api
        self._settings = settings
        self._timing = timing
        self._log = log
        self._meters = AccessMeters(metrics)
        self._users = _Remembered[UserInfo | None](settings)
        self._permissions = _Remembered[bool](settings)
        self._good_before: OrderedDict[bytes, None] = OrderedDict()
        self._strangers = _Lane(settings, timing)
        self._regulars = _Lane(settings, timing)

    async def decide(self, authorization: str | None, path: str) -> Granted | Refused:
        """Whether the bearer of this header may `get` this path."""
        try:
            decision = await self._decide(authorization, path)
        except _Unanswered as error:
            decision = error.refusal
        result = "granted" if isinstance(decision, Granted) else decision.result
        self._meters.decisions.add(result=result)
        return decision

    async def _decide(self, authorization: str | None, path: str) -> Granted | Refused:
        token = self._token(authorization)
        if token is None:
            return _unauthenticated("send a bearer token of the cluster")
        digest = hashlib.sha256(token.encode()).digest()
        user = await self._user(digest, token)
        if user is None:
            return _unauthenticated("the API server does not accept this token")
        if not await self._may_get(digest, user, path):
            reason = f"{user.username} may not get {path}; bind a role with this nonResourceURL"
            return Refused("forbidden", told(403, reason))
        return Granted(user.username)

    def _token(self, authorization: str | None) -> str | None:
        found = None if authorization is None else _BEARER.fullmatch(authorization)
        if found is None or len(found[1]) > self._settings.token_max_bytes:
            return None
        return found[1]

    async def _user(self, digest: bytes, token: str) -> UserInfo | None:
        known = self._users.get(digest, self._timing.now_ns())
        if known is not None:
            return known.value
        async with self._lane(digest) as lane:
            known = self._users.get(digest, self._timing.now_ns())
            if known is not None:
                return known.value  # somebody asked while we waited
            lane.spend()
            user = await self._review_token(token)
        self._users.put(digest, user, self._timing.now_ns(), granted=user is not None)
        if user is not None:
            self._good_before[digest] = None
            self._good_before.move_to_end(digest)
            if len(self._good_before) > self._settings.answers_max:
                self._good_before.popitem(last=False)
        return user

    async def _may_get(self, digest: bytes, user: UserInfo, path: str) -> bool:
        key = (digest, path)
        known = self._permissions.get(key, self._timing.now_ns())
        if known is not None:
            return known.value
        async with self._lane(digest) as lane:
            known = self._permissions.get(key, self._timing.now_ns())
            if known is not None:
                return known.value
            lane.spend()
            allowed = await self._review_access(user, path)
        self._permissions.put(key, allowed, self._timing.now_ns(), granted=allowed)
        return allowed

    def _lane(self, digest: bytes) -> _Lane:
        return self._regulars if digest in self._good_before else self._strangers

    async def _review_token(self, token: str) -> UserInfo | None:
        wanted = self._settings.audiences
        self._meters.reviews.add(kind="token")
        body = await self._ask(TOKEN_REVIEWS, TokenReviewSpec(token=token, audiences=wanted))
        status = self._read(body, TokenReview).status
        if not status.authenticated:
            return None
        # An authenticator that knows no audiences names none: then nobody checked them.
        if wanted and not set(wanted) & set(status.audiences):
            return None
        return status.user

    async def _review_access(self, user: UserInfo, path: str) -> bool:
        self._meters.reviews.add(kind="access")
        question = SubjectAccessReviewSpec(
            user=user.username,
            uid=user.uid,
            groups=user.groups,
            extra=user.extra,
            non_resource_attributes=NonResourceAttributes(path=path, verb="get"),
        )
        body = await self._ask(SUBJECT_ACCESS_REVIEWS, question)
        status = self._read(body, SubjectAccessReview).status
        return status.allowed and not status.denied

    async def _ask(self, resource: Resource, spec: msgspec.Struct) -> bytes:
        question = {"apiVersion": resource.api_version, "kind": resource.kind, "spec": spec}
        try:
            async with asyncio.timeout(self._settings.review_timeout_s):
                return await self._api.create(resource, msgspec.json.encode(question))
        except (KubeForbidden, KubeUnauthorized) as error:
            self._log.error(
                "access_review_forbidden",
                review=resource.kind,
                error=error,
                remedy="bind our service account to the cluster role system:auth-delegator",
            )
            raise _unanswered("this service may not review tokens; its log says more") from error
        except (KubeError, TimeoutError) as error:
            self._log.warn("access_review_unanswered", review=resource.kind, error=error)
            raise _unanswered("the API server cannot be asked about this token now") from error

    def _read(self, body: bytes, kind: type[V]) -> V:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.MsgspecError as error:
            self._log.warn("access_review_unanswered", review=kind.__name__, error=error)
            raise _unanswered("the API server's answer about this token is unclear") from error


@dataclass(frozen=True, slots=True)
class _Known(Generic[V]):
    value: V
    until_ns: int


class _Remembered(Generic[V]):
    """Answers with an end, the latest so many; yes and no in places of their own."""

    def __init__(self, settings: AccessSettings) -> None:
        self._granted: OrderedDict[Hashable, _Known[V]] = OrderedDict()
        self._refused: OrderedDict[Hashable, _Known[V]] = OrderedDict()
        self._granted_ns = round(settings.granted_ttl_s * NS_PER_S)
        self._refused_ns = round(settings.refused_ttl_s * NS_PER_S)
        self._most = settings.answers_max

    def get(self, key: Hashable, now_ns: int) -> _Known[V] | None:
        for place in (self._granted, self._refused):
            known = place.get(key)
            if known is not None and now_ns < known.until_ns:
                return known
        return None

    def put(self, key: Hashable, value: V, now_ns: int, *, granted: bool) -> None:
        place, other = self._granted, self._refused
        if not granted:
            place, other = other, place
        other.pop(key, None)
        place.pop(key, None)
        ttl_ns = self._granted_ns if granted else self._refused_ns
        place[key] = _Known(value, now_ns + ttl_ns)
        if len(place) > self._most:
            place.popitem(last=False)


class _Lane:
    """A bound on how many questions are asked, at once and a second; enter it to wait for a turn.

    A turn that finds the answer remembered costs nothing; one that asks calls `spend` first.
    """

    def __init__(self, settings: AccessSettings, timing: Timing) -> None:
        self._timing = timing
        self._places = asyncio.Semaphore(settings.reviews_at_once)
        self._waiting_max = settings.reviews_at_once * (_WAITING_PER_PLACE + 1)
        self._present = 0
        self._rate_per_s = settings.reviews_per_s
        self._most = float(settings.reviews_burst)
        self._left = self._most
        self._at_ns = timing.now_ns()

    async def __aenter__(self) -> Self:
        if self._present >= self._waiting_max:
            raise _crowded()
        self._present += 1
        try:
            await self._places.acquire()
        except BaseException:
            self._present -= 1
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._present -= 1
        self._places.release()

    def spend(self) -> None:
        now_ns = self._timing.now_ns()
        gained = elapsed_s(self._at_ns, now_ns) * self._rate_per_s
        self._left = min(self._most, self._left + gained)
        self._at_ns = now_ns
        if self._left < 1:
            raise _crowded()
        self._left -= 1


def _unauthenticated(reason: str) -> Refused:
    return Refused("unauthenticated", told(401, reason, WWW_Authenticate="Bearer"))


def _crowded() -> _Unanswered:
    reason = "too many tokens are being reviewed; try again"
    return _Unanswered(Refused("crowded", told(429, reason, Retry_After="1")))


def _unanswered(reason: str) -> _Unanswered:
    return _Unanswered(Refused("unanswered", told(503, reason, Retry_After="1")))
