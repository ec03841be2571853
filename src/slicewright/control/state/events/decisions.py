"""Decisions, whole and as what is different from the one before, and what follows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from slicewright.control.state.grants import Grant, Place, Seat
from slicewright.control.state.reasons import Reason
from slicewright.types import Queueing


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
