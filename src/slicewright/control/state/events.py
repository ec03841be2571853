"""What can happen to an orchestrator. The journal is a list of these; its state is their fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from slicewright.control.state.city_events import CityBegan, CityChanged, CityProven
from slicewright.control.state.device import Device
from slicewright.control.state.grants import Grant, Place, Seat, Stage
from slicewright.control.state.reasons import Reason
from slicewright.types import Queueing

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
class Attempt:
    """One link of the fallback chain: who was asked, what came of it, and how long it took in s."""

    method: str
    result: Literal["used", "rejected", "late", "failed", "busy"]
    duration_s: float
    detail: str = ""


@dataclass(frozen=True)
class Decided:
    """A decision, with everything that is needed to make it again and to judge it.

    Attributes:
        epoch: number of the decision.
        method: the method whose answer was used; ``last-good`` for the end of the chain.
        rounds, seed, keep_ratio: its limits; no clock, so that it repeats bit for bit.
        pinned: slices that could not be changed.
        input_digest: SHA-256 of the situation.
        attempts: the path through the fallback chain.
        devices: ids in the order of the arrays below.
        places: device to place, for the offloaded ones.
        reasons: device to reason, for the local ones.
        changed: devices whose place is not that of the decision before.
        targets: slice to the grant that it is to end up with.
        requested_bandwidth: (A, N) omega. percent: (A, N) quantised. realised_bandwidth: (A, N) by whole blocks.
        radio_share, compute_share: (I,) phi.
        residuals: 13a..13g. cost_s: of the plan; None without devices.
        lower_bound_s, gap: in logs of the first release; since then they follow as :class:`Certified`.
        realised_cost_s: s, with the realised inter-slice shares; None if some device never completes.
        duration_s: s, from the situation to the decision.
    """

    epoch: int
    method: str
    rounds: int
    seed: int
    keep_ratio: float
    pinned: tuple[str, ...]
    input_digest: str
    attempts: tuple[Attempt, ...]
    devices: tuple[str, ...]
    places: Mapping[str, Place]
    reasons: Mapping[str, Reason]
    changed: tuple[str, ...]
    targets: Mapping[str, Grant]
    requested_bandwidth: tuple[tuple[float, ...], ...]
    percent: tuple[tuple[int, ...], ...]
    realised_bandwidth: tuple[tuple[float, ...], ...]
    radio_share: tuple[float, ...]
    compute_share: tuple[float, ...]
    residuals: Mapping[str, float]
    cost_s: float | None
    realised_cost_s: float | None
    lower_bound_s: float | None
    gap: float | None
    duration_s: float
    kind: Literal["decided"] = "decided"


@dataclass(frozen=True)
class NumberChanges:
    """What became of a mapping from names to numbers.

    Attributes:
        now: new numbers by name. gone: names that are no longer there.
        anew: nothing of before counts: the names are in another order.
    """

    now: Mapping[str, float] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    anew: bool = False


@dataclass(frozen=True)
class SeatChanges:
    """What became of the seats of a grant; they are in the order of the decision's devices.

    Attributes:
        now: new seats by device. gone: devices without one.
        anew: nothing of before counts, and the order is the one here.
    """

    now: Mapping[str, Seat] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    anew: bool = False


@dataclass(frozen=True)
class GrantChanges:
    """What became of a slice's target; None where it is as before.

    Attributes:
        epoch, revision, term, record, queueing, seats, bandwidth, others_hz, capacity_hz: see ``grants.Grant``.
    """

    epoch: int
    queueing: Queueing
    seats: SeatChanges | None = None
    bandwidth: NumberChanges | None = None
    others_hz: NumberChanges | None = None
    capacity_hz: NumberChanges | None = None
    revision: int = 0
    term: int = 0
    record: int = 0


@dataclass(frozen=True)
class RowChanges:
    """What became of a table: how many ``rows`` it has, and by their numbers those that are not as before."""

    rows: int
    now: Mapping[int, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class DecisionChanged:
    """A decision as what is different from the one before: with that one, all of :class:`Decided`.

    ``differences.recorded`` makes it, ``differences.whole_decision`` puts the two together.

    Attributes:
        epoch, method, rounds, seed, keep_ratio, pinned, input_digest, attempts, changed, residuals, cost_s,
            realised_cost_s, duration_s: as there. offloaded, local: how many devices are.
        devices: all of them if they are in another order; else None. gone, came: those who left, those at the end.
        targets: slice to what became of its target, for every slice that has one, in their order.
        reasons: device to its new reason. without_reason: devices that have none any more.
        requested_bandwidth, percent, realised_bandwidth: access points with other shares.
        shares: device to (radio share, compute share), where one of them is another; None if nobody has shares.
    """

    epoch: int
    method: str
    rounds: int
    seed: int
    keep_ratio: float
    pinned: tuple[str, ...]
    input_digest: str
    attempts: tuple[Attempt, ...]
    devices: tuple[str, ...] | None
    gone: tuple[str, ...]
    came: tuple[str, ...]
    targets: Mapping[str, GrantChanges]
    reasons: Mapping[str, Reason]
    without_reason: tuple[str, ...]
    changed: tuple[str, ...]
    requested_bandwidth: RowChanges
    percent: RowChanges
    realised_bandwidth: RowChanges
    shares: Mapping[str, tuple[float, float]] | None
    residuals: Mapping[str, float]
    cost_s: float | None
    realised_cost_s: float | None
    offloaded: int
    local: int
    duration_s: float
    kind: Literal["decision-changed"] = "decision-changed"


@dataclass(frozen=True)
class Certified:
    """The certificate of a decision: no plan costs less than ``lower_bound_s``; ``gap`` is cost / bound - 1.

    It follows its decision, also after others, and not every decision has one.
    """

    epoch: int
    lower_bound_s: float
    gap: float
    kind: Literal["certified"] = "certified"


@dataclass(frozen=True)
class Rebalanced:
    """SP2 alone, on what the managers report: new inter-slice shares, nobody moves.

    Attributes:
        roots: slice to access point to the reported sum of sqrt(T), sqrt(s).
    """

    roots: Mapping[str, Mapping[str, float]]
    kind: Literal["rebalanced"] = "rebalanced"


@dataclass(frozen=True)
class Sent:
    """A grant is about to be published: the target itself, or first the release."""

    slice: str
    revision: int
    stage: Stage
    kind: Literal["sent"] = "sent"


@dataclass(frozen=True)
class Acknowledged:
    """A manager applies this revision."""

    slice: str
    revision: int
    kind: Literal["acknowledged"] = "acknowledged"


@dataclass(frozen=True)
class Refused:
    """A manager does not apply this revision and keeps its last good one."""

    slice: str
    revision: int
    reason: str
    kind: Literal["refused"] = "refused"


@dataclass(frozen=True)
class SharesReported:
    """How a manager that shares by a learned model shared a grant (SP1); those of the closed form need no record.

    Attributes:
        slice, revision: the grant.
        rule: the model that was to be asked. path: whose answer is used. reason: why not the model's everywhere.
        cost_ratio: sum of the slice's times over that of the closed form.
        radio, compute: device to share.
        local: device to the reason why its seat is not used and it computes locally; ``home`` in the journal.
    """

    slice: str
    revision: int
    rule: str
    path: str
    reason: str
    cost_ratio: float
    radio: Mapping[str, float]
    compute: Mapping[str, float]
    local: Annotated[Mapping[str, Reason], Field(alias="home")]
    kind: Literal["shared"] = "shared"


@dataclass(frozen=True)
class MethodChanged:
    """Another method decides from now on, or is tried on shadow traffic; ``reason`` says why, ``by`` who wanted it."""

    action: Literal["canary", "switch", "roll-back", "drop-canary"]
    method: str
    reason: str = ""
    by: str = ""
    kind: Literal["method-changed"] = "method-changed"


@dataclass(frozen=True)
class TookOver:
    """Another orchestrator leads from here on; its append fences the one before.

    Attributes:
        instance: name of its process.
        term: written into its grants, and greater than any before, also of records that were lost; 0 in logs of before.
        fences: every manager is to confirm what it holds in this term before anybody is given more. The records behind
            grants that are still on their way may be lost, and who takes over cannot tell.
    """

    instance: str
    term: int = 0
    fences: bool = False
    kind: Literal["took-over"] = "took-over"


@dataclass(frozen=True)
class Checkpoint:
    """The whole state, so that a restart need not read everything before; see ``state.state.dump``."""

    state: dict[str, Any] = field(default_factory=dict)
    kind: Literal["checkpoint"] = "checkpoint"


@dataclass(frozen=True)
class Adopted:
    """A manager holds a grant that the journal knows nothing of: the records behind it are lost.

    It counts as held from here on, and what its seats tell of devices that were lost with the records counts, too.

    Attributes:
        grant: as the manager holds it.
        returned: devices that are known again from their seats, whole or with newer details.
        record: the newest record that the manager was told of; everything up to it once existed.
    """

    grant: Grant
    returned: tuple[str, ...] = ()
    record: int = 0
    kind: Literal["adopted"] = "adopted"


@dataclass(frozen=True)
class Restored:
    """The journal had lost its end, and an orchestrator that had read it wrote down what it knew.

    Attributes:
        state: the whole state, as in a checkpoint. lost: how many records were gone.
        newest: sequence of the last of them. hash: its hash.
    """

    state: dict[str, Any]
    lost: int
    newest: int
    hash: str
    kind: Literal["restored"] = "restored"


Event = (
    NetworkSet
    | DevicesAdmitted
    | DevicesRemoved
    | Decided
    | DecisionChanged
    | Certified
    | Rebalanced
    | Sent
    | Acknowledged
    | Refused
    | SharesReported
    | MethodChanged
    | TookOver
    | Checkpoint
    | Adopted
    | Restored
    | CityBegan
    | CityChanged
    | CityProven
)
EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
