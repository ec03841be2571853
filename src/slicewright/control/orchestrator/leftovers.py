"""What devices leave behind on the transport when they go, and who removes it: the leader, now and then."""

from __future__ import annotations

from collections.abc import Callable, Collection

from slicewright.control.messages.keys import MEASUREMENT_KEYS, measurement_key
from slicewright.control.transport.base import Transport


async def remove_measurements(transport: Transport, devices: Callable[[], Collection[str]]) -> int:
    """Remove the measurements of devices that are gone.

    Args:
        transport: where they are.
        devices: gives the ids that are known, asked after the keys were listed: whoever is admitted later than that
            is measured later, too, and a newer measurement is not removed.

    Returns:
        How many were removed.

    Raises:
        TransportError: not reachable; what is left is removed another time.
    """
    found = await transport.keys(MEASUREMENT_KEYS)
    known = {measurement_key(device) for device in devices()}
    gone = [key for key in found if key not in known]
    for key in gone:
        await transport.remove(key, found[key])
    return len(gone)
