"""Make a throw-away certificate authority, a broker's certificate and some clients', to try the configuration.

Usage: python deploy/mosquitto/make_test_ca.py FOLDER CLIENT...   (CLIENT: "portal" or a gateway's identity)

For trying only: the authority's key lies beside its certificate, and everything expires within a week. On a real
gateway the key is made on the gateway and never leaves it; only a signing request does.
"""

from __future__ import annotations

import ipaddress
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=7)


def name(common_name: str) -> x509.Name:
    """A name of nothing but a common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def write(folder: Path, stem: str, key: EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    """Write `stem`.crt and `stem`.key, the key for its owner only."""
    (folder / f"{stem}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    file = folder / f"{stem}.key"
    file.touch(mode=0o600)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def builder(subject: str, issuer: x509.Name, key: EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    """What all certificates here have in common."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
    )


class Authority:
    """A certificate authority of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = generate_private_key(SECP256R1())
        self._name = name("dergate test authority")
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        self._certificate = (
            builder("dergate test authority", self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        write(folder, "ca", self._key, self._certificate)

    def issue(self, common_name: str, *, server: bool = False) -> None:
        """Write a certificate and its key."""
        key = generate_private_key(SECP256R1())
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        draft = (
            builder(common_name, self._name, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(issuer_key, critical=False)
        )
        if server:
            loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            names = x509.SubjectAlternativeName([x509.DNSName("localhost"), loopback])
            draft = draft.add_extension(names, critical=False)
        write(self._folder, common_name, key, draft.sign(self._key, hashes.SHA256()))


def main() -> int:
    """Make what the arguments ask for."""
    if len(sys.argv) < 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority(folder)
    authority.issue("broker", server=True)
    for client in sys.argv[2:]:
        authority.issue(client)
    return 0


if __name__ == "__main__":
    sys.exit(main())
