"""The HTTPS chassis: a port table served over TLS 1.3, from readiness to the last answer.

A service hands over a table of ports with its handlers; certificates, limits, access, health and
the end are the same for all services. Nothing outside this folder may import `httptools` or `ssl`,
and nothing in it may decide what a service answers.
"""

from service_runtime.serve.access import Reviewer
from service_runtime.serve.exchange import Handler, Reply, Request, told
from service_runtime.serve.health import Health, NotReady, Ready, metrics_route
from service_runtime.serve.peers import Peer
from service_runtime.serve.ports import (
    Access,
    ClientCertificates,
    Port,
    Route,
    decision,
    observation,
)
from service_runtime.serve.serving import Serving
from service_runtime.serve.settings import (
    AccessSettings,
    DrainSettings,
    LimitSettings,
    TlsSettings,
)

__all__ = [
    "Access",
    "AccessSettings",
    "ClientCertificates",
    "DrainSettings",
    "Handler",
    "Health",
    "LimitSettings",
    "NotReady",
    "Peer",
    "Port",
    "Ready",
    "Reply",
    "Request",
    "Reviewer",
    "Route",
    "Serving",
    "TlsSettings",
    "decision",
    "metrics_route",
    "observation",
    "told",
]
