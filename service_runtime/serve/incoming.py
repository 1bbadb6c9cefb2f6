"""Bytes of HTTP/1.1 in, whole requests out, within the limits of a head and a body.

llhttp reads the bytes (through httptools); what it leaves open is decided here: how long anything
may be, which bodies are worth keeping, and what is said about bytes that are no request. What
cannot be understood ends the reading for good, since nobody knows where the next request begins.
This module must not know sockets, time or handlers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, unquote

import httptools

from service_runtime.serve.answering import Answer, Call
from service_runtime.serve.exchange import Request, told
from service_runtime.serve.meters import NO_ROUTE
from service_runtime.serve.ports import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from service_runtime.serve.exchange import Reply
    from service_runtime.serve.peers import Peer
    from service_runtime.serve.settings import LimitSettings

__all__ = ["Arrived", "Headers", "Reader"]

_HEAD_LINES: Final = 4
"""How many lines of the longest allowed a head may fill together; nginx gives as many."""

_FRAMES: Final = 2
"""How many times its length a body in chunks may take with its frames and trailers."""

_VERSIONS: Final = ("1.1", "1.0")
_WITHOUT_BODY: Final = ("GET", "HEAD")
"""A body means nothing there (RFC 9110, 9.3.1), so it is thrown away and costs no memory."""

_NO_REQUEST: Final = told(400, "this is no HTTP/1.1 request")
_HEAD_TOO_LONG: Final = told(431, "a header is too long")
_TOO_MANY_HEADERS: Final = told(400, "there are too many headers")
_NOT_YET: Final = Answer(NO_ROUTE, _NO_REQUEST)
_NO_ENCODING: Final = told(415, "send the body without a Content-Encoding")

Judge: TypeAlias = "Callable[[str, str], Route | Answer]"
"""Says for a method and a path who answers, or what is answered at once."""


class Headers(Mapping[str, str]):
    """Header fields, looked up whatever the case of the name; repeated ones are joined."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[bytes, bytes]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower().encode()].decode("utf-8", "surrogateescape")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class Arrived(NamedTuple):
    """What came: a call, or what is said to that which is none."""

    what: Call | Answer
    wants_body: bool = True
    """Not so for HEAD, whose reply is only announced."""
    last: bool = False
    """Whether the client, or what it sent, lets nothing follow on this connection."""
    is_whole: bool = True
    """Whether all of it was read."""
    is_http: bool = True
    """Whether it could be understood so far."""


class _Enough(Exception):
    """Stops the parser in mid-buffer; why is in `arrived` already."""


