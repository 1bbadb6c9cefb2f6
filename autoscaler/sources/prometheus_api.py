"""The one module that knows `prometheus-api-client`: a range query asked once, and every refusal.

The library is published without types; what leaves here is typed. It retries by itself by default,
which would make a slow server slower: that is turned off. This module must not cut a range into
parts or make samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException

from autoscaler.sources.text import file_words, read_text
from gpu_fleet.errors import InputError
from gpu_fleet.words import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Answer", "PrometheusApi", "PrometheusServer", "ServerUnusable", "query_words"]

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_UNAUTHORIZED = frozenset({401, 403})
_BAD_QUERY = frozenset({400, 422})
_NOT_FOUND = 404
_UNAVAILABLE = 503
_NOT_PROMETHEUS = ("what answers is not a Prometheus", "check the address and its path")
_ASK_FOR_LESS = "ask for a shorter range or a larger --step, or wait longer"
_MOST_WORDS = 160


class ServerUnusable(InputError):
    """A server gave no answer that history can be made of now; asking again later may help."""


@dataclass(frozen=True, slots=True)
class PrometheusServer:
    """Where a Prometheus is, and how it is trusted and asked."""

    url: str
    timeout_s: float = 30.0
    """The longest silence that is waited through, of a connection and of an answer."""
    ca_file: Path | None = None
    """The authorities that its certificate is checked against; None takes the usual ones."""
    token_file: Path | None = None
    """A file with a bearer token, read anew for each range, since Kubernetes rotates tokens."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InputError(
                f"{shown(self.url)} is no address of a server",
                remedy="write http://HOST:PORT or https://HOST:PORT",
            )

    @property
    def address(self) -> str:
        """The address without what may be secret in it."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
        host = f"[{host}]" if ":" in host else host
        return urlunsplit((parts.scheme, f"{host}{port}", parts.path, "", ""))


@dataclass(frozen=True, slots=True)
class Answer:
    """One series of an answer."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]
    """Unix seconds and a value, which may be not-a-number or infinite."""


class PrometheusApi:
    """One connection to a server, to be closed."""

    def __init__(self, server: PrometheusServer) -> None:
        self._server = server
        self._session = requests.Session()
        self._session.verify = _trusted(server)
        self._session.hooks["response"].append(self._remember)
        self._answered: requests.Response | None = None
        self._client = PrometheusConnect(
            url=server.url.rstrip("/"),
            session=self._session,
            retry=0,
            auth=_auth(server),
            timeout=server.timeout_s,
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def query_range(self, query: str, start_s: int, end_s: int, step_s: int) -> list[Answer]:
        """What the server says of every step from `start_s` to `end_s`, both included."""
        try:
            result = self._client.custom_query_range(
                query,
                start_time=datetime.fromtimestamp(start_s, UTC),
                end_time=datetime.fromtimestamp(end_s, UTC),
                step=str(step_s),
                params={"timeout": f"{self._server.timeout_s:g}s"},
            )
            return [_answer(series) for series in result]
        except PrometheusApiClientException:
            problem, remedy = self._refusal()
        except requests.Timeout:
            problem = f"no answer within {self._server.timeout_s:g} s"
            remedy = _ASK_FOR_LESS
        except requests.exceptions.SSLError as error:
            problem = f"its certificate is not trusted ({_reason(error)})"
            remedy = "name the authority that signed it as the CA file"
        except (requests.JSONDecodeError, AttributeError, LookupError, TypeError, ValueError):
            problem, remedy = _NOT_PROMETHEUS
        except requests.RequestException as error:
            problem = f"cannot be reached ({_reason(error)})"
            remedy = "check that it runs and can be reached from here"
        raise ServerUnusable(
            problem, remedy=remedy, file=self._server.address, field=query_words(query)
        )

    def _remember(self, response: requests.Response, **_: object) -> None:
        self._answered = response

    def _refusal(self) -> tuple[str, str]:
        """What a status that is not 200 means, and what to do."""
        if self._answered is None:
            return _NOT_PROMETHEUS
        status, words = self._answered.status_code, _error_words(self._answered)
        if status in _UNAUTHORIZED:
            return f"does not let us in ({status})", "name a file with a bearer token it accepts"
        if status in _BAD_QUERY and words:
            return f"refuses the query ({words})", "correct it"
        if status == _UNAVAILABLE and words:
            return f"gives up ({words})", _ASK_FOR_LESS
        if status == _NOT_FOUND:
            return _NOT_PROMETHEUS
        return f"answers with status {status}", "look at its log, or at what stands before it"


def query_words(query: str) -> str:
    """A query as complaints show it: on one line and not too long."""
    line = " ".join(query.split())
    return line if len(line) <= _MOST_WORDS else f"{line[:_MOST_WORDS]}..."


def _answer(series: Mapping[str, Any]) -> Answer:
    labels = {str(name): str(value) for name, value in series["metric"].items()}
    # Native histograms have no values; such a series says nothing that is one number.
    points = [(float(at_s), float(value)) for at_s, value in series.get("values", ())]
    return Answer(labels, points)


def _trusted(server: PrometheusServer) -> bool | str:
    """What the certificate is checked against, as requests wants it."""
    if server.ca_file is None:
        return True
    if not server.ca_file.is_file():
        raise InputError("no such file", remedy="check the path", file=file_words(server.ca_file))
    return str(server.ca_file)


def _auth(server: PrometheusServer) -> Callable[[requests.PreparedRequest], Any] | None:
    """What adds the token to a request; unlike a header, no .netrc file overrides it."""
    if server.token_file is None:
        return None
    parts = urlsplit(server.url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise InputError(
            "a token would be sent for all to read",
            remedy="use https, or no token",
            file=server.address,
        )
    token = read_text(server.token_file).strip()

    def add(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return add


def _error_words(response: requests.Response) -> str:
    """What a refusal says of itself; empty where it says nothing that can be read."""
    try:
        words = str(response.json()["error"])
    except (requests.JSONDecodeError, LookupError, TypeError):
        return ""
    return query_words(words)


def _reason(error: Exception) -> str:
    """The innermost reason of an error of requests, without addresses of objects."""
    inner: object = error
    while isinstance(inner, BaseException):
        deeper = getattr(inner, "reason", None) or (inner.args[0] if inner.args else None)
        if not isinstance(deeper, BaseException):
            break
        inner = deeper
    return query_words(str(inner).rpartition(": ")[2])
