"""A page that Prometheus scrapes: it says what a test lets it say, with timestamps if it likes.

It stands in for a service that exposes metrics, where the test is about the rules over them. It
must not outlive its context.
"""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Target", "serve_target"]

STOP_POLL_S = 0.05
TEXT_FORMAT = "text/plain; version=0.0.4"


class Target:
    """What is exposed now, and where."""

    def __init__(self, text: str) -> None:
        self.text = text
        """Prometheus' text format; a test sets it at any time."""
        self.scrapes = 0
        self.address = ""
        """`host:port`, as a scrape configuration names a target."""


@contextmanager
def serve_target(text: str = "") -> Iterator[Target]:
    """A target on a free port of loopback."""
    target = Target(text)

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = target.text.encode()
            self.send_response(200)
            self.send_header("Content-Type", TEXT_FORMAT)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            target.scrapes += 1

        def log_message(self, *_: object) -> None:
            """Say nothing: a scrape a second would bury the test's own output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        host, port = server.server_address[:2]
        target.address = f"{host!s}:{port}"
        thread = Thread(target=server.serve_forever, args=(STOP_POLL_S,))
        thread.start()
        try:
            yield target
        finally:
            server.shutdown()
            thread.join()
