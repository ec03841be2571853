"""Grants: what the orchestrator lets a slice use, and when one may be handed out.

Managers apply grants at their own pace, may be away, and a message may arrive late. So a slice is always taken to
hold everything it may possibly hold (its envelope), and a grant is sent only when it fits beside the envelopes of
all other slices. Where a slice must first give something back it is sent the *release*: what its old and its new
grant have in common. A release always fits, and once every slice holds its release every new grant fits. Whatever
the order of messages, no access point is given away twice, no queue exceeds what another slice counts on, and no
device is served by two slices.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from pydantic import TypeAdapter

from slicewright.control.state.device import Life
from slicewright.types import Queueing

SLACK = 1e-9
"""Sums of shares and arrivals taken in another order may differ by this much."""


@dataclass(frozen=True)
class Place:
    """Where an offloaded device goes, by name."""

    access_point: str
    node: str
    slice: str


@dataclass(frozen=True)
class Seat:
    """One device in a grant, with the details its manager needs for SP1.

    Attributes:
        access_point, node: where it goes.
        task_bits: bit. rate_bps: bit/s if alone on the access point.
        cycles: cycle, L_in in this slice.
        local_time_s: s, tau_i, the ceiling of 13b.
        arrival_hz: 1/s, alpha_i.
        generation, counter: which admission of the device the details are of, and how new; see ``device.Life``.
    """

    access_point: str
    node: str
    task_bits: float
    rate_bps: float
    cycles: float
    local_time_s: float
    arrival_hz: float
    generation: int = 0
    counter: int = -1

    @property
    def life(self) -> Life:
        """Which life of the device the details are of, and how new they are."""
        return Life(self.generation, self.counter)

    @property
    def transmission_s(self) -> float:
        """s, T_ia = S_i / R_ia; infinite out of reach."""
        return self.task_bits / self.rate_bps if self.rate_bps > 0 else math.inf


@dataclass(frozen=True)
class Grant:
    """What one slice may use.

    Attributes:
        slice: name.
        revision: rises with every grant to any slice; 0 is the empty grant that everybody starts with.
        epoch: of the decision behind it.
        bandwidth: access point to omega_a^n.
        seats: device to its seat.
        others_hz: node to an upper bound on the arrivals that all other slices bring to it, for nodes in use.
        capacity_hz: node to F_j^n, for nodes in use.
        queueing: variant of the model.
        term: of the orchestrator that sent it; a later term's grants count before all of earlier ones.
        record: newest record of the journal when it was published; not in the journal itself.
    """

    slice: str
    revision: int = 0
    epoch: int = 0
    bandwidth: Mapping[str, float] = field(default_factory=dict)
    seats: Mapping[str, Seat] = field(default_factory=dict)
    others_hz: Mapping[str, float] = field(default_factory=dict)
    capacity_hz: Mapping[str, float] = field(default_factory=dict)
    queueing: Queueing = "node"
    term: int = 0
    record: int = 0

    @property
    def order(self) -> tuple[int, int]:
        """Grants of a slice, and refusals of them, are older or newer by this."""
        return self.term, self.revision

    @cached_property
    def arrivals_hz(self) -> Mapping[str, float]:
        """Node to the arrivals of this slice's own devices."""
        by_node: dict[str, list[float]] = {}
        for seat in self.seats.values():
            by_node.setdefault(seat.node, []).append(seat.arrival_hz)
        return {node: math.fsum(rates) for node, rates in by_node.items()}

    def same_terms(self, other: Grant) -> bool:
        """Whether another grant says the same, whatever its revision and epoch."""
        return (
            self.slice == other.slice
            and self.queueing == other.queueing
            and self.bandwidth == other.bandwidth
            and self.others_hz == other.others_hz
            and self.capacity_hz == other.capacity_hz
            and self.seats == other.seats
        )


GRANT: TypeAdapter[Grant] = TypeAdapter(Grant)
Stage = Literal["release", "target", "held"]


@dataclass(frozen=True)
class GrantAccount:
    """The orchestrator's account of one slice.

    Attributes:
        held: last grant that the manager acknowledged.
        sent: a newer one on its way, neither acknowledged nor refused.
        target: what the slice is to end up with.
        refusal: why the manager refused, and has not accepted anything since.
    """

    held: Grant
    target: Grant
    sent: Grant | None = None
    refusal: str | None = None

    @property
    def possible(self) -> tuple[Grant, ...]:
        """Every grant that the manager may be holding now."""
        return (self.held,) if self.sent is None else (self.held, self.sent)

    @property
    def newest(self) -> Grant:
        """The newest grant that the manager was given."""
        return self.sent or self.held

    @property
    def settled(self) -> bool:
        """Whether the manager is known to hold the target."""
        return self.sent is None and self.held.same_terms(self.target)


