"""Our certificate, its key and the authorities we believe: read, judged, and made into contexts.

What cannot be served is named at once, with its file and what to do, since a handshake would only
say "alert 42". Each reading makes new contexts, because a loaded authority cannot be taken out of
an old one. This module must not decide when to read, and must never keep or print a key.
"""

from __future__ import annotations

import hashlib
import ssl
import sys
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from gpu_fleet.errors import CertificateUnusable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service_runtime.serve.settings import TlsSettings

__all__ = ["Credentials", "Trust", "read_credentials", "shown_chain"]

_ATTEMPTS: Final = 5
"""A mounted secret is swapped by one rename, so a second reading nearly always meets the whole."""

_WRITE_WHOLE: Final = "write certificate and key anew, both from one issue"


@dataclass(frozen=True, slots=True)
class Trust:
    """The authorities whose clients are believed."""

    anchors: tuple[x509.Certificate, ...] = ()

    def lacks_none_of(self, other: Trust) -> bool:
        """Whether whoever `other` believed is believed here too."""
        return set(other.anchors) <= set(self.anchors)

    def vouches_for(self, chain: Sequence[bytes], now: datetime) -> bool:
        """Whether a certificate that an earlier trust verified leads to an anchor of this one.

        `chain` is what the client showed, its own certificate first, as DER. Purpose and form
        were checked in the handshake and cannot have changed; who believes in it, and time, can.
        """
        if not chain:
            return False
        shown = [x509.load_der_x509_certificate(one) for one in chain]
        link, between = shown[0], shown[1:]
        while _is_current(link, now):
            if any(_is_current(one, now) and _issued(one, link) for one in self.anchors):
                return True
            issuer = next((one for one in between if _issued(one, link)), None)
            if issuer is None:
                return False
            between.remove(issuer)
            link = issuer
        return False


@dataclass(frozen=True, slots=True)
class Credentials:
    """One reading of the files, usable as it is."""

    fingerprint: bytes
    """Of all contents: two readings with one fingerprint are the same."""
    expires: datetime
    """When our own certificate ends."""
    serial: str
    trust: Trust
    mutual: ssl.SSLContext
    """Demands a client certificate."""
    open: ssl.SSLContext
    """Does not."""


@dataclass(frozen=True, slots=True)
class _Contents:
    certificate: bytes
    key: bytes
    authorities: bytes

    @property
    def fingerprint(self) -> bytes:
        parts = (self.certificate, self.key, self.authorities)
        return hashlib.sha256(b"".join(hashlib.sha256(one).digest() for one in parts)).digest()


def read_credentials(
    settings: TlsSettings, *, clients: bool, now: datetime, known: Credentials | None = None
) -> Credentials:
    """Read the files, or raise `CertificateUnusable`; returns `known` where nothing has changed.

    `clients` says whether any port demands client certificates, and so whether the authorities
    are read. Files that change while they are read are read again.
    """
    for _ in range(_ATTEMPTS):
        try:
            contents = _contents(settings, clients=clients)
            if known is not None and contents.fingerprint == known.fingerprint:
                return known
            made = _judge(settings, contents, clients=clients, now=now)
        except CertificateUnusable:
            if _is_settled(settings, clients=clients):
                raise
            continue
        # OpenSSL read the pair from the files, not from our contents: they must be the same still.
        if _contents(settings, clients=clients) == contents:
            return made
    raise CertificateUnusable(
        f"{settings.certificate_file}: certificate, key or authorities change faster than they "
        "can be read; write each new set by one rename"
    )


def shown_chain(connection: ssl.SSLObject) -> tuple[bytes, ...]:
    """What the client showed, its own certificate first, as DER.

    Before Python 3.13 only its own can be had: a client below an intermediate then has to connect
    anew when an authority goes, even if its own stays.
    """
    if sys.version_info >= (3, 13):
        return tuple(connection.get_unverified_chain())
    own = connection.getpeercert(binary_form=True)
    return () if own is None else (own,)


def _is_settled(settings: TlsSettings, *, clients: bool) -> bool:
    """Whether two readings agree: then what is wrong is wrong, and not just half written."""
    try:
        return _contents(settings, clients=clients) == _contents(settings, clients=clients)
    except CertificateUnusable:
        return True


def _contents(settings: TlsSettings, *, clients: bool) -> _Contents:
    return _Contents(
        _bytes_of(settings.certificate_file, "certificate"),
        _bytes_of(settings.key_file, "private key"),
        _bytes_of(settings.client_ca_file, "client authorities") if clients else b"",
    )


