"""How a Ray cluster is joined: one way for whatever runs on it."""

from __future__ import annotations

import os
import socket
from typing import Any
from urllib.parse import urlsplit

from slicewright.errors import InvalidOptionError, WorkerError

PATIENCE_S = 5.0
"""An address that takes no connection for so long is none of a cluster. Ray itself would ask for minutes."""


def join(ray: Any, address: str | None) -> bool:
    """Join a cluster, unless one is joined already.

    Args:
        ray: the module, which is an optional dependency.
        address: ``HOST:PORT``, ``ray://HOST:PORT``, ``auto`` (the cluster of this machine) or ``local``; by default
            what the environment says (``RAY_ADDRESS``), else a local cluster for this process.

    Returns:
        Whether it was joined here, and is to be left by who called.

    Raises:
        InvalidOptionError: the address is none.
        WorkerError: no cluster answers there.
    """
    if ray.is_initialized():
        return False
    named = address or os.environ.get("RAY_ADDRESS") or "local"
    if named not in ("auto", "local"):
        _answers(named)
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False, include_dashboard=False)
    except (ConnectionError, TimeoutError) as error:
        raise WorkerError(f"no Ray cluster answers at {named}: {' '.join(str(error).split())}") from error
    return True


def _answers(address: str) -> None:
    """That somebody takes a connection at an address."""
    scheme, _, rest = address.rpartition("://")
    if scheme not in ("", "ray"):
        return  # of a provider; Ray knows it, or says that it does not
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port:
        rule = "must be HOST:PORT, ray://HOST:PORT, auto or local"
        raise InvalidOptionError("address", rule, value=address)
    try:
        socket.create_connection((host, port), timeout=PATIENCE_S).close()
    except OSError as error:
        raise WorkerError(f"no Ray cluster answers at {address}: {error.strerror or error}") from None
