"""Under which names grants, statuses, measurements and details travel."""

from __future__ import annotations

import hashlib

GRANT_KEYS, STATUS_KEYS, MEASUREMENT_KEYS, DETAILS_KEYS = "grant", "status", "measurement", "details"


def slice_key(kind: str, name: str) -> str:
    """Key of a slice's grant or status; any name becomes one that every transport accepts."""
    return f"{kind}.{name.encode().hex()}"


def measurement_key(device: str) -> str:
    """Key of a device's newest measurement."""
    return f"{MEASUREMENT_KEYS}.{hashlib.sha256(device.encode()).hexdigest()[:32]}"