def _bytes_of(file: str, what: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise CertificateUnusable(
            f"{file}: the {what} cannot be read ({error.strerror}); "
            "mount the secret there, or set the path in `tls`"
        ) from error


def _judge(
    settings: TlsSettings, contents: _Contents, *, clients: bool, now: datetime
) -> Credentials:
    own = _own_certificate(settings.certificate_file, contents.certificate, now)
    _check_key(settings, contents.key, own)
    anchors = _anchors(settings.client_ca_file, contents.authorities, now) if clients else ()
    return Credentials(
        fingerprint=contents.fingerprint,
        expires=own.not_valid_after_utc,
        serial=f"{own.serial_number:X}",
        trust=Trust(anchors),
        mutual=_context(settings, anchors),
        open=_context(settings, ()),
    )


def _own_certificate(file: str, pem: bytes, now: datetime) -> x509.Certificate:
    try:
        own = x509.load_pem_x509_certificates(pem)[0]
        own.public_key()
    except (UnsupportedAlgorithm, ValueError) as error:
        raise CertificateUnusable(
            f"{file}: holds no PEM certificate that can be read; {_WRITE_WHOLE}"
        ) from error
    if own.not_valid_after_utc <= now:
        raise CertificateUnusable(
            f"{file}: the certificate ended {_when(own.not_valid_after_utc)}; have a new one "
            "issued, or find out why it was not renewed"
        )
    if own.not_valid_before_utc > now:
        raise CertificateUnusable(
            f"{file}: the certificate begins only {_when(own.not_valid_before_utc)}; "
            "compare the clocks of this node and of the issuer"
        )
    return own


def _check_key(settings: TlsSettings, pem: bytes, own: x509.Certificate) -> None:
    try:
        key = serialization.load_pem_private_key(pem, None)
    except TypeError as error:
        raise CertificateUnusable(
            f"{settings.key_file}: the private key is encrypted; store it without a passphrase"
        ) from error
    except Exception as error:  # cryptography raises classes of four kinds for a wrong key
        raise CertificateUnusable(
            f"{settings.key_file}: holds no PEM private key that can be read; {_WRITE_WHOLE}"
        ) from error
    if _public(key.public_key()) != _public(own.public_key()):
        raise CertificateUnusable(
            f"{settings.key_file}: the private key does not match the certificate in "
            f"{settings.certificate_file}; {_WRITE_WHOLE}"
        )


def _anchors(file: str, pem: bytes, now: datetime) -> tuple[x509.Certificate, ...]:
    remedy = "write the authorities' certificates there, one PEM block each"
    try:
        anchors = tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise CertificateUnusable(f"{file}: holds no PEM certificate; {remedy}") from error
    for anchor in anchors:
        if not _may_sign(anchor):
            raise CertificateUnusable(
                f"{file}: {anchor.subject.rfc4514_string()} is no authority; {remedy}"
            )
    if not any(_is_current(anchor, now) for anchor in anchors):
        last = max(anchor.not_valid_after_utc for anchor in anchors)
        raise CertificateUnusable(
            f"{file}: no authority in it is valid now, the last ended {_when(last)}; {remedy}"
        )
    return anchors


def _context(settings: TlsSettings, anchors: Sequence[x509.Certificate]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # A resumed session carries the identity of its first handshake past a change of authorities.
    context.num_tickets = 0
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(settings.certificate_file, settings.key_file, password="")
    except (OSError, ValueError) as error:  # an ssl.SSLError is an OSError
        raise CertificateUnusable(
            f"{settings.certificate_file}: OpenSSL cannot serve it with {settings.key_file} "
            f"({error}); {_WRITE_WHOLE}"
        ) from error
    if anchors:
        encoded = b"".join(one.public_bytes(serialization.Encoding.DER) for one in anchors)
        context.load_verify_locations(cadata=encoded)
        # As in Go: whatever the file names is an anchor, an intermediate authority too.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return True  # an authority of before these extensions; OpenSSL judges it in the handshake
    return constraints.value.ca


def _issued(issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    try:
        subject.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _is_current(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc


def _public(key: object) -> bytes:
    encode = getattr(key, "public_bytes")  # noqa: B009 - every kind of public key has it, no base
    encoded: bytes = encode(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


def _when(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
