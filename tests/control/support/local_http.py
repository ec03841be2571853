"""Calls of servers on this machine."""

from __future__ import annotations

from functools import cache

import httpx

from tests.waiting import PATIENCE_S


@cache
def local_http() -> httpx.Client:
    """One client for all of them, safe to use from several threads; every call is a connection of its own.

    ``httpx.get`` makes a client each time, which loads every certificate authority of the world: more work than the
    answer itself, many times a second for whoever waits for a server. Connections are not kept, since servers here are
    killed, and others may get their ports.
    """
    return httpx.Client(
        verify=False, trust_env=False, timeout=PATIENCE_S, limits=httpx.Limits(max_keepalive_connections=0)
    )
