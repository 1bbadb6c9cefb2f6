"""The port table: which ports a service has, who may connect to each, and what each answers.

A service has two as a rule: a decision port for its own protocol, which only clients of our
authority reach, and an observation port whose health is open to anybody and whose rest wants a
token. A table is a value; this module must not open anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service_runtime.serve.exchange import Handler

__all__ = ["Access", "ClientCertificates", "Port", "Route", "decision", "observation"]


class ClientCertificates(Enum):
    """Whether a port speaks with a client that shows no certificate."""

    REQUIRED = "required"
    NONE = "none"


class Access(Enum):
    """Who may ask a route, beyond being let into the port."""

    ANYBODY = "anybody"
    REVIEWED = "reviewed"
    """A bearer token that TokenReview knows and SubjectAccessReview lets read this path."""


@dataclass(frozen=True, slots=True)
class Route:
    """One path, or all below it when it ends in a slash, and who answers there."""

    method: str
    path: str
    handler: Handler
    access: Access = Access.ANYBODY


@dataclass(frozen=True, slots=True)
class Port:
    """One listening port."""

    name: str
    address: str
    port: int
    """0 takes any that is free; `Serving.port_of` tells which it became."""
    client_certificates: ClientCertificates
    routes: tuple[Route, ...]
    common_names: frozenset[str] | None = None
    """Client certificates with other common names are answered 403; None: any will do."""


def decision(
    address: str, port: int, *routes: Route, common_names: frozenset[str] | None = None
) -> Port:
    """The port of a service's own protocol: client certificates required."""
    return Port(
        "decision", address, port, ClientCertificates.REQUIRED, routes, common_names=common_names
    )


def observation(address: str, port: int, *routes: Route) -> Port:
    """The port of whoever watches the service: no client certificate; see `health.routes`."""
    return Port("observation", address, port, ClientCertificates.NONE, routes)
