"""Certificates and NATS credentials made for one test run."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nkeys  # type: ignore[import-untyped]  # part of nats-py, without types
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """A certificate authority that nobody but its tests trusts.

    Args:
        folder: for its files.
        name: of the authority and of its files.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        basic = x509.BasicConstraints(ca=True, path_length=0)
        made = self._certificate(self._name, self._key.public_key(), basic)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(made)

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *extensions: x509.ExtensionType
    ) -> bytes:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)

    def sign(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of a server or client on this machine."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate, secret = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        certificate.write_bytes(self._certificate(subject, key.public_key(), here))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, secret


@dataclass(frozen=True)
class _Identity:
    """A key of NATS: operator, account or user."""

    seed: bytes
    public: str

    @classmethod
    def new(cls, prefix: int) -> _Identity:
        seed = nkeys.encode_seed(os.urandom(32), prefix)
        return cls(bytes(seed), nkeys.from_seed(seed).public_key.decode())

    def claim(self, subject: _Identity, name: str, nats: dict[str, Any]) -> str:
        """A token about a subject, signed by this identity."""
        body: dict[str, Any] = {
            "iat": int(datetime.now(UTC).timestamp()), "iss": self.public, "sub": subject.public, "name": name,
            "nats": {"version": 2, **nats},
        }  # fmt: skip
        body["jti"] = hashlib.sha256(json.dumps(body).encode()).hexdigest()
        parts = [_text(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, body)]
        signature = nkeys.from_seed(self.seed).sign(".".join(parts).encode())
        return ".".join((*parts, _text(signature)))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def nats_credentials(folder: Path, name: str) -> tuple[Path, str]:
    """A credentials file for one user, and the settings of a server that knows its operator."""
    kinds = (nkeys.PREFIX_BYTE_OPERATOR, *[nkeys.PREFIX_BYTE_ACCOUNT] * 2, nkeys.PREFIX_BYTE_USER)
    operator, system, account, user = (_Identity.new(kind) for kind in kinds)
    free = dict.fromkeys(("subs", "conn", "leaf", "imports", "exports", "data", "payload"), -1)
    stored = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)
    known = {
        account.public: operator.claim(account, "slices", _rules({**free, **stored})),
        system.public: operator.claim(system, "system", _rules(free)),
    }
    allowed = {"type": "user", "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1}
    file = folder / f"{name}.creds"
    file.write_text(
        f"-----BEGIN NATS USER JWT-----\n{account.claim(user, name, allowed)}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
    )
    preload = ", ".join(f"{public}: {token}" for public, token in known.items())
    settings = (
        f"operator: {operator.claim(operator, 'test', {'type': 'operator'})}\n"
        f"system_account: {system.public}\nresolver: MEMORY\nresolver_preload: {{ {preload} }}\n"
    )
    return file, settings


def _rules(limits: dict[str, int]) -> dict[str, Any]:
    whole = {"limits": {**limits, "wildcards": True}, "default_permissions": {"pub": {}, "sub": {}}}
    return {"type": "account", **whole}
