"""Whatever a server answers that no history can be made of is said in one line.

The line names the server, the query and what to do, and the command ends with 2. The servers are
real ones on loopback that answer badly.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from autoscaler.sources.prometheus import PrometheusRange
from autoscaler.sources.prometheus_api import PrometheusServer, ServerUnusable
from gpu_fleet.errors import InputError
from tests.autoscaler.sources.answering import error, matrix, serve

if TYPE_CHECKING:
    from pathlib import Path

QUERY = "sum(rate(requests_total[5m]))"
LESS = "ask for a shorter range or a larger --step, or wait longer"


def complaint(server: PrometheusServer, query: str = QUERY) -> str:
    """The one line, without the address."""
    with pytest.raises(InputError) as caught:
        PrometheusRange(server, query, 0, 3_600, 60).read()
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(server.address, "URL")


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, "", "does not let us in (401); name a file with a bearer token it accepts"),
        (403, "", "does not let us in (403); name a file with a bearer token it accepts"),
        (
            422,
            error("execution", "query processing would load too many samples"),
            "refuses the query (query processing would load too many samples); correct it",
        ),
        (
            400,
            error("bad_data", "1:5: parse error:\n unclosed left parenthesis"),
            "refuses the query (1:5: parse error: unclosed left parenthesis); correct it",
        ),
        (
            503,
            error("timeout", "query timed out in expression evaluation"),
            f"gives up (query timed out in expression evaluation); {LESS}",
        ),
        (503, "", "answers with status 503; look at its log, or at what stands before it"),
        (502, "<html>", "answers with status 502; look at its log, or at what stands before it"),
        (404, "", "what answers is not a Prometheus; check the address and its path"),
        (200, "<html>", "what answers is not a Prometheus; check the address and its path"),
        (200, "{}", "what answers is not a Prometheus; check the address and its path"),
        (200, "[]", "what answers is not a Prometheus; check the address and its path"),
        (
            200,
            matrix(({}, [(0, "soon")])),
            "what answers is not a Prometheus; check the address and its path",
        ),
        (
            200,
            matrix(),
            "answers no series in that range; check the metric, its labels and the range",
        ),
        (
            200,
            matrix(({}, [(0, "NaN"), (60, "+Inf")])),
            "answers no number in that range, only NaN; check what the query divides by",
        ),
        (
            200,
            matrix(*(({"pod": str(n)}, [(0.0, "1")]) for n in range(1_001))),
            "answers more than 1,000 series; sum them, as in sum(...) or sum by",
        ),
    ],
    ids=range(15),
)
def test_a_bad_answer_is_said_in_one_line(status: int, body: str, said: str) -> None:
    """To the letter."""
    with serve(status, body) as asked:
        assert complaint(PrometheusServer(asked.url)) == f"URL: {QUERY}: {said}"


def test_a_server_that_is_down_is_named() -> None:
    """Nothing listens there."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        server = PrometheusServer(f"http://127.0.0.1:{held.getsockname()[1]}")

        assert complaint(server) == (
            f"URL: {QUERY}: cannot be reached ([Errno 111] Connection refused);"
            " check that it runs and can be reached from here"
        )


def test_a_server_that_is_slow_is_not_waited_for() -> None:
    """Nor is it asked again, which would make it slower."""
    with serve(silent=True) as asked:
        assert (
            complaint(PrometheusServer(asked.url, timeout_s=0.2))
            == f"URL: {QUERY}: no answer within 0.2 s; {LESS}"
        )
        assert len(asked.queries) == 1
        assert asked.queries[0]["timeout"] == "0.2s"


def test_a_caller_can_tell_what_may_pass() -> None:
    """A server that is down is no mistake of the person; a range that is upside down is."""
    with serve(503) as asked, pytest.raises(ServerUnusable):
        PrometheusRange(PrometheusServer(asked.url), QUERY, 0, 60, 60).read()
    with pytest.raises(InputError, match=r"the range ends before it begins; swap its ends$"):
        PrometheusRange(PrometheusServer("http://localhost"), QUERY, 60, 0, 60)


def test_a_long_query_is_shown_on_one_short_line() -> None:
    """A query of a page is recognised by its beginning."""
    with serve(502) as asked:
        said = complaint(PrometheusServer(asked.url), f"sum(\n  {'x' * 500}\n)")

    assert said.startswith("URL: sum( xxx")
    assert len(said) < 300


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://prometheus", "http://", ""])
def test_an_address_must_be_one(url: str) -> None:
    """Before anything is asked."""
    with pytest.raises(InputError, match="is no address of a server; write http://HOST:PORT or"):
        PrometheusServer(url)


def test_secrets_in_an_address_are_not_printed() -> None:
    """Complaints end up in logs and tickets."""
    with serve(502) as asked:
        url = asked.url.replace("http://", "http://user:secret@") + "/prometheus"
        said = complaint(PrometheusServer(url))

    assert "secret" not in said
    assert said.startswith("URL: ")


def test_a_token_is_not_sent_for_all_to_read(tmp_path: Path) -> None:
    """Without TLS a bearer token belongs to whoever listens."""
    (tmp_path / "token").write_text("secret\n", encoding="utf-8")
    server = PrometheusServer("http://prometheus.example:9090", token_file=tmp_path / "token")

    assert complaint(server) == "URL: a token would be sent for all to read; use https, or no token"


def test_missing_files_of_trust_are_named(tmp_path: Path) -> None:
    """Of the authority and of the token."""
    url = "https://127.0.0.1:1"
    authority = complaint(PrometheusServer(url, ca_file=tmp_path / "ca.crt"))
    token = complaint(PrometheusServer(url, token_file=tmp_path / "token"))

    assert authority == f"{tmp_path}/ca.crt: no such file; check the path"
    assert token == f"{tmp_path}/token: no such file; check the path"
