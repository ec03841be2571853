"""Who may do what: bearer tokens with scopes; without tokens, only this machine."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fastapi import Request

from slicewright.control.http.problems import Problem
from slicewright.errors import InvalidOptionError
from slicewright.files.documents import read_document
from slicewright.files.fields import FieldReader

_read = FieldReader(InvalidOptionError)
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]", "::1")


class Scope(StrEnum):
    """What a token allows; admin includes request, request includes read."""

    READ = "read"
    REQUEST = "request"
    ADMIN = "admin"


_INCLUDES = {
    Scope.READ: {Scope.READ, Scope.REQUEST, Scope.ADMIN},
    Scope.REQUEST: {Scope.REQUEST, Scope.ADMIN},
    Scope.ADMIN: {Scope.ADMIN},
}


@dataclass(frozen=True)
class Token:
    """A bearer token, known by its hash only.

    Attributes:
        name: of its owner, for logs and rate limits. sha256: hex digest of the secret. scopes: what it allows.
    """

    name: str
    sha256: str
    scopes: frozenset[Scope]


def read_tokens(path: str | Path) -> tuple[Token, ...]:
    """Read ``{tokens: [{name, token or sha256, scopes: [read, request, admin]}]}`` in YAML or JSON.

    Raises:
        InvalidOptionError: what is wrong, and where.
        FileNotFoundError: no such file.
    """
    document = read_document(path, InvalidOptionError)
    _read.only(document, ("tokens",), "")
    entries = _read.require(document, "tokens", "")
    if not isinstance(entries, list) or not entries:
        raise InvalidOptionError("tokens", "must be a list with at least one token", value=entries)
    return tuple(_token(item, f"tokens[{k}]") for k, item in enumerate(entries))


def _token(item: object, field: str) -> Token:
    entry = _read.mapping(item, field)
    _read.only(entry, ("name", "token", "sha256", "scopes"), field)
    if ("token" in entry) == ("sha256" in entry):
        raise InvalidOptionError(field, "must have either token or sha256")
    digest = str(entry.get("sha256") or hashlib.sha256(str(entry["token"]).encode()).hexdigest()).lower()
    if "token" in entry and len(str(entry["token"])) < 16:
        raise InvalidOptionError(
            f"{field}.token", "must have at least 16 characters", fix="openssl rand -hex 24"
        )
    if len(digest) != 64 or any(c not in "0123456789abcdef" for c in digest):
        raise InvalidOptionError(f"{field}.sha256", "must be 64 hexadecimal digits")
    scopes = _read.require(entry, "scopes", field)
    if not isinstance(scopes, list) or not scopes:
        raise InvalidOptionError(f"{field}.scopes", "must be a list", value=scopes)
    allowed = [_read.choice(s, f"{field}.scopes", [scope.value for scope in Scope]) for s in scopes]
    return Token(str(_read.require(entry, "name", field)), digest, frozenset(Scope(s) for s in allowed))


def is_loopback(host: str) -> bool:
    """Whether a bind address is reachable from this machine only."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Access:
    """The rules of a server.

    Attributes:
        tokens: none means that only this machine is served, and that everything is allowed to it.
    """

    tokens: Sequence[Token] = ()

    def caller(self, request: Request, scope: Scope) -> str:
        """Name of the caller if it may do this.

        Raises:
            Problem: 401 without a valid token, 403 with too few rights or from elsewhere.
        """
        if not self.tokens:
            return self._local_caller(request)
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        digest = hashlib.sha256(secret.strip().encode()).hexdigest()
        matching = [t for t in self.tokens if hmac.compare_digest(t.sha256, digest)]
        if kind.lower() != "bearer" or not matching:
            challenge = {"WWW-Authenticate": 'Bearer realm="slicewright"'}
            raise Problem(401, "unauthorized", "a valid bearer token is needed", headers=challenge)
        if not matching[0].scopes & _INCLUDES[scope]:
            challenge = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
            raise Problem(403, "insufficient-scope", f"the token lacks the scope {scope}", headers=challenge)
        return matching[0].name

    def _local_caller(self, request: Request) -> str:
        """A browser on this machine may be tricked into calling us: its pages must be our own."""
        host = (request.headers.get("host") or "").rsplit(":", 1)[0]
        if host not in LOOPBACK_NAMES:
            raise Problem(
                403, "loopback-only", "without tokens only this machine is served, under its own name"
            )
        origin = request.headers.get("origin")
        if origin is not None and origin.split("://")[-1] != request.headers.get("host"):
            raise Problem(403, "foreign-origin", "without tokens only pages of this server may call it")
        return "local"


LOCAL_ONLY = Access()
"""No tokens: this machine only."""
