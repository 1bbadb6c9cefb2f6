"""What the chassis counts and measures, declared in one place.

Every label is one of a port, a route of the table or a word from a list below, so that no client
can make a series. Nothing here may look at a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service_runtime.serve.ports import Port
    from service_runtime.telemetry.metrics import Metrics

__all__ = ["NO_ROUTE", "AccessMeters", "CertificateMeters", "PortMeters"]

NO_ROUTE: Final = "none"
"""The route of a request that met none."""

CODES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx", "gone")
"""By the reply's first digit; `gone` is a client that left before it was answered."""

HANDSHAKES: Final = ("no_certificate", "foreign_or_expired", "old_tls", "no_tls", "cut", "slow",
                     "crowded", "other")  # fmt: skip
"""Why a handshake came to nothing; `crowded` is one that was not begun for want of room."""

CUTS: Final = ("slow_head", "slow_taker", "distrusted", "drain")
"""Why a connection was cut in the middle."""


class PortMeters:
    """What happens at the ports."""

    def __init__(self, metrics: Metrics, ports: Sequence[Port]) -> None:
        names = tuple(port.name for port in ports)
        routes = tuple({route.path for port in ports for route in port.routes} | {NO_ROUTE})
        self.requests = metrics.counter(
            "synthscale_serve_requests_total",
            "Requests that were answered, by the first digit of the status.",
            {"port": names, "route": routes, "code": CODES},
        )
        self.seconds = metrics.histogram(
            "synthscale_serve_request_seconds",
            "From the end of a request's headers to its reply, before that is sent.",
            {"port": names, "route": routes},
        )
        self.in_flight = metrics.gauge(
            "synthscale_serve_in_flight_requests", "Requests in flight now.", {"port": names}
        )
        self.connections = metrics.gauge(
            "synthscale_serve_open_connections",
            "Connections that are through their TLS handshake.",
            {"port": names},
        )
        self.handshakes_failed = metrics.counter(
            "synthscale_serve_handshake_failures_total",
            "TLS handshakes that came to nothing, by their reason.",
            {"port": names, "kind": HANDSHAKES},
        )
        self.malformed = metrics.counter(
            "synthscale_serve_malformed_requests_total",
            "Connections that sent what is not HTTP.",
            {"port": names},
        )
        self.cut = metrics.counter(
            "synthscale_serve_cut_connections_total",
            "Connections that were cut in the middle, by their reason.",
            {"port": names, "reason": CUTS},
        )


class CertificateMeters:
    """What becomes of our certificate."""

    def __init__(self, metrics: Metrics) -> None:
        self.expiry = metrics.gauge(
            "synthscale_serve_certificate_expiry_timestamp_seconds",
            "When the certificate that is served ends, as a Unix time.",
        )
        self.reloads = metrics.counter(
            "synthscale_serve_certificate_reloads_total",
            "Changed certificate files, by whether they could be served.",
            {"result": ("served", "refused")},
        )


class AccessMeters:
    """What becomes of bearer tokens."""

    def __init__(self, metrics: Metrics) -> None:
        self.decisions = metrics.counter(
            "synthscale_serve_access_decisions_total",
            "Requests for which a token was needed, by what became of them.",
            {"result": ("granted", "unauthenticated", "forbidden", "crowded", "unanswered")},
        )
        self.reviews = metrics.counter(
            "synthscale_serve_access_reviews_total",
            "Questions about tokens that were put to the API server.",
            {"kind": ("token", "access")},
        )
