"""Rules about how kube-scheduler reaches the extender and whom it believes.

The client behind an extender verifies nothing unless it is told an authority, and says so to
nobody. These rules must not open a connection or read a certificate: paths are those of the
machine kube-scheduler runs on.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from scheduler_extender.scheduler_config.durations import seconds
from scheduler_extender.scheduler_config.finding import Rule, Severity, Trap
from scheduler_extender.scheduler_config.rules.places import extenders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler_extender.scheduler_config.document import Extender
    from scheduler_extender.scheduler_config.finding import Subject

__all__ = ["RULES"]

_FOLDER = "/etc/kubernetes/synthscale"
_DEFAULT_TIMEOUT_S = 5.0
_LEAST_TIMEOUT_S = 0.1
"""A handshake after a takeover and the first pod of a shape take tens of milliseconds."""
_MOST_TIMEOUT_S = 2.0
"""kube-scheduler places one pod at a time: a hanging extender holds all others this long, twice."""
_CA = f"caFile: {_FOLDER}/ca.crt"
_CLIENT = f"certFile: {_FOLDER}/tls.crt\nkeyFile: {_FOLDER}/tls.key"


def url_prefix(subject: Subject) -> Iterator[Trap]:
    """Something that is not the beginning of an HTTP address."""
    for where, extender in extenders(subject):
        url = _split(extender)
        if url is None or url.scheme not in {"http", "https"} or not url.hostname:
            detail = f"{extender.url_prefix!r} has no scheme and host."
        elif url.query or url.fragment:
            detail = (
                f"{extender.url_prefix!r} has a query or fragment, and the verb goes behind it."
            )
        else:
            continue
        line = "urlPrefix: https://synthscale-extender.synthscale-system.svc:8443/scorer"
        yield Trap(f"{where}.urlPrefix", line, detail)


def plain_http(subject: Subject) -> Iterator[Trap]:
    """Pods sent in clear text to another machine."""
    for where, extender in extenders(subject):
        url = _split(extender)
        if url is None or url.scheme != "http" or _is_loopback(url):
            continue
        detail = ""
        if extender.enable_https:
            detail = "enableHTTPS does not help: the scheme in urlPrefix decides."
        https = extender.url_prefix.replace("http://", "https://", 1)
        yield Trap(f"{where}.urlPrefix", f"urlPrefix: {https}\nenableHTTPS: true", detail)


def https_not_enabled(subject: Subject) -> Iterator[Trap]:
    """https:// in the address, but the switch is off."""
    for where, extender in extenders(subject):
        url = _split(extender)
        if url is not None and url.scheme == "https" and not extender.enable_https:
            yield Trap(f"{where}.enableHTTPS", "enableHTTPS: true")


def unverified_tls(subject: Subject) -> Iterator[Trap]:
    """TLS without an authority."""
    for where, extender in extenders(subject):
        if extender.enable_https and not extender.tls.names_an_authority:
            yield Trap(f"{where}.tlsConfig", f"tlsConfig:\n  {_CA}")


def insecure_tls(subject: Subject) -> Iterator[Trap]:
    """TLS whose verification was switched off by hand."""
    for where, extender in extenders(subject):
        if extender.tls.insecure:
            detail = ""
            if extender.tls.names_an_authority:
                detail = "Beside an authority kube-scheduler does not even start."
            yield Trap(f"{where}.tlsConfig.insecure", f"insecure: false\n{_CA}", detail)


def no_client_certificate(subject: Subject) -> Iterator[Trap]:
    """A kube-scheduler that cannot say who it is."""
    for where, extender in extenders(subject):
        tls = extender.tls
        has_certificate = bool(tls.cert_file or tls.cert_data)
        has_key = bool(tls.key_file or tls.key_data)
        if _is_https(extender) and not (has_certificate and has_key):
            detail = ""
            if has_certificate != has_key:
                detail = "A certificate without its key (or the reverse) is not shown, in silence."
            yield Trap(f"{where}.tlsConfig", _CLIENT, detail)


def inline_certificates(subject: Subject) -> Iterator[Trap]:
    """Certificates written into the file."""
    for where, extender in extenders(subject):
        tls = extender.tls
        for name, data in (("ca", tls.ca_data), ("cert", tls.cert_data), ("key", tls.key_data)):
            if data:
                file = {"ca": "ca.crt", "cert": "tls.crt", "key": "tls.key"}[name]
                line = f"{name}File: {_FOLDER}/{file}"
                yield Trap(f"{where}.tlsConfig.{name}Data", line)