class Reader:
    """Reads one connection; `arrived` is taken from by whoever feeds it.

    Its `on_...` methods are called by the parser.
    """

    __slots__ = (
        *("_begun", "_deaf", "_fields", "_headed", "_judge", "_keeps_body", "_last", "_length"),
        *("_limits", "_lines", "_method", "_most_body_bytes", "_most_head_bytes", "_parser"),
        *("_parts", "_path", "_taken_bytes", "_target", "_url", "_verdict", "arrived", "peer"),
    )

    def __init__(self, limits: LimitSettings, judge: Judge) -> None:
        self.arrived: deque[Arrived] = deque()
        self.peer: Peer | None = None
        """Who sends all this; told once it is known."""
        self._limits = limits
        self._judge = judge
        self._parser = httptools.HttpRequestParser(self)
        self._most_head_bytes = _HEAD_LINES * limits.head_line_max_bytes
        self._most_body_bytes = _FRAMES * limits.body_max_bytes + self._most_head_bytes
        self._deaf = False
        self._begin()

    def _begin(self) -> None:
        self._begun = self._headed = self._last = False
        self._keeps_body = False
        self._taken_bytes = self._length = 0
        self._method = self._target = self._path = ""
        self._url = b""
        self._lines: list[tuple[bytes, bytes]] = []
        self._fields: dict[bytes, bytes] = {}
        self._parts: list[bytes] = []
        self._verdict: Route | Answer = _NOT_YET

    # ------------------------------------------------------------ what is going on

    @property
    def in_head(self) -> bool:
        """Whether a request has begun whose headers are not all here."""
        return self._begun and not self._headed

    @property
    def in_body(self) -> bool:
        """Whether a request's headers are here but not its body."""
        return self._headed

    @property
    def awaits_go_on(self) -> bool:
        """Whether the client sends its body only once it is told to."""
        if not self._headed or self._length or isinstance(self._verdict, Answer):
            return False
        return self._fields.get(b"expect", b"").lower() == b"100-continue"

    # ------------------------------------------------------------ reading

    def feed(self, data: memoryview) -> None:
        """Read on; what has become whole is in `arrived` afterwards."""
        if self._deaf:
            return
        self._taken_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, _Enough):
                raise  # a mistake of ours, which must not pass for one of the client
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(_NO_REQUEST)
        if self._headed and self._taken_bytes > self._most_body_bytes:
            self.give_up(self._too_long())
        elif not self._headed and self._taken_bytes > self._most_head_bytes:
            self._refuse(_HEAD_TOO_LONG)

    def give_up(self, answer: Answer, *, is_http: bool = True) -> None:
        """Say this to whatever has come since the last whole request, and read no more."""
        if self._deaf:
            return
        self._deaf = True
        wants_body = self._method != "HEAD"
        self.arrived.append(Arrived(answer, wants_body, last=True, is_whole=False, is_http=is_http))
        self._begin()

    def _refuse(self, reply: Reply) -> None:
        self.give_up(Answer(NO_ROUTE, reply), is_http=False)

    @property
    def route(self) -> str:
        """What the request that is being read counts as."""
        verdict = self._verdict
        return verdict.route if isinstance(verdict, Answer) else verdict.path

    def on_message_begin(self) -> None:
        """A first byte."""
        self._begun = True

    def on_url(self, part: bytes) -> None:
        """Some of the request line, or all."""
        self._url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; or a trailer after the body, at which nobody looks any more."""
        self._lines.append((name, value))

    def on_headers_complete(self) -> None:
        """A whole head: it is known who will answer, and whether a body is worth reading."""
        self._headed = True
        parser, fields = self._parser, self._fold_lines()
        self._method = parser.get_method().decode()
        version = parser.get_http_version()
        coded = fields.get(b"transfer-encoding", b"chunked").lower() != b"chunked"
        if coded or version not in _VERSIONS or parser.should_upgrade():
            self._stop(_NO_REQUEST)
        self._last = version != "1.1" or not parser.should_keep_alive()
        self._target = self._url.decode("utf-8", "replace")
        self._path = _path_of(self._target)
        self._verdict = self._judge(self._method, self._path)
        if int(fields.get(b"content-length", b"0")) > self._limits.body_max_bytes:
            self._stop_long()
        if fields.get(b"content-encoding", b"identity").lower() != b"identity":
            self._verdict = Answer(self.route, _NO_ENCODING)
        self._keeps_body = isinstance(self._verdict, Route) and self._method not in _WITHOUT_BODY

    def _fold_lines(self) -> dict[bytes, bytes]:
        """The header lines by their names in lower case, each within its limit."""
        most_bytes = self._limits.head_line_max_bytes
        fields = self._fields
        for name, value in self._lines:
            if len(name) + len(value) > most_bytes:
                self._stop(_HEAD_TOO_LONG)
            folded = name.lower()
            fields[folded] = fields[folded] + b", " + value if folded in fields else value
        if len(self._lines) > self._limits.headers_max:
            self._stop(_TOO_MANY_HEADERS)
        if len(self._url) > most_bytes:
            self._stop(_HEAD_TOO_LONG)
        return fields

    def on_body(self, part: bytes) -> None:
        """Some of the body, or all."""
        self._length += len(part)
        if self._length > self._limits.body_max_bytes:
            self._stop_long()
        if self._keeps_body:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        """A whole request."""
        verdict = self._verdict
        what = Call(verdict, self._request()) if isinstance(verdict, Route) else verdict
        self.arrived.append(Arrived(what, self._method != "HEAD", self._last))
        self._begin()

    def _request(self) -> Request:
        parts = self._parts
        return Request(
            method=self._method,
            path=self._path,
            raw_path=self._target,
            query=_query_of(self._target),
            headers=Headers(self._fields),
            body=parts[0] if len(parts) == 1 else b"".join(parts),
            peer=self.peer,
        )

    def _stop(self, reply: Reply) -> None:
        self._refuse(reply)
        raise _Enough

    def _stop_long(self) -> None:
        self.give_up(self._too_long())
        raise _Enough

    def _too_long(self) -> Answer:
        most_bytes = self._limits.body_max_bytes
        return Answer(self.route, told(413, f"the body is longer than {most_bytes} bytes"))


def _path_of(target: str) -> str:
    path = target.partition("?")[0]
    if not path.startswith("/"):  # as a proxy is asked: with scheme and host
        path = "/" + path.partition("://")[2].partition("/")[2]
    return unquote(path) if "%" in path else path


def _query_of(target: str) -> Mapping[str, str]:
    query = target.partition("?")[2].partition("#")[0]
    return dict(parse_qsl(query, keep_blank_values=True)) if query else {}
