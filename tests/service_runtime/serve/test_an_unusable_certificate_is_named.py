"""What is wrong with certificate files is said with the file and a remedy; nothing bad is served.

At the start it is an error. Later the old pair is served on, and an event and a metric say so.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization

from gpu_fleet.errors import CertificateUnusable, ServiceError
from tests.certificates import Authority, Issued
from tests.service_runtime.serve.chassis import Chassis

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Bad = tuple[bytes, bytes, bytes]
"""Certificate, key and authorities as they stand in the files."""


def lapsed(authority: Authority) -> Issued:
    """A certificate that ended yesterday."""
    return authority.issue("server", valid_from=datetime.now(UTC) - timedelta(days=2), valid_s=60)


def early(authority: Authority) -> Issued:
    """A certificate that begins tomorrow."""
    return authority.issue("server", valid_from=datetime.now(UTC) + timedelta(days=1))


def encrypted(issued: Issued) -> bytes:
    """Its key under a passphrase."""
    return serialization.load_pem_private_key(issued.key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


OURS = Authority("ours")
GOOD = OURS.issue("server")
CA = OURS.certificate
CASES: dict[str, tuple[Callable[[], Bad], str, str]] = {
    "no certificate": (lambda: (b"", GOOD.key, CA), "tls.crt", "holds no PEM certificate"),
    "garbage": (lambda: (b"\x00\xff" * 99, GOOD.key, CA), "tls.crt", "holds no PEM certificate"),
    "half a certificate": (
        lambda: (GOOD.certificate[:200], GOOD.key, CA),
        "tls.crt",
        "holds no PEM certificate",
    ),
    "expired": (lambda: (lapsed(OURS).certificate, GOOD.key, CA), "tls.crt", "ended "),
    "not yet valid": (lambda: (early(OURS).certificate, GOOD.key, CA), "tls.crt", "begins only "),
    "no key": (lambda: (GOOD.certificate, b"", CA), "tls.key", "holds no PEM private key"),
    "garbled key": (
        lambda: (GOOD.certificate, GOOD.key.replace(b"\nM", b"\nX", 1), CA),
        "tls.key",
        "holds no PEM private key",
    ),
    "encrypted key": (lambda: (GOOD.certificate, encrypted(GOOD), CA), "tls.key", "is encrypted"),
    "another's key": (
        lambda: (GOOD.certificate, OURS.issue("other").key, CA),
        "tls.key",
        "does not match the certificate",
    ),
    "no authority": (lambda: (GOOD.certificate, GOOD.key, b""), "ca.crt", "holds no PEM"),
    "no real authority": (
        lambda: (GOOD.certificate, GOOD.key, GOOD.certificate),
        "ca.crt",
        "is no authority",
    ),
}
TABLE = pytest.mark.parametrize(("make", "file", "problem"), CASES.values(), ids=CASES.keys())


@TABLE
async def test_a_service_does_not_start_with_it(
    tmp_path: Path, make: Callable[[], Bad], file: str, problem: str
) -> None:
    """The error names the file, what is wrong and what to do; no port is taken."""
    chassis = Chassis(tmp_path)
    chassis.secret.write_bytes(*make())
    with pytest.raises(CertificateUnusable) as told:
        await chassis.make().run(lambda: None)
    text = str(told.value)

    assert text.startswith(f"{chassis.secret.folder / file}: ")
    assert problem in text
    assert "; " in text


@TABLE
async def test_a_running_service_serves_on_with_what_it_has(
    tmp_path: Path, make: Callable[[], Bad], file: str, problem: str
) -> None:
    """Old and new connections are answered, one event and one count say what happened."""
    chassis = Chassis(tmp_path)
    async with chassis.running(), chassis.client() as kept:
        await kept.ask("POST", "/echo", b"before")
        chassis.secret.write_bytes(*make())
        for _ in range(3):
            await chassis.rotation.look()
        old = await kept.ask("POST", "/echo", b"after")
        new = await chassis.ask("decision", "POST", "/echo")
        told = chassis.log.named("certificate_refused")
        counted = chassis.metrics.value(
            "synthscale_serve_certificate_reloads_total", result="refused"
        )

    assert (old.status, new.status) == (200, 200)
    assert [one.level for one in told] == ["error"]
    assert file in str(told[0].fields["problem"])
    assert problem in str(told[0].fields["problem"])
    assert counted == 1


@pytest.mark.parametrize("name", ["tls.crt", "tls.key", "ca.crt"])
async def test_a_missing_file_is_named_with_where_to_set_it(tmp_path: Path, name: str) -> None:
    """It may be a typing error in the settings as well as a secret that is not mounted."""
    chassis = Chassis(tmp_path)
    (chassis.secret.folder / name).unlink()
    with pytest.raises(CertificateUnusable, match=r"cannot be read \(No such file.*set the path"):
        await chassis.make().run(lambda: None)


async def test_a_good_pair_after_a_bad_one_is_served(tmp_path: Path) -> None:
    """A refusal is no end: the next good version is taken, and the expiry metric follows."""
    chassis = Chassis(tmp_path)
    async with chassis.running():
        chassis.secret.write_bytes(b"garbage", b"garbage", b"garbage")
        await chassis.rotation.look()
        fresh = chassis.authority.issue("server", valid_s=1_000)
        chassis.secret.write(fresh, [chassis.authority])
        await chassis.rotation.look()
        expiry_s = chassis.metrics.value("synthscale_serve_certificate_expiry_timestamp_seconds")

    assert fresh.serial == int(chassis.rotation.current.serial, 16)
    assert expiry_s == chassis.rotation.current.expires.timestamp()


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """The other way a start can fail: somebody else listens there."""
    (tmp_path / "second").mkdir()
    chassis = Chassis(tmp_path)
    async with chassis.running():
        second = Chassis(tmp_path / "second", decision_port=chassis.port())
        with pytest.raises(ServiceError, match=r"decision: cannot listen on 127.0.0.1:\d+ \(Addr"):
            await second.make().run(lambda: None)