def highest(grants: Collection[Grant], name: Literal["bandwidth", "arrivals_hz"]) -> dict[str, float]:
    """For each place the most that any of the grants gives or brings."""
    most: dict[str, float] = {}
    for grant in grants:
        for place, amount in getattr(grant, name).items():
            most[place] = max(most.get(place, 0.0), amount)
    return most


def release(held: Grant, target: Grant) -> Grant:
    """What two grants of a slice have in common; feasible if both are, and always safe to send.

    Others may still bring the old arrivals or bring the new ones already, so the larger bound counts. 13b and 13c
    hold: the seats are a subset of the held ones and of the target's, and either bound is feasible with its set.
    """
    seats = {
        device: target.seats[device]
        for device, seat in held.seats.items()
        if device in target.seats
        and (target.seats[device].access_point, target.seats[device].node) == (seat.access_point, seat.node)
        and target.seats[device].arrival_hz <= seat.arrival_hz
    }
    nodes = {seat.node for seat in seats.values()}
    points = {seat.access_point for seat in seats.values()}
    return Grant(
        slice=held.slice,
        epoch=target.epoch,
        bandwidth={a: min(held.bandwidth.get(a, 0.0), target.bandwidth.get(a, 0.0)) for a in sorted(points)},
        seats=seats,
        others_hz={j: max(held.others_hz.get(j, 0.0), target.others_hz.get(j, 0.0)) for j in sorted(nodes)},
        capacity_hz={j: target.capacity_hz[j] for j in sorted(nodes)},
        queueing=target.queueing,
    )


def is_safe(grant: Grant, accounts: Mapping[str, GrantAccount]) -> bool:
    """Whether a slice may be given a grant while the others hold whatever they may be holding."""
    others = [account for name, account in accounts.items() if name != grant.slice]
    mine = grant.seats.keys()
    if not all(mine.isdisjoint(held.seats) for account in others for held in account.possible):
        return False
    shares = [highest(account.possible, "bandwidth") for account in others]
    if any(
        omega + math.fsum(s.get(a, 0.0) for s in shares) > 1 + SLACK for a, omega in grant.bandwidth.items()
    ):
        return False
    arrivals: dict[str, Mapping[str, float]] = {
        account.held.slice: highest(account.possible, "arrivals_hz") for account in others
    }
    arrivals[grant.slice] = grant.arrivals_hz  # what it brings already was checked when that was sent
    checked = [
        (grant, grant.slice),
        *((held, account.held.slice) for account in others for held in account.possible),
    ]
    return all(
        math.fsum(brought.get(node, 0.0) for name, brought in arrivals.items() if name != owner)
        <= bound * (1 + SLACK) + SLACK
        for held, owner in checked
        if held.queueing == "node"
        for node, bound in held.others_hz.items()
    )


def next_grants(
    accounts: Mapping[str, GrantAccount], away: Collection[str] = (), *, fence: int = 0
) -> list[tuple[Grant, Stage]]:
    """What can be sent now. Releases interrupt devices that move, so they are the last resort.

    Targets that fit go out. While any slice has yet to answer, the others wait for what it may free. Only when
    nobody can go first does every slice fall back to its release, and then all targets fit: no order of messages
    ends in a standstill.

    Args:
        accounts: accounts of all slices.
        away: slices that cannot be changed now; they are sent nothing, and nobody waits for them.
        fence: slices that hold grants of earlier terms than this one are sent the same once more, in the term of
            now, so that they take none of a lost future; until they have it nobody is given anything.
    """
    open_to_the_past = [n for n, account in accounts.items() if account.held.term < fence and n not in away]
    if open_to_the_past:
        return [(accounts[n].held, "held") for n in open_to_the_past if accounts[n].sent is None]
    idle = [
        n for n, account in accounts.items() if account.sent is None and not account.settled and n not in away
    ]
    out: list[tuple[Grant, Stage]] = []
    after = dict(accounts)
    for name in idle:
        account = accounts[name]
        if is_safe(account.target, after):
            out.append((account.target, "target"))
            after[name] = GrantAccount(account.held, account.target, account.target)
    if out or any(account.sent is not None and name not in away for name, account in accounts.items()):
        return out
    smaller = [(name, release(accounts[name].held, accounts[name].target)) for name in idle]
    return [(grant, "release") for name, grant in smaller if not grant.same_terms(accounts[name].held)]
