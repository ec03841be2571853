"""Who is at the other end of a connection, this machine or somebody else: one rule for every HTTP interface."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]", "::1")
_FORWARDING = frozenset(
    (
        "forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "cf-connecting-ip",
        "fly-client-ip", "x-original-host", "x-envoy-external-address",
    )
)  # fmt: skip
"""Headers by which proxies say for whom they ask."""


def is_loopback(host: str) -> bool:
    """Whether a bind address is reachable from this machine only."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_forwarded(names: Iterable[str]) -> bool:
    """Whether some of a request's headers, by their names in small letters, say that it came through a proxy."""
    return any(name in _FORWARDING or name.startswith("x-forwarded") for name in names)


@lru_cache(4096)
def client_network(host: str) -> str:
    """The address that counts: of IPv6 the network, since a client has as many addresses in it as it likes."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host
