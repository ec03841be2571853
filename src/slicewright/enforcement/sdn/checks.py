"""Who is served, and what of: the checks of every request before it is looked at. Pure but for a clock.

Whoever can send a request here moves traffic. A browser on this machine may be tricked into sending one, a proxy on it
may let others in, and a client that is broken may ask for ever.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from slicewright.loopback import LOOPBACK_NAMES, client_network, is_forwarded

MOST_BYTES = 1 << 20
MOST_CLIENTS = 10_000
_HOLDER = "holder of the token"
_WITH_BODY = ("POST", "PUT", "PATCH")


class RefusedError(Exception):
    """A request that goes no further, with the status and the sentence of its answer."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


@dataclass
class Checks:
    """The rules of a server.

    Attributes:
        token_sha256: hex digest of the bearer token that every request must bring; None serves this machine only, under
            its own name and to no pages of others.
        rate_hz, burst: requests per second and client, and how many at once. Who brings the token is one client
            wherever he is, and nobody who makes one up at the same address takes anything of his.
        now: s, a clock that never goes back.
    """

    token_sha256: str | None = None
    rate_hz: float = 100.0
    burst: int = 200
    now: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict, init=False)

    def check(self, method: str, headers: Mapping[str, Sequence[str]], client: str) -> int:
        """The length of the body that is to be read.

        Args:
            method: of the request. headers: values by lower-case name. client: address.

        Raises:
            RefusedError: the request is refused.
        """
        known = self._brings_token(headers)
        self._check_rate(_HOLDER if known else client_network(client))
        self._check_origin(headers)
        if self.token_sha256 is not None and not known:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "a valid bearer token is needed")
        return _length(method, headers)

    def _check_rate(self, client: str) -> None:
        now = self.now()
        level, since = self._buckets.pop(client, (float(self.burst), now))
        level = min(float(self.burst), level + (now - since) * self.rate_hz)
        self._buckets[client] = (level - 1.0 if level >= 1.0 else level, now)
        if len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        if level < 1.0:
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, "slow down")

    def _check_origin(self, headers: Mapping[str, Sequence[str]]) -> None:
        hosts = headers.get("host", ())
        if len(hosts) != 1:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "a request names its host once")
        if self.token_sha256 is None:
            if _without_port(hosts[0]) not in LOOPBACK_NAMES:
                raise RefusedError(
                    HTTPStatus.FORBIDDEN, "without a token only this machine is served, under its own name"
                )
            if is_forwarded(headers):
                raise RefusedError(HTTPStatus.FORBIDDEN, "without a token nobody is served through a proxy")
        foreign = any(origin.split("://")[-1] != hosts[0] for origin in headers.get("origin", ()))
        sites = headers.get("sec-fetch-site", ())
        if foreign or any(site not in ("same-origin", "none") for site in sites):
            raise RefusedError(HTTPStatus.FORBIDDEN, "pages of other servers may not call this one")

    def _brings_token(self, headers: Mapping[str, Sequence[str]]) -> bool:
        if self.token_sha256 is None:
            return False
        kind, _, secret = (*headers.get("authorization", ()), "")[0].partition(" ")
        digest = hashlib.sha256(secret.strip().encode("utf-8", "surrogateescape")).hexdigest()
        return kind.lower() == "bearer" and hmac.compare_digest(digest, self.token_sha256)


def _length(method: str, headers: Mapping[str, Sequence[str]]) -> int:
    if "transfer-encoding" in headers:
        raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "say how long the body is")
    lengths = headers.get("content-length", ("0",))
    text = lengths[0].strip()
    if len(lengths) != 1 or not (text.isascii() and text.isdigit()):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the length of the body is no number")
    if len(text) > 15 or int(text) > MOST_BYTES:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body is at most {MOST_BYTES} bytes")
    media = (*headers.get("content-type", ()), "")[0].split(";")[0].strip().lower()
    if (int(text) or method in _WITH_BODY) and method != "GET" and media != "application/json":
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")
    return int(text)


def _without_port(host: str) -> str:
    """``[::1]`` keeps its brackets."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host
