"""How bytes become requests: the same however they are cut, and never more memory than the limits.

The reader is asked directly; that it is asked at all is shown by the hostile clients beside this.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_runtime.serve import LimitSettings, Reply, Request, Route
from service_runtime.serve.answering import Answer, Call, Routes
from service_runtime.serve.incoming import Reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service_runtime.serve.incoming import Arrived

LIMITS = LimitSettings(body_max_bytes=2_000, head_line_max_bytes=1_000, headers_max=20)


def nothing(_: Request) -> Reply:
    """A handler that is not asked here."""
    return Reply()


ROUTES = Routes([Route("POST", "/filter", nothing), Route("GET", "/livez", nothing)])


def read(*pieces: bytes) -> Reader:
    """A reader after these bytes."""
    reader = Reader(LIMITS, ROUTES.of)
    for piece in pieces:
        reader.feed(memoryview(piece))
    return reader


def told(arrived: Sequence[Arrived]) -> list[object]:
    """What came, as what a service would see of it."""
    return [
        (one.what.reply.status, one.what.reply.body)
        if isinstance(one.what, Answer)
        else (one.what.request.raw_path, one.what.request.body, dict(one.what.request.headers))
        for one in arrived
    ]


POST = b"POST /filter?a=1 HTTP/1.1\r\nHost: x\r\nA: b\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /filter HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: r\r\n\r\n"
)
STREAMS = [
    POST + b"GET /livez HTTP/1.1\r\n\r\n" + CHUNKED,
    CHUNKED + POST + b"nonsense\r\n\r\n" + POST,
    b"POST /nowhere HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello" + POST,
    POST + b"POST /filter HTTP/1.1\r\nContent-Length: 2001\r\n\r\n" + b"x" * 2_001,
    POST + b"GET /livez HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + POST,
    b"GET /livez HTTP/1.1\r\nA: " + b"x" * 1_100 + b"\r\n\r\n" + POST,
]


@given(stream=st.sampled_from(STREAMS), cuts=st.lists(st.integers(0, 2_300), max_size=12))
def test_it_does_not_matter_how_bytes_are_cut(stream: bytes, cuts: list[int]) -> None:
    """A network cuts where it likes, and an attacker where it hurts."""
    at = [0, *sorted(cuts), len(stream)]
    pieces = [stream[begin:end] for begin, end in pairwise(at)]

    assert told(read(stream).arrived) == told(read(*pieces).arrived)


@given(st.binary(max_size=400), st.integers(0, 400))
def test_any_bytes_end_in_requests_or_one_refusal(rubbish: bytes, at: int) -> None:
    """The reader raises for none of them, and nothing follows a refusal."""
    reader = read(POST[:at] + rubbish, POST)

    refused = [one for one in reader.arrived if not one.is_http]

    assert refused in ([], [reader.arrived[-1]])


@pytest.mark.parametrize(
    ("begin", "more", "status"),
    [
        pytest.param(b"GET /", b"a" * 100, 431, id="a request line without end"),
        pytest.param(b"GET /livez HTTP/1.1\r\nA: ", b"b" * 100, 431, id="a header without end"),
        pytest.param(b"GET /livez HTTP/1.1\r\n", b"A: b\r\n", 431, id="headers without end"),
    ],
)
def test_a_head_that_does_not_end_is_refused_in_time(
    begin: bytes, more: bytes, status: int
) -> None:
    """Its beginning is kept for no longer than the limits say."""
    reader = read(begin)
    fed = 0
    while not reader.arrived and fed < 100_000:
        reader.feed(memoryview(more))
        fed += len(more)
    (arrived,) = reader.arrived

    assert isinstance(arrived.what, Answer)
    assert (arrived.what.reply.status, arrived.is_http) == (status, False)
    assert fed <= 4 * LIMITS.head_line_max_bytes + 100


@pytest.mark.parametrize(
    "more", [b"T: " + b"x" * 100, b"1;" + b"x" * 100], ids=["trailer", "frame"]
)
def test_a_body_costs_no_more_than_its_limit_and_its_frames(more: bytes) -> None:
    """Trailers and chunk extensions that do not end are refused as too long a body is."""
    end = b"0\r\n" if more.startswith(b"T") else b""
    reader = read(b"POST /filter HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + end + more)
    fed = 0
    while not reader.arrived and fed < 100_000:
        reader.feed(memoryview(b"x" * 100))
        fed += 100
    (arrived,) = reader.arrived

    assert isinstance(arrived.what, Answer)
    assert (arrived.what.reply.status, arrived.is_whole) == (413, False)
    assert fed <= 10_000


def test_a_body_that_means_nothing_is_thrown_away() -> None:
    """Of a GET, and of a request that is refused anyway: neither costs memory nor ends anything."""
    reader = read(
        b"GET /livez HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        b"POST /nowhere HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        POST,
    )
    first, second, third = reader.arrived

    assert isinstance(first.what, Call)
    assert first.what.request.body == b""
    assert isinstance(second.what, Answer)
    assert (second.what.reply.status, second.last) == (404, False)
    assert isinstance(third.what, Call)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/filter", "/filter", {}),
        ("/%66ilter?a=b&a=c&d", "/filter", {"a": "c", "d": ""}),
        ("http://elsewhere:80/filter?a=%26", "/filter", {"a": "&"}),
        ("//filter", "//filter", None),
        ("/./filter", "/./filter", None),
    ],
)
def test_a_target_is_read_as_what_it_says(
    target: str, path: str, query: dict[str, str] | None
) -> None:
    """Decoded once and not tidied up: what is looked up is what access is asked about."""
    seen = []

    def judge(method: str, path: str) -> Route | Answer:
        seen.append(path)
        return ROUTES.of(method, path)

    reader = Reader(LIMITS, judge)
    reader.feed(memoryview(f"POST {target} HTTP/1.1\r\nContent-Length: 0\r\n\r\n".encode()))
    (arrived,) = reader.arrived

    assert seen == [path]
    assert query is None or isinstance(arrived.what, Call)
    assert query is None or query == arrived.what.request.query  # type: ignore[union-attr]


def test_a_repeated_header_is_one_list() -> None:
    """As RFC 9110 says; two tokens are then no token, and two lengths no request."""
    reader = read(
        b"GET /livez HTTP/1.1\r\nAuthorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n"
    )
    (arrived,) = reader.arrived

    assert isinstance(arrived.what, Call)
    assert arrived.what.request.headers.get("AUTHORIZATION") == "Bearer a, Bearer b"


@pytest.mark.parametrize(
    ("head", "last"),
    [
        (b"GET /livez HTTP/1.1\r\n\r\n", False),
        (b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n", True),
        (b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_a_client_says_whether_its_request_is_the_last(head: bytes, *, last: bool) -> None:
    """One of HTTP/1.0 is always: what it makes of our headers is not known."""
    (arrived,) = read(head).arrived

    assert last == arrived.last
