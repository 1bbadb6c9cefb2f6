"""Who a client's certificate says it is, as a value that handlers and allow-lists can read.

The certificate was verified before anything here is asked; this module must not verify, only read.
A name that is not there is None and never an empty string that might compare equal to something.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

__all__ = ["Peer", "PeerCertificate"]

PeerCertificate: TypeAlias = Mapping[str, object]
"""A certificate as `ssl` tells it: `subject` and `subjectAltName` are nested pairs."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The subject and the alternative names of a client certificate."""

    common_name: str | None = None
    """None also when there are several: then nobody can say which of them is meant."""
    organizations: tuple[str, ...] = ()
    """The groups Kubernetes reads."""
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    """SPIFFE identities stand here."""
    serial: str = ""
    """In hexadecimal."""

    @classmethod
    def of(cls, certificate: PeerCertificate) -> Peer:
        """Read what `ssl` tells about a certificate that it has verified."""
        names = cast("Iterable[Iterable[tuple[str, str]]]", certificate.get("subject", ()))
        subject = [pair for group in names for pair in group]
        alternatives = list(
            cast("Iterable[tuple[str, str]]", certificate.get("subjectAltName", ()))
        )
        common_names = _of_kind("commonName", subject)
        return cls(
            common_name=common_names[0] if len(common_names) == 1 else None,
            organizations=_of_kind("organizationName", subject),
            dns_names=_of_kind("DNS", alternatives),
            ip_addresses=_of_kind("IP Address", alternatives),
            uris=_of_kind("URI", alternatives),
            serial=str(certificate.get("serialNumber", "")),
        )


def _of_kind(kind: str, pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(value for name, value in pairs if name == kind)
