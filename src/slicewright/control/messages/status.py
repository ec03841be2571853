"""What a slice manager tells the orchestrator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field, TypeAdapter

from slicewright.control.messages.measurement import Measurement, measured_seat
from slicewright.control.messages.sharing import Sharing
from slicewright.control.state.grants import Grant
from slicewright.control.state.reasons import Reason


@dataclass(frozen=True)
class Status:
    """What a manager tells the orchestrator; each one replaces the one before.

    Attributes:
        slice, instance: who speaks.
        generation: rises with every change of shares.
        applied: revision that it applies.
        refused: newest revision that it did not accept, with the reason; None when it accepted the newest.
        held: the grant it applies, so that a successor can go on from it.
        radio, compute: device to share as used now.
        local: device to the reason why its seat is not used and it computes locally; ``home`` in the message.
        roots: access point to the sum of sqrt(T_ia), sqrt(s): what SP2 needs.
        measured: newest measurement of each device of the slice.
        rule: how it is to share (SP1). sharing: how it did.
        refused_term: of the refused revision.
        life, beat: start of the process in ms since 1970, and how many statuses it had sent before; whatever happens to
            the transport, of two statuses the one with the greater pair is the newer. 0 from managers of before.
    """

    slice: str
    instance: str
    generation: int
    applied: int
    refused: int | None
    reason: str
    held: Grant
    radio: Mapping[str, float]
    compute: Mapping[str, float]
    local: Annotated[Mapping[str, Reason], Field(alias="home")]
    roots: Mapping[str, float]
    measured: Mapping[str, Measurement]
    rule: str
    sharing: Sharing = field(default_factory=Sharing)
    refused_term: int = 0
    life: int = 0
    beat: int = 0

    @property
    def as_granted(self) -> bool:
        """Whether the shares are for the details in the grant, not for newer measurements."""
        return all(
            device in self.held.seats
            and not newest.departed
            and measured_seat(self.held.seats[device], newest) == self.held.seats[device]
            for device, newest in self.measured.items()
        )


STATUS: TypeAdapter[Status] = TypeAdapter(Status)
