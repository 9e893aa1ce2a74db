"""A certificate authority for an afternoon."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)


class Authority:
    """Signs certificates of a broker on this machine; writes ``ca.pem``, ``server.pem``, ``server.key``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        basic = x509.BasicConstraints(ca=True, path_length=0)
        (folder / "ca.pem").write_bytes(self._signed(self._name, self._key, 3650, basic, critical=True))

    def issue(self, days: float) -> None:
        """Write a certificate for localhost that is good for so many days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        names = x509.SubjectAlternativeName([x509.DNSName("localhost"), address])
        (self._folder / "server.pem").write_bytes(self._signed(subject, key, days, names, critical=False))
        (self._folder / "server.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        days: float,
        extension: x509.ExtensionType,
        *,
        critical: bool,
    ) -> bytes:
        now = dt.datetime.now(dt.UTC)
        made = x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
        made = made.not_valid_before(now - 20 * DAY).not_valid_after(now + days * DAY)
        made = made.add_extension(extension, critical=critical)
        return made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