def address_without_name(subject: Subject) -> Iterator[Trap]:
    """A numeric address, which certificates seldom carry."""
    for where, extender in extenders(subject):
        url = _split(extender)
        numeric = url is not None and _address(url) is not None and not _is_loopback(url)
        if numeric and extender.tls.names_an_authority and not extender.tls.server_name:
            line = "serverName: synthscale-extender.synthscale-system.svc"
            yield Trap(f"{where}.tlsConfig.serverName", line)


def timeout(subject: Subject) -> Iterator[Trap]:
    """No limit of one's own, or one that is too long or too short."""
    for where, extender in extenders(subject):
        text = extender.http_timeout
        limit_s = seconds(text) if text else _DEFAULT_TIMEOUT_S
        if limit_s == 0:
            limit_s = _DEFAULT_TIMEOUT_S
        if limit_s is None or limit_s < 0 or _LEAST_TIMEOUT_S <= limit_s <= _MOST_TIMEOUT_S:
            continue
        if limit_s < _LEAST_TIMEOUT_S:
            detail = f"{text} cuts off a handshake or the first pod of a shape."
        elif not text or text == "0":
            detail = "Without httpTimeout it is 5 s."
        else:
            detail = f"{text} is how long every pod waits behind one that hangs, at each call."
        yield Trap(f"{where}.httpTimeout", "httpTimeout: 500ms", detail)


def unreadable_timeout(subject: Subject) -> Iterator[Trap]:
    """A duration that Go does not read, or a negative one."""
    for where, extender in extenders(subject):
        limit_s = seconds(extender.http_timeout) if extender.http_timeout else 0.0
        if limit_s is None or limit_s < 0:
            yield Trap(f"{where}.httpTimeout", "httpTimeout: 500ms")


def _split(extender: Extender) -> SplitResult | None:
    try:
        url = urlsplit(extender.url_prefix)
        _ = url.port
    except ValueError:
        return None
    return url


def _is_https(extender: Extender) -> bool:
    url = _split(extender)
    return url is not None and url.scheme == "https"


def _address(url: SplitResult) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(url.hostname or "")
    except ValueError:
        return None


def _is_loopback(url: SplitResult) -> bool:
    address = _address(url)
    return url.hostname == "localhost" or (address is not None and address.is_loopback)


RULES = (
    Rule(
        "url-prefix",
        Severity.ERROR,
        "An address that cannot be called",
        "Kubernetes does not check it: every call fails at run time, and a failed prioritize is "
        "logged at verbosity 5 only.",
        url_prefix,
    ),
    Rule(
        "plain-http",
        Severity.ERROR,
        "Pods in clear text",
        "A filter or prioritize call carries the whole pod, environment included, and anybody on "
        "the way may read it and answer.",
        plain_http,
    ),
    Rule(
        "https-not-enabled",
        Severity.WARNING,
        "https:// without enableHTTPS",
        "Go speaks TLS because of the scheme, but without an authority it then trusts the system's "
        "roots, which did not sign the extender's certificate.",
        https_not_enabled,
    ),
    Rule(
        "unverified-tls",
        Severity.ERROR,
        "TLS that verifies nothing",
        "With enableHTTPS and no caFile, kube-scheduler sets InsecureSkipVerify by itself and "
        "without a word: whoever answers at that address places the pods.",
        unverified_tls,
    ),
    Rule(
        "insecure-tls",
        Severity.ERROR,
        "TLS verification switched off",
        "Whoever answers at that address places the pods.",
        insecure_tls,
    ),
    Rule(
        "no-client-certificate",
        Severity.ERROR,
        "No client certificate",
        "Our decision port answers only who shows a certificate of its authority, so every call "
        "would be refused: pods of a guard wait, a scorer is silently without effect.",
        no_client_certificate,
    ),
    Rule(
        "inline-certificates",
        Severity.WARNING,
        "Certificates inside the file",
        "Data wins over files and is read once, so a renewed certificate needs a new file and a "
        "restart; certFile and keyFile are read again when they change.",
        inline_certificates,
    ),
    Rule(
        "address-without-name",
        Severity.WARNING,
        "A numeric address without serverName",
        "The certificate is then checked against the address, which it seldom carries; "
        "serverName says which name it must carry.",
        address_without_name,
    ),
    Rule(
        "timeout",
        Severity.WARNING,
        "A time limit that does not fit",
        "Pods are placed one at a time: a filter that runs out of time fails its pod, a prioritize "
        "that does is dropped without a message.",
        timeout,
    ),
    Rule(
        "unreadable-timeout",
        Severity.ERROR,
        "A time limit that is no duration",
        "kube-scheduler reads Go durations such as 500ms; it does not start with anything else, "
        "and with a negative one every call has failed before it begins.",
        unreadable_timeout,
    ),
)
