"""What a turn of the orchestrator wants done once its events are in the journal: values, carried out by the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slicewright.control.decision.settlement import Settlement
from slicewright.control.messages.details import Details
from slicewright.control.state.device import Device
from slicewright.control.state.grants import Grant
from slicewright.control.state.network import Network
from slicewright.control.state.situation import Situation
from slicewright.slicing.plan import Plan


@dataclass(frozen=True)
class AnswerRequest:
    """Tell whoever waits for a request that it has happened."""

    request: int


@dataclass(frozen=True)
class RefuseRequest:
    """Tell whoever waits for a request why it does not happen; nothing of it is in the journal."""

    request: int
    error: Exception


@dataclass(frozen=True, eq=False)
class Certify:
    """Work out lower bound and gap of the decision that has just been recorded; no plan, nothing to do."""

    epoch: int
    plan: Plan | None


@dataclass(frozen=True, eq=False)
class Shadow:
    """Show the situation to the method on trial, to be compared with what was decided."""

    situation: Situation
    method: str
    used: Settlement


@dataclass(frozen=True)
class Inform:
    """Send a manager that shares by a learned model what it needs to know (SP1).

    Attributes:
        slice: name. details: of the requests as it sees them.
        basis: what they were made from, to be remembered once they are sent.
    """

    slice: str
    details: Details
    basis: Basis


@dataclass(frozen=True, eq=False)
class Basis:
    """Network and requests that details were made from; the same only if they are the very same objects."""

    network: Network
    devices: Mapping[str, Device]

    def __eq__(self, other: object) -> bool:
        """By identity: states are never changed in place, so an unchanged part is the same object."""
        return isinstance(other, Basis) and other.network is self.network and other.devices is self.devices

    def __hash__(self) -> int:
        """In step with equality."""
        return hash((id(self.network), id(self.devices)))


@dataclass(frozen=True)
class Publish:
    """Put a grant where its slice's manager watches.

    Attributes:
        grant: the newest of the slice.
        again: it was put there before, and the manager seems not to have seen it.
    """

    grant: Grant
    again: bool = False


Instruction = AnswerRequest | RefuseRequest | Certify | Shadow | Inform | Publish
