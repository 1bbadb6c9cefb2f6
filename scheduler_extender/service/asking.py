"""Finds the record of a pod's decision: in the running service, or in the pod's events.

The API server is asked as whoever runs the command, by their kubeconfig, for the pod's uid and its
events; the service is asked with a token that it has reviewed. Where there is no record, the error
says what to do next. This module must not interpret a record.
"""

from __future__ import annotations

import asyncio
import http.client
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from gpu_fleet.errors import InputError, KubeNotFound, ServiceError
from scheduler_extender.service.events import DECISION_ANNOTATION, REPORTER
from scheduler_extender.service.explaining import PATH
from service_runtime.kube.api import EVENTS, PODS, Selection
from service_runtime.kube.client import ApiServer
from service_runtime.kube.settings import KubeSettings
from service_runtime.timing import SystemTiming

__all__ = ["Question", "ask"]

_LIMIT_S: Final = 10.0
_MOST_EVENTS: Final = 500
_MOST_BYTES: Final = 4 << 20
_OK: Final = 200
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class Question:
    """Which pod, and where to ask."""

    namespace: str
    name: str
    kubeconfig: str = ""
    context: str = ""
    url: str | None = None
    ca: str | None = None
    token_file: str | None = None

    @property
    def pod(self) -> str:
        """As people write it."""
        return f"{self.namespace}/{self.name}"


class _Meta(msgspec.Struct, frozen=True):
    uid: str = ""
    annotations: dict[str, str] = {}


class _Pod(msgspec.Struct, frozen=True):
    metadata: _Meta = _Meta()


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    metadata: _Meta = _Meta()
    event_time: str | None = None
    note: str = ""
    reason: str = ""


class _Events(msgspec.Struct, frozen=True):
    items: list[_Event] | None = None


async def ask(question: Question) -> bytes:
    """The record as JSON; raises a `SynthscaleError` that says why there is none."""
    settings = KubeSettings(kubeconfig=question.kubeconfig, context=question.context)
    async with ApiServer(settings, SystemTiming(), user_agent="synthscale-explain") as api:
        try:
            body = await api.get(PODS, question.name, question.namespace)
        except KubeNotFound as error:
            raise InputError(
                "there is no such pod", remedy="see kubectl get pods", field=question.pod
            ) from error
        uid = msgspec.json.decode(body, type=_Pod).metadata.uid
        if question.url is not None:
            record = await asyncio.to_thread(_from_service, question, uid)
            if record is not None:
                return record
        selection = Selection(
            question.namespace,
            field_selector=f"regarding.uid={uid},reportingController={REPORTER}",
        )
        listed = await api.list_page(EVENTS, selection, limit=_MOST_EVENTS)
    return _latest(msgspec.json.decode(listed, type=_Events).items or [], question)


def _latest(events: list[_Event], question: Question) -> bytes:
    """The record that the newest event carries, or its words where it carries none."""
    if not events:
        raise ServiceError(
            f"{question.pod}: nobody told why; is it scheduled by a profile that asks the extender,"
            " and is it younger than an hour? Else ask the service itself: --url"
        )
    newest = max(events, key=lambda event: event.event_time or "")
    told = newest.metadata.annotations.get(DECISION_ANNOTATION)
    if told is not None:
        return told.encode()
    return msgspec.json.encode({"pod": question.pod, "decision": newest.note})


def _from_service(question: Question, uid: str) -> bytes | None:
    """What the service says; None where it keeps nothing about this pod."""
    parts = urlsplit(question.url or "")
    if parts.scheme != "https" or not parts.hostname:
        raise InputError("is no address", remedy="write https://HOST:PORT", field="--url")
    headers = {}
    if question.token_file is not None:
        token = Path(question.token_file).read_text(encoding="utf-8").strip()
        headers["Authorization"] = f"Bearer {token}"
    try:
        context = ssl.create_default_context(cafile=question.ca)
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port or 9443, context=context, timeout=_LIMIT_S
        )
        try:
            connection.request("GET", f"{PATH}{uid}", headers=headers)
            answer = connection.getresponse()
            body = answer.read(_MOST_BYTES)
        finally:
            connection.close()
    except OSError as error:
        raise ServiceError(f"{question.url}: cannot be asked ({error}); leave --url out") from error
    if answer.status == _NOT_FOUND:
        return None
    if answer.status != _OK:
        raise ServiceError(
            f"{question.url}: {answer.status}: {body.decode(errors='replace').strip()}"
        )
    return body
