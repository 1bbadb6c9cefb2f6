"""`make-certificates` makes what both sides of the decision port believe.

The files are used for a real TLS 1.3 handshake with both certificates checked, without a socket.
"""

from __future__ import annotations

import ssl
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from service_runtime.serve.peers import Peer
from tests.manifests.rendered import copied

if TYPE_CHECKING:
    from pathlib import Path

SERVICE = "synthscale-extender.synthscale-system.svc"


def made(manifests: Path) -> Path:
    """Where the script puts what it makes."""
    return manifests / "components" / "certificates-secrets" / "made"


def handshake(folder: Path, *, name: str = SERVICE, client: str | None = "scheduler") -> str:
    """Bring both sides together in memory; the client's common name as the server sees it."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(folder / "ca.crt")
    server.load_cert_chain(folder / "extender.crt", folder / "extender.key")
    asking = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    if client is not None:
        asking.load_cert_chain(folder / f"{client}.crt", folder / f"{client}.key")
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = asking.wrap_bio(back, there, server_hostname=name)
    far = server.wrap_bio(there, back, server_side=True)
    for side in (near, far, near, far):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    certificate = far.getpeercert()
    assert certificate is not None
    return Peer.of(certificate).common_name or ""


def test_both_sides_believe_each_other(manifests: Path) -> None:
    """The scheduler finds the Service's name, the extender finds a certificate of its authority."""
    assert handshake(made(manifests)) == "synthscale-scheduler"


def test_another_name_is_not_believed(manifests: Path) -> None:
    """The serving certificate is for the Service alone."""
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(made(manifests), name="other.synthscale-system.svc")


def test_who_shows_nothing_is_refused(manifests: Path) -> None:
    """Without a client certificate there is no connection."""
    with pytest.raises(ssl.SSLError):
        handshake(made(manifests), client=None)


def test_a_serving_certificate_is_no_clients(manifests: Path) -> None:
    """Whoever steals the extender's certificate may not ask another extender."""
    with pytest.raises(ssl.SSLError):
        handshake(made(manifests), client="extender")


def test_renewal_keeps_the_authority(tmp_path: Path) -> None:
    """Run again, it makes new certificates under the old authority, so that both sides go on."""
    manifests = copied(tmp_path)
    before = {path.name: path.read_bytes() for path in made(manifests).glob("*.crt")}
    script = made(manifests).parent / "make-certificates"
    subprocess.run([script], check=True, capture_output=True, timeout=60)
    after = {path.name: path.read_bytes() for path in made(manifests).glob("*.crt")}

    assert {"ca.crt"} == {name for name in before if before[name] == after[name]}
    assert handshake(made(manifests)) == "synthscale-scheduler"


def test_keys_are_for_the_owner_alone(manifests: Path) -> None:
    """Nobody else on the machine reads them, and nothing but keys and certificates is left."""
    files = list(made(manifests).iterdir())

    assert {path.suffix for path in files} == {".crt", ".key"}
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in files}


def test_certificates_say_what_they_are_for(manifests: Path) -> None:
    """No leaf may sign, and each serial is one of its own."""
    certificates = {
        name: x509.load_pem_x509_certificate((made(manifests) / f"{name}.crt").read_bytes())
        for name in ("ca", "extender", "scheduler")
    }
    signs = {
        name: one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        for name, one in certificates.items()
    }

    assert signs == {"ca": True, "extender": False, "scheduler": False}
    assert len({one.serial_number for one in certificates.values()}) == 3
