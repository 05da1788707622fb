"""Two small authorities: who signs clients and the front end, and who signs the server's own nodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.local.private_files import write_private

A_LITTLE_EARLIER = timedelta(minutes=5)
AUTHORITY_LIVES = timedelta(days=3650)
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


@dataclass(frozen=True)
class Issued:
    certificate: str
    key: str


class Authority:
    """Made once: `folder` keeps its key, which nobody needs but who issues certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
        if not (key.exists() and certificate.exists()):
            made = ec.generate_private_key(ec.SECP256R1())
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} authority")])
            signed = _certificate(subject, made, subject, made, AUTHORITY_LIVES)
            signed = signed.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            write_private(certificate, _pem(signed.sign(made, SHA256())))
            write_private(key, private_pem(made))
        loaded = load_pem_private_key(key.read_bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        self._key, self.certificate = loaded, certificate.read_text()
        self._name = x509.load_pem_x509_certificate(self.certificate.encode()).subject

    def issue(
        self, name: str, usage: Sequence[x509.ObjectIdentifier], lives: timedelta, hosts: Sequence[str] = ()
    ) -> Issued:
        """`usage`: a client's certificate does not serve as the front end's, nor the other way round."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signed = _certificate(subject, key, self._name, self._key, lives)
        signed = signed.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        signed = signed.add_extension(x509.ExtendedKeyUsage(usage), critical=True)
        if hosts:
            signed = signed.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        return Issued(_pem(signed.sign(self._key, SHA256())), private_pem(key))


def private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    lives: timedelta,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - A_LITTLE_EARLIER)
        .not_valid_after(now + lives)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
