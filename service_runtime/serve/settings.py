"""What an operator may set about serving: certificates, limits, the end, and who may look.

Every wait and every bound of the chassis has its number here, with the reason for its default.
This module must not read files or the environment: it says what can be set, not what is.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = ["AccessSettings", "DrainSettings", "LimitSettings", "TlsSettings"]

_FOLDER = "/etc/synthscale/tls"


class TlsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which certificate is shown, and whose clients are believed."""

    certificate_file: Annotated[
        str,
        Meta(description="PEM file: our certificate, then those between it and the authority."),
    ] = f"{_FOLDER}/tls.crt"
    key_file: Annotated[
        str, Meta(description="PEM file: the private key of our certificate, not encrypted.")
    ] = f"{_FOLDER}/tls.key"
    client_ca_file: Annotated[
        str,
        Meta(
            description="PEM file: every authority whose client certificates are accepted; during "
            "a rotation the old and the new one."
        ),
    ] = f"{_FOLDER}/ca.crt"
    poll_interval_s: Annotated[
        float,
        Meta(
            description="How often the files are looked at; the kubelet itself renews a mounted "
            "secret only about once a minute.",
            gt=0,
            le=300,
        ),
    ] = 5.0


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one client may ask of a port, and how long it may take about it."""

    connections_max: Annotated[
        int,
        Meta(
            description="Connections a port holds at once; one more is closed at once. A "
            "connection costs about 100 KiB.",
            ge=1,
            le=100_000,
        ),
    ] = 1_000
    handshakes_max: Annotated[
        int,
        Meta(
            description="Connections a port may have that are not through their TLS handshake; "
            "half-open ones must not use up `connections_max`.",
            ge=1,
            le=100_000,
        ),
    ] = 200
    handshake_timeout_s: Annotated[
        float,
        Meta(description="A TLS handshake that takes longer is cut; one costs 4 ms.", gt=0, le=60),
    ] = 5.0
    head_timeout_s: Annotated[
        float,
        Meta(
            description="From the first byte of a request (or the handshake) to the end of its "
            "headers; a slower client is cut.",
            gt=0,
            le=300,
        ),
    ] = 5.0
    body_timeout_s: Annotated[
        float,
        Meta(description="A body that takes longer to arrive is answered 408.", gt=0, le=300),
    ] = 10.0
    request_timeout_s: Annotated[
        float,
        Meta(
            description="A request that takes longer, its body included, is answered 504 and its "
            "handler cancelled; kube-scheduler gives an extender 5 s by default.",
            gt=0,
            le=600,
        ),
    ] = 15.0
    send_timeout_s: Annotated[
        float,
        Meta(description="A client that has not taken its answer after this is cut.", gt=0, le=300),
    ] = 10.0
    idle_timeout_s: Annotated[
        float,
        Meta(
            description="A connection without a request is closed after this; longer than the "
            "90 s of Go's clients, so that they close first and no request meets the end.",
            gt=0,
            le=3_600,
        ),
    ] = 120.0
    body_max_bytes: Annotated[
        int,
        Meta(
            description="A longer body is answered 413 and not read to its end; 5,000 node names "
            "and a pod are about 0.3 MB.",
            ge=0,
            le=1 << 30,
        ),
    ] = 4 << 20
    head_line_max_bytes: Annotated[
        int,
        Meta(
            description="Longest request line, and longest header; a bearer token is one header. "
            "A whole head may be four times as long.",
            ge=256,
            le=1 << 20,
        ),
    ] = 16 << 10
    headers_max: Annotated[
        int, Meta(description="Headers a request may have.", ge=8, le=10_000)
    ] = 100


class DrainSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How serving ends; together less than the pod's terminationGracePeriodSeconds."""

    notice_s: Annotated[
        float,
        Meta(
            description="Not ready, but still serving: the time endpoints and proxies take to "
            "send no more. Answers already ask clients to connect anew, elsewhere.",
            ge=0,
            le=300,
        ),
    ] = 5.0
    finish_s: Annotated[
        float,
        Meta(
            description="How long requests in flight may take to end after that; then they are "
            "cut and counted.",
            ge=0,
            le=300,
        ),
    ] = 15.0


class AccessSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How bearer tokens are reviewed, and how little the API server is asked about them."""

    audiences: Annotated[
        tuple[str, ...],
        Meta(description="For whom a token must be issued; empty: for the API server itself."),
    ] = ()
    granted_ttl_s: Annotated[
        float,
        Meta(
            description="How long a yes is believed: what a revoked token has left.", ge=0, le=300
        ),
    ] = 10.0
    refused_ttl_s: Annotated[
        float,
        Meta(description="How long a no is believed: what a new role waits.", ge=0, le=300),
    ] = 10.0
    answers_max: Annotated[
        int,
        Meta(
            description="Answers remembered of each kind (yes and no apart, so that a flood of "
            "bad tokens does not push out the good ones).",
            ge=1,
            le=100_000,
        ),
    ] = 1_000
    review_timeout_s: Annotated[
        float,
        Meta(description="The API server is waited for so long, then it is 503.", gt=0, le=60),
    ] = 3.0
    reviews_per_s: Annotated[
        float,
        Meta(
            description="Unknown tokens reviewed a second, lastingly; beyond it is 429. Tokens "
            "that were good before have an allowance of their own of the same size.",
            gt=0,
            le=1_000,
        ),
    ] = 5.0
    reviews_burst: Annotated[
        int, Meta(description="Reviews that may come at once after a quiet time.", ge=1, le=1_000)
    ] = 20
    reviews_at_once: Annotated[
        int,
        Meta(description="Questions to the API server on their way at once.", ge=1, le=100),
    ] = 4
    token_max_bytes: Annotated[
        int,
        Meta(
            description="A longer token is refused unasked; a service account's has about 1 KB.",
            ge=64,
            le=1 << 20,
        ),
    ] = 8 << 10
