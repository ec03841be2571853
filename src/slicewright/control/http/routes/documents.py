"""Documents of our own formats in requests: the rules of the files, and no more of anything than a request may bring.

A file may say ``preset`` and numbers, and so ask for a network of any size in a few bytes. A request may not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from slicewright.control.state.network import Network
from slicewright.errors import InvalidScenarioError, InvalidTasksError, SlicewrightError

if TYPE_CHECKING:
    from slicewright.placement import Tasks

_UNREADABLE = (TypeError, ValueError, ArithmeticError, LookupError)
"""What a reader of files may stumble over that nobody has thought of: here it is the document's fault."""
MOST_HZ, MOST_METRES = 1e18, 1e9
_RADIO = {
    "exponent": (0.0, 10.0),
    "noise_dbm_hz": (-400.0, 100.0),
    "min_distance_m": (1e-3, 1e9),
    "reach_m": (1e-3, 1e12),
}
_ANY_PARAMETER = (-1e6, 1e6)
LONGEST_NAME = 128
"""As in requests of devices, which must be able to name every place."""
MOST_TASKS = 2000
_PRESET_SIZES = ("tasks", "access_points", "lower_coins", "upper_coins", "mecs")


def network_of(document: dict[str, Any]) -> Network:
    """The network of a request.

    Raises:
        InvalidScenarioError: what is wrong with it, and where.
    """
    if "preset" in document:
        raise InvalidScenarioError("preset", "is for files; spell the network out")
    try:
        with np.errstate(all="ignore"):  # what overflows is refused as not finite
            network = Network.from_document(document)
    except SlicewrightError:
        raise
    except _UNREADABLE as error:
        raise InvalidScenarioError("network", f"cannot be read: {error}") from None
    _check_names(network)
    _check_sizes(network)
    return network


def _check_names(network: Network) -> None:
    for field, names in (
        ("slices", network.slice_names),
        ("access_points.names", network.access_points),
        ("nodes.names", network.nodes),
    ):
        for index, name in enumerate(names):
            if not 0 < len(name) <= LONGEST_NAME:
                raise InvalidScenarioError(
                    field,
                    f"must have 1 to {LONGEST_NAME} characters",
                    index=(index,),
                    value=name[:LONGEST_NAME],
                )
            if not name.isprintable():
                raise InvalidScenarioError(
                    field, "must have no control characters", index=(index,), value=name
                )


def _check_sizes(network: Network) -> None:
    """Far beyond any real network; with the bounds of devices they keep every product of the model finite."""
    for field, values, most in (
        ("nodes.capacity_hz", network.node_capacity_hz, MOST_HZ),
        ("access_points.bandwidth_hz", network.bandwidth_hz, MOST_HZ),
        ("access_points.position_m", network.access_point_m, MOST_METRES),
        ("nodes.position_m", network.node_m, MOST_METRES),
    ):
        if values is not None and (abs(values) > most).any():
            raise InvalidScenarioError(field, f"must be at most {most:g}", value=float(abs(values).max()))
    for name, value in ({} if network.radio is None else network.radio.parameters).items():
        least, most = _RADIO.get(name, _ANY_PARAMETER)
        if not least <= float(value) <= most:
            raise InvalidScenarioError(f"radio.{name}", f"must be from {least:g} to {most:g}", value=value)


def tasks_of(document: dict[str, Any]) -> Tasks:
    """The tasks of a request.

    Raises:
        InvalidTasksError: what is wrong with them, and where.
    """
    from slicewright.placement import tasks_from_dict

    for field in _PRESET_SIZES:
        size = document.get(field)
        if isinstance(size, (int, float)) and size > MOST_TASKS:
            raise InvalidTasksError(field, f"must be at most {MOST_TASKS} in a request", value=size)
    try:
        with np.errstate(all="ignore"):
            tasks = tasks_from_dict(document)
    except SlicewrightError:
        raise
    except _UNREADABLE as error:
        raise InvalidTasksError("tasks", f"cannot be read: {error}") from None
    if tasks.n_tasks > MOST_TASKS:
        raise InvalidTasksError("tasks", f"must be at most {MOST_TASKS} in a request", value=tasks.n_tasks)
    return tasks
