"""A server on loopback that answers every request in one way: a status and a body, or silence.

It stands where Prometheus should be, for the answers that a real one gives only on its worst days.
It must not outlive its context.
"""

from __future__ import annotations

import json
import ssl
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Asked", "error", "matrix", "serve"]

STOP_POLL_S = 0.02


@dataclass(slots=True)
class Asked:
    """What was asked so far, and where."""

    url: str
    queries: list[dict[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)


def matrix(*series: tuple[dict[str, str], list[tuple[float, str]]]) -> str:
    """The answer of Prometheus to a range query."""
    result = [{"metric": labels, "values": points} for labels, points in series]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


def error(kind: str, words: str) -> str:
    """How Prometheus says what is wrong."""
    return json.dumps({"status": "error", "errorType": kind, "error": words})


@contextmanager
def serve(
    status: int = 200,
    body: str | Callable[[dict[str, str]], str] = "",
    *,
    silent: bool = False,
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[Asked]:
    """Answer every request so; `silent` takes requests and never answers.

    A certificate and its key make it HTTPS.
    """
    ended = Event()
    asked = Asked("")

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
            asked.queries.append(query)
            asked.tokens.append(self.headers.get("Authorization", ""))
            if silent:
                ended.wait()
                return
            data = (body if isinstance(body, str) else body(query)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "http" if certificate is None else "https"
        asked.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, args=(STOP_POLL_S,))
        thread.start()
        try:
            yield asked
        finally:
            ended.set()
            server.shutdown()
            thread.join()
