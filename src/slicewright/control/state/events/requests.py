"""What callers ask for, and managers that measure: networks, devices, methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from slicewright.control.state.device import Device

LOCAL = "local"
"""Who asks where nobody needs a token."""


@dataclass(frozen=True)
class NetworkSet:
    """The network was replaced ``by`` somebody; the document is ``slicewright/network/v1``."""

    document: dict[str, Any]
    by: str = ""
    kind: Literal["network-set"] = "network-set"


@dataclass(frozen=True)
class DevicesAdmitted:
    """Requests were accepted: new devices, or new details of known ones.

    Attributes:
        devices: in the order of the request.
        key: Idempotency-Key of the caller, scoped to it, if one was given.
        request_digest: SHA-256 of the request's body, to recognise a key that is used for something else.
        source: ``api``, or ``manager`` for details that a slice manager measured.
        generation: number of an admission by the ``api``, greater than all before; 0 in logs before there were numbers.
        counters: device to the counter of the newest measurement that a ``manager`` has told of. There may be more of
            them than devices: what was measured need not be new.
        by: name of the caller; empty at the start, for managers, and in logs before callers were named.
        asked_s: when the orchestrator took the request, by its wall clock, s since 1970: keys expire. 0 without a key.
    """

    devices: tuple[Device, ...]
    key: str | None = None
    request_digest: str | None = None
    source: Literal["api", "manager"] = "api"
    generation: int = 0
    counters: Mapping[str, int] = field(default_factory=dict)
    by: str = ""
    asked_s: float = 0.0
    kind: Literal["devices-admitted"] = "devices-admitted"


@dataclass(frozen=True)
class DevicesRemoved:
    """Requests were withdrawn ``by`` a caller; by nobody where a measurement said that the device has departed."""

    devices: tuple[str, ...]
    by: str = ""
    kind: Literal["devices-removed"] = "devices-removed"


@dataclass(frozen=True)
class MethodChanged:
    """Another method decides from now on, or is tried on shadow traffic; ``reason`` says why, ``by`` who wanted it."""

    action: Literal["canary", "switch", "roll-back", "drop-canary"]
    method: str
    reason: str = ""
    by: str = ""
    kind: Literal["method-changed"] = "method-changed"
