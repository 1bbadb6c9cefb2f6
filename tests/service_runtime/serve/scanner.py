"""Finds out what a listening port accepts, by trying: configuration is a wish, a scan is a fact.

Every service's tests scan its ports with this. It uses OpenSSL through blocking sockets and so
works on any process; from a coroutine, call it through `asyncio.to_thread`. It must not share
code with what it scans.
"""

from __future__ import annotations

import socket
import ssl
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Findings", "Pair", "answers", "client_context", "scan"]

VERSIONS: Final = (
    ssl.TLSVersion.TLSv1,
    ssl.TLSVersion.TLSv1_1,
    ssl.TLSVersion.TLSv1_2,
    ssl.TLSVersion.TLSv1_3,
)
_LIMIT_S: Final = 10.0
_REQUEST: Final = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

Pair = tuple["Path", "Path"]
"""A client's certificate file and key file."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a port accepted; compare it with what it should."""

    versions: tuple[str, ...]
    """TLS versions in which a well equipped client got an answer."""
    without_certificate: bool
    """Whether a client that shows none got one."""
    with_refusable: tuple[bool, ...]
    """For each certificate that should be refused where any is demanded: whether it got one."""


def scan(
    port: int, *, server_ca: Path, good: Pair | None = None, refusable: Sequence[Pair] = ()
) -> Findings:
    """Try all versions with the good certificate, then TLS 1.3 with none and with each bad one."""
    return Findings(
        versions=tuple(
            version.name
            for version in VERSIONS
            if answers(port, client_context(server_ca, good, version=version))
        ),
        without_certificate=answers(port, client_context(server_ca, None)),
        with_refusable=tuple(answers(port, client_context(server_ca, pair)) for pair in refusable),
    )


def client_context(
    server_ca: Path, pair: Pair | None, *, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> ssl.SSLContext:
    """A client that speaks one version only, with every cipher that OpenSSL has for it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(server_ca)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are the point here
        context.minimum_version = version
        context.maximum_version = version
    if pair is not None:
        context.load_cert_chain(*pair)
    return context


def answers(port: int, context: ssl.SSLContext) -> bool:
    """Whether a request gets any answer; TLS 1.3 shows a refused certificate only at the read."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=_LIMIT_S) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            secured.sendall(_REQUEST)
            return bool(secured.recv(1))
    except TimeoutError:
        raise
    except OSError:
        return False
