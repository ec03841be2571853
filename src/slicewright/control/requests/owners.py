"""On whose behalf something happens: events name who asked, and devices belong to whoever made them.

A device that came with the start of a journal, or from a caller without a token, belongs to nobody: whoever may send
requests may change it. All others are changed by their owner and by administrators only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from slicewright.control.state.errors import ControlError
from slicewright.control.state.events import (
    DevicesAdmitted,
    DevicesRemoved,
    Event,
    MethodChanged,
    NetworkSet,
)
from slicewright.control.state.state import OrchestratorState

_ASKED = (DevicesAdmitted, DevicesRemoved, MethodChanged, NetworkSet)


class ForeignDeviceError(ControlError):
    """The device belongs to somebody else."""


def refuse_foreign(state: OrchestratorState, devices: Sequence[str], *, by: str, admin: bool) -> None:
    """Raise unless a caller may change all of these devices; those that do not exist are nobody's yet.

    Raises:
        ForeignDeviceError: names the first one that it may not change.
    """
    if admin:
        return
    for device in devices:
        if state.owners.get(device, by) != by:
            raise ForeignDeviceError(f"device {device!r} was asked for by somebody else")


def on_behalf(
    change: Callable[[OrchestratorState], tuple[Event, ...]],
    *,
    by: str,
    admin: bool = False,
    devices: Sequence[str] = (),
) -> Callable[[OrchestratorState], tuple[Event, ...]]:
    """A change that its caller is answerable for.

    Args:
        change: what is to happen.
        by: name of the caller, written into the events.
        admin: it may change everybody's devices.
        devices: ids of those that it changes.
    """

    def asked(state: OrchestratorState) -> tuple[Event, ...]:
        refuse_foreign(state, devices, by=by, admin=admin)
        return tuple(replace(e, by=by) if isinstance(e, _ASKED) else e for e in change(state))

    return asked
