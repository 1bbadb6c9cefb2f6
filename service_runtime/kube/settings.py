"""How the API server is reached, and how patiently.

Everything that waits, pages or backs off in this folder has its number here, with the reason for
its default, so that an operator finds them in one place. This module must not read a file or the
environment: it says what can be set, not what is.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

__all__ = ["KubeSettings"]


class KubeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the API server is found, trusted, asked and waited for."""

    kubeconfig: Annotated[
        str,
        Meta(
            description="Path of a kubeconfig file; empty: that of KUBECONFIG, else the service "
            "account of the pod this runs in."
        ),
    ] = ""
    context: Annotated[
        str, Meta(description="Context of the kubeconfig; empty: its current context.")
    ] = ""
    tls_minimum: Annotated[
        Literal["1.2", "1.3"],
        Meta(
            description="Oldest TLS version accepted from the API server; 1.2 only for a server "
            "behind a proxy that knows no better."
        ),
    ] = "1.3"
    connect_timeout_s: Annotated[
        float, Meta(description="Longest wait for a connection, TLS included.", gt=0, le=60)
    ] = 5.0
    request_timeout_s: Annotated[
        float,
        Meta(
            description="Longest wait for a whole answer; a watch has `watch_idle_s` instead.",
            gt=0,
            le=300,
        ),
    ] = 30.0
    watch_timeout_s: Annotated[
        int,
        Meta(
            description="The server is asked to end a watch after this to twice this, drawn "
            "anew each time, so that load spreads over its replicas.",
            ge=1,
            le=3600,
        ),
    ] = 300
    watch_idle_s: Annotated[
        float,
        Meta(
            description="A watch that is silent for longer is broken; must exceed the server's "
            "bookmark interval, which is 60 s and up to a quarter more.",
            gt=0,
            le=600,
        ),
    ] = 90.0
    page_size: Annotated[
        int,
        Meta(
            description="Objects a page of a list; 500 pods are about 3 MiB.",
            ge=1,
            le=10_000,
        ),
    ] = 500
    answer_limit_mib: Annotated[
        int,
        Meta(
            description="An answer, or one line of a watch, that is longer is refused.",
            ge=1,
            le=1024,
        ),
    ] = 64
    connections: Annotated[
        int,
        Meta(
            description="Connections to the API server at once; each watch holds one.",
            ge=2,
            le=1000,
        ),
    ] = 32
    credentials_reread_s: Annotated[
        float,
        Meta(
            description="Token, certificates and authority are read again this often, and after "
            "every 401; the kubelet renews a token long before it ends.",
            gt=0,
            le=3600,
        ),
    ] = 60.0
    backoff_base_s: Annotated[
        float,
        Meta(description="Longest wait before the first retry; doubles each time.", gt=0, le=60),
    ] = 0.5
    backoff_cap_s: Annotated[
        float, Meta(description="Longest wait before any retry.", gt=0, le=600)
    ] = 30.0
