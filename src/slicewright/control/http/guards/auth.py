"""Who may do what: bearer tokens with scopes; without tokens, only this machine."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from starlette.datastructures import Headers

from slicewright.control.http.guards.tokens import Scope, Token, TokenFile, read_tokens
from slicewright.control.http.problems import Problem
from slicewright.control.state.events import LOCAL
from slicewright.loopback import LOOPBACK_NAMES, is_forwarded

__all__ = ["LOCAL_ONLY", "Access", "Caller", "Scope", "Token", "TokenFile", "read_tokens"]

_INCLUDES = {
    Scope.READ: {Scope.READ, Scope.REQUEST, Scope.ADMIN},
    Scope.REQUEST: {Scope.REQUEST, Scope.ADMIN},
    Scope.ADMIN: {Scope.ADMIN},
}


class Caller(NamedTuple):
    """Who asks.

    Attributes:
        name: of the token's owner, or ``local``.
        admin: may change what others have asked for.
        expires_s: seconds since 1970 from which on the token allows nothing.
    """

    name: str
    admin: bool
    expires_s: float | None = None


@dataclass(frozen=True)
class Access:
    """The rules of a server.

    Attributes:
        tokens: known ones, or what gives them; none means that only this machine is served, and that everything is
            allowed to it.
        now: seconds since 1970.
    """

    tokens: Sequence[Token] | TokenFile = ()
    now: Callable[[], float] = time.time

    def known(self) -> Sequence[Token]:
        """The tokens now."""
        return self.tokens() if isinstance(self.tokens, TokenFile) else self.tokens

    @property
    def open(self) -> bool:
        """Whether nobody needs a token. A file of tokens is never that, whatever becomes of it."""
        return not isinstance(self.tokens, TokenFile) and not self.tokens

    def token(self, headers: Headers) -> Token | None:
        """The valid token that comes with a request; None without one."""
        kind, _, secret = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        digest = hashlib.sha256(secret.strip().encode()).hexdigest()
        matching = [t for t in self.known() if hmac.compare_digest(t.sha256, digest)]
        if not matching or self._expired(matching[0]):
            return None
        return matching[0]

    def caller(self, headers: Headers, scope: Scope) -> Caller:
        """The caller if it may do this.

        Raises:
            Problem: 401 without a valid token, 403 with too few rights or from elsewhere.
        """
        if self.open:
            return _local_caller(headers)
        token = self.token(headers)
        if token is None:
            challenge = {"WWW-Authenticate": 'Bearer realm="slicewright"'}
            raise Problem(401, "unauthorized", "a valid bearer token is needed", headers=challenge)
        if not token.scopes & _INCLUDES[scope]:
            challenge = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
            raise Problem(403, "insufficient-scope", f"the token lacks the scope {scope}", headers=challenge)
        return Caller(token.name, Scope.ADMIN in token.scopes, token.expires_s)

    def still(self, headers: Headers, scope: Scope) -> bool:
        """Whether a caller that was let in before would be let in now; for answers that go on for long."""
        try:
            self.caller(headers, scope)
        except Problem:
            return False
        return True

    def _expired(self, token: Token) -> bool:
        return token.expires_s is not None and self.now() >= token.expires_s


def _local_caller(headers: Headers) -> Caller:
    """A browser on this machine may be tricked into calling us, and a proxy on it may let others in."""
    host = _host_name(headers.get("host") or "")
    if host not in LOOPBACK_NAMES:
        raise Problem(403, "loopback-only", "without tokens only this machine is served, under its own name")
    if is_forwarded(name.lower() for name in headers):
        raise Problem(403, "forwarded", "without tokens nobody is served through a proxy")
    origin = headers.get("origin")
    foreign = origin is not None and origin.split("://")[-1] != headers.get("host")
    if foreign or headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise Problem(403, "foreign-origin", "without tokens only pages of this server may call it")
    return Caller(LOCAL, admin=True)


def _host_name(host: str) -> str:
    """Without the port; ``[::1]`` keeps its brackets."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


LOCAL_ONLY = Access()
"""No tokens: this machine only."""
