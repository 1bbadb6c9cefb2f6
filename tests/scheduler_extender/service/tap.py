"""Stands between a scheduler and the extender, as a Service would, and keeps every word.

It ends the scheduler's TLS and speaks to the extender by the same certificate, so both sides are
what they are in a cluster; whom it speaks to is asked for each new connection, which lets it follow
an EndpointSlice. It must not change a byte of a body, and shares no code with the extender.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.scheduler_extender.service.harness import Installation

__all__ = ["Call", "Tap", "tapped"]

GIVES_UP_S = 10.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request and what was answered."""

    path: str
    asked: dict[str, Any]
    status: int
    """0 where nobody answered."""
    answered: Any  # a filter's object or a prioritize's list

    @property
    def uid(self) -> str:
        """Of the pod."""
        uid: str = self.asked["Pod"]["metadata"]["uid"]
        return uid

    @property
    def names(self) -> list[str]:
        """The nodes that were named."""
        return self.asked["NodeNames"] or []

    @property
    def kept(self) -> list[str]:
        """The nodes that a filter left."""
        return self.answered["NodeNames"] or []

    @property
    def refused(self) -> dict[str, str]:
        """The nodes that a filter refused, and why."""
        return self.answered["FailedAndUnresolvableNodes"] or {}

    @property
    def tens(self) -> list[str]:
        """The nodes that a prioritize gave the highest score."""
        return [one["Host"] for one in self.answered if one["Score"] == 10]


class Tap:
    """What was said, in order."""

    def __init__(self) -> None:
        self.port = 0
        self.calls: list[Call] = []

    def best(self) -> dict[str, str]:
        """By pod: the node that was named best, or the only one that was left.

        A pod whose last cycle was not answered to the end has none.
        """
        found: dict[str, str] = {}
        for call in self.calls:
            if call.status != 200:
                found.pop(call.uid, None)
            elif call.path.endswith("prioritize"):
                assert len(call.tens) == 1, call
                found[call.uid] = call.tens[0]
            elif len(call.kept) == 1:
                found[call.uid] = call.kept[0]
        return found

    def left(self) -> dict[str, list[str]]:
        """By pod: the nodes that the last filter answer left."""
        return {
            call.uid: call.kept
            for call in self.calls
            if call.status == 200 and call.path.endswith("filter")
        }


@contextmanager
def tapped(installation: Installation, target: Callable[[], int]) -> Iterator[Tap]:
    """A tap that forwards to whatever port `target` names."""
    tap = Tap()
    folder = installation.folder
    certificate, key = installation.authority.issue("tap").write(folder, "tap")
    ca, _ = installation.authority.issued.write(folder, "ca")
    upstream = ssl.create_default_context(cafile=str(ca))
    upstream.load_cert_chain(*installation.client())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(ca))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)

    class Handler(BaseHTTPRequestHandler):
        """One connection of a scheduler."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        upstream: http.client.HTTPSConnection | None = None

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            """Say nothing."""

        def do_POST(self) -> None:
            """Forward, keep, answer."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                if self.upstream is None:
                    self.upstream = http.client.HTTPSConnection(
                        "127.0.0.1", target(), context=upstream, timeout=GIVES_UP_S
                    )
                self.upstream.request("POST", self.path, body)
                response = self.upstream.getresponse()
                answer = response.read()
            except (OSError, http.client.HTTPException):
                tap.calls.append(Call(self.path, json.loads(body), 0, None))
                self._let_go()
                self.close_connection = True
                return
            if response.will_close or response.status != 200:
                self._let_go()
            told = json.loads(answer) if response.status == 200 else answer
            tap.calls.append(Call(self.path, json.loads(body), response.status, told))
            self.send_response(response.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def finish(self) -> None:
            """The scheduler is gone."""
            self._let_go()
            super().finish()

        def _let_go(self) -> None:
            if self.upstream is not None:
                self.upstream.close()
                self.upstream = None

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a scheduler that left
        server.socket = context.wrap_socket(server.socket, server_side=True)
        tap.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield tap
        finally:
            server.shutdown()
            thread.join()
