"""A live city: devices join, leave, move and change, nodes are lost and come back, and plan and bound follow.

Only what an event touches is looked at: the device, those beside it, those who list what it sets free. The bound keeps
its prices, which stay valid whatever happens, and follows each event by the terms of the devices concerned.
"""

from __future__ import annotations

import time

import numpy as np

from slicewright.errors import InvalidOptionError, InvalidPlanError, InvalidScenarioError
from slicewright.judging import ROUNDING
from slicewright.network.scenario import RadioLinks, Scenario
from slicewright.slicing._kernels.members import NOBODY
from slicewright.slicing._kernels.problem import LOCAL, roots_of_links, total_cost
from slicewright.slicing.city._kernels.bound import ROUNDED, Multipliers
from slicewright.slicing.city._kernels.ledger import (
    COST,
    GAINED,
    PAID,
    RADIO,
    Ledger,
    fill_ledger,
    fill_node,
    follow_congestion,
)
from slicewright.slicing.city._kernels.listings import make_listings
from slicewright.slicing.city._kernels.live import (
    answer_crowding,
    answer_room,
    look,
    look_round,
    make_local,
    put_places,
    renew_links,
)
from slicewright.slicing.city._kernels.problem import state_of
from slicewright.slicing.city._kernels.shares import shares_at, shares_of
from slicewright.slicing.city.bound import prove
from slicewright.slicing.city.device import Device, check_device
from slicewright.slicing.city.live_slots import LiveSlots
from slicewright.slicing.city.pack import pack, state_from
from slicewright.slicing.city.search import construct, improve
from slicewright.slicing.city.slots import scenario_of, with_room
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.shares import Shares
from slicewright.types import BoolArray, FloatArray, IntArray

SPARE = 0.1
"""Part of the devices that may join before arrays have to grow."""
MOVING_PRICE = 0.15
"""Others move for an event if that saves more than this part of a mean local time."""
# With 10,000 devices, 10,000 events (everybody has changed once) and idle time after every 1,000, `city/realistic` ends
# 0.91 % above a full plan without idle time, others moved per event: 0.083. At a price of 0.4 that is 0.87 % and 0.085,
# at 0.2 0.90 % and 0.083, at 0.1 0.77 % and 0.105, at 0.05 0.50 % and 0.177: what is left then are moves that save next
# to nothing each, and that the next events undo. 0.1 is where a move still pays.
IDLE_PRICE = 0.1
"""In idle time devices move if that saves more than this part of a mean local time for each of them."""


class LiveCity(LiveSlots):
    """A plan that follows events, with its cost and a bound that stays proven.

    Attributes:
        moving_price_s: s, what a move of somebody whom an event is not about has to save at least.
        moved: how many others events have moved so far.
        moved_others: the others that the last event has moved, or made local; one may be named twice.
    """

    def __init__(
        self, scenario: Scenario, *, decisions: Decisions | None = None, moving_price_s: float | None = None
    ) -> None:
        """Plan and prove a scenario (or take its plan over), and keep both from here on.

        Raises:
            InvalidPlanError: the decisions do not fit the scenario.
            InvalidOptionError: the price of moving is negative.
        """
        packed = pack(scenario)
        state = construct(packed) if decisions is None else state_from(packed, decisions)
        proof = prove(packed, state)
        mean = float(scenario.local_time_s.mean())
        self.moving_price_s = MOVING_PRICE * mean if moving_price_s is None else moving_price_s
        if not self.moving_price_s >= 0:
            raise InvalidOptionError("moving_price_s", "must not be negative", value=moving_price_s)
        self.moved, self._events, self._scenario = 0, 0, scenario
        self.moved_others: list[int] = []
        devices = scenario.n_devices
        slots = devices + max(8, int(SPARE * devices))
        self._links_width = 4 + int(np.max(packed.link_end - packed.link_start, initial=0))
        self._nodes_width = 8 + int(np.max(packed.node_end - packed.node_start, initial=0))
        self._problem = with_room(packed, slots, links=self._links_width, nodes=self._nodes_width)
        self._task = np.zeros((3, slots))  # bits, local cycles and capacity: kept for snapshots
        self._task[:, :devices] = scenario.task_bits, scenario.local_cycles, scenario.local_capacity_hz
        self._free = list(range(slots - 1, devices - 1, -1))
        places = np.full((3, slots), LOCAL)
        off = state.link != LOCAL
        places[0, :devices][off] = (
            self._problem.link_start[:devices][off] + state.link[off] - packed.link_start[off]
        )
        places[1, :devices], places[2, :devices] = state.node, state.slice
        self._state = state_of(self._problem, *places)
        p = self._problem
        self._by_access_point = make_listings(
            p.link_start, p.link_end, p.access_point, p.n_access_points, self._links_width
        )
        self._by_node = make_listings(p.node_start, p.node_end, p.node, len(p.capacity), self._nodes_width)
        self._follow(proof.multipliers)

    def _follow(self, found: Multipliers) -> None:
        """Begin a ledger at given multipliers."""
        slots, (nodes, intervals) = self._problem.local_time.size, found.interval.shape[:2]
        compute = np.zeros(slots)
        compute[: found.compute.size] = found.compute
        self._numbers = found._replace(compute=compute)
        most, usable, longest = np.zeros((3, nodes))
        paid, way = np.zeros((2, slots))
        self._ledger = Ledger(np.zeros((nodes, intervals, 2)), most, paid, way, usable, longest, np.zeros(4))
        fill_ledger(self._problem, self._numbers, self._ledger)
        self._ledger.totals[COST] = total_cost(self._problem, self._state)

    @property
    def cost_s(self) -> float:
        """System cost (12) of the plan under optimal shares."""
        return float(self._ledger.totals[COST])

    @property
    def bound_s(self) -> float:
        """No feasible plan for the devices and nodes of this moment is cheaper, s."""
        totals = self._ledger.totals
        value = totals[PAID] - totals[GAINED] - totals[RADIO]
        terms = self._problem.local_time.size + self._ledger.gains.size + self._events
        size = totals[PAID] + totals[RADIO] + totals[GAINED]
        return float(max(0.0, value - ROUNDED * terms * size) * (1.0 - ROUNDING))

    @property
    def gap(self) -> float:
        """cost / bound - 1: how far from optimal the plan can be at most."""
        return self.cost_s / self.bound_s - 1.0 if self.bound_s > 0.0 else float("inf")

    @property
    def present(self) -> BoolArray:
        """(slots,) who is there."""
        return np.asarray(self._problem.local_time > 0.0)

    @property
    def room(self) -> int:
        """How many more devices may join."""
        return len(self._free)

    def check(self, device: Device) -> None:
        """Refuse what no scenario would hold.

        Raises:
            InvalidScenarioError: a number breaks its rule, or there are too many candidates.
        """
        check_device(device, self._problem, links=self._links_width, nodes=self._nodes_width)

    def join(self, device: Device, *, decide: bool = True) -> int:
        """A device arrives; returns the number by which it is known until it leaves.

        Args:
            device: what it brings and asks for.
            decide: find its place; else it is local until :meth:`place` says where it is. So with all events.

        Raises:
            InvalidScenarioError: a number of the device breaks its rule, or there is no room for more.
        """
        if not self._free:
            raise InvalidScenarioError("devices", f"there is no room for more than {self.present.size}")
        self.check(device)
        self.moved_others = []
        slot = self._free.pop()
        self._write(slot, device)
        if decide:
            self._settle_newcomer(slot)
        return slot

    def leave(self, slot: int, *, decide: bool = True) -> None:
        """A device goes, and others may take up what it leaves."""
        self.moved_others = []
        a, j = self._take_out(slot)
        self._problem.local_time[slot] = 0.0
        self._problem.link_end[slot] = self._problem.link_start[slot]
        self._problem.node_end[slot] = self._problem.node_start[slot]
        self._free.append(slot)
        if decide:
            self._settle_room(a, j, slot)

    def change(self, slot: int, device: Device, *, decide: bool = True) -> None:
        """A device moves or changes: other rates, candidates or tasks. It is placed anew, wherever that is best."""
        self.check(device)
        self.moved_others = []
        a, j = self._take_out(slot)
        self._write(slot, device)
        if not decide:
            return
        self._settle_newcomer(slot)
        if j != LOCAL and self._state.node[slot] != j:
            self._settle_room(a, j, slot)

    def renew_rates(
        self, slots: IntArray, links: RadioLinks, task_bits: FloatArray, access_point: IntArray
    ) -> int:
        """Many devices have moved, and nothing else of them changed: they stay where they are, or become local.

        Prices of the bound are kept, so that it holds for the new rates without any being sought.

        Args:
            slots: (k,) numbers of the devices.
            links: their candidates and rates.
            task_bits: (k,) bit.
            access_point: (k,) where they are now, which a handover may have changed; -1 where they are local.

        Returns:
            How many do not list their access point any more.

        Raises:
            InvalidScenarioError: a device has more candidates than there is room for.
        """
        most = int(np.max(np.diff(links.start), initial=0))
        if most > self._links_width:
            raise InvalidScenarioError(
                "rate_bps", f"must be at most {self._links_width} candidates", value=most
            )
        self._events += slots.size
        self._task[0, slots] = task_bits
        lost = renew_links(
            self._problem, self._state, self._numbers, self._ledger, self._by_access_point, slots, access_point,
            links.start, links.access_point, roots_of_links(links.start, task_bits, links.rate_bps),
        )  # fmt: skip
        return int(lost)

    def reconsider(self, *, price_s: float = 0.0, rounds: int = 8) -> int:
        """Everybody may move, if that saves more than the price, until nobody wants to: how many moves there were."""
        moves = int(look_round(self._problem, self._state, self._ledger, price_s, rounds))
        self._follow_congestion(np.flatnonzero(self._state.radio > 0.0))
        return moves

    def improve_plan(self, *, budget_s: float, price_s: float | None = None) -> int:
        """A better plan for the present devices, in idle time: best response, exchanges, nodes chosen anew.

        Args:
            budget_s: stop after about so long, s.
            price_s: what it has to save for each device that it moves, s; by default :data:`IDLE_PRICE`.

        Returns:
            How many have moved; ``moved_others`` names them.
        """
        state = self._state
        if price_s is None:
            price_s = IDLE_PRICE / MOVING_PRICE * self.moving_price_s
        before = np.stack([state.link, state.node, state.slice])
        deadline = time.perf_counter_ns() + int(1e9 * min(budget_s, 1e9))
        improve(self._problem, state, deadline_ns=deadline, price_s=price_s)
        self._ledger.totals[COST] = total_cost(self._problem, state)
        self.moved_others = []
        changed = (before != np.stack([state.link, state.node, state.slice])).any(axis=0)
        self._note(np.flatnonzero(changed))
        self._follow_congestion(np.flatnonzero(state.radio > 0.0))
        return len(self.moved_others)

    def _follow_congestion(self, access_points: IntArray) -> None:
        for a in access_points:
            follow_congestion(
                self._problem, self._state, self._numbers, self._ledger, self._by_access_point, a
            )

    def places(self, slots: IntArray) -> Decisions:
        """Where some of the devices are."""
        link = self._state.link[slots]
        access_point = np.where(link == LOCAL, LOCAL, self._problem.access_point[np.maximum(link, 0)])
        return Decisions.trusted(
            access_point, self._state.node[slots].copy(), self._state.slice[slots].copy()
        )

    def place(self, slots: IntArray, decisions: Decisions) -> None:
        """Put devices where somebody else has found that they should be; ``moved_others`` names them afterwards.

        Args:
            slots: (k,) numbers of the devices.
            decisions: of those.

        Raises:
            InvalidPlanError: a device does not list its place, or a node is overloaded there.
        """
        p, d = self._problem, decisions
        where = (np.array(x, dtype=np.int64) for x in (slots, d.access_point, d.node, d.slice))
        bad = put_places(p, self._state, self._ledger, *where)
        if bad != NOBODY or not np.isfinite(self.cost_s):
            raise InvalidPlanError("decisions", "must be places that devices list and nodes can bear")
        self._events += slots.size
        self.moved_others = []
        self._note(slots)
        self._follow_congestion(np.unique(d.access_point[d.access_point != LOCAL]))

    def set_capacity(self, node: int, capacity_hz: FloatArray, *, decide: bool = True) -> None:
        """A node is lost (zeros), comes back, or gets another capacity, (N,) cycle/s; its devices are placed anew."""
        p, members = self._problem, np.flatnonzero(self._state.node == node)
        capacity = np.asarray(capacity_hz, dtype=np.float64)
        if capacity.shape != p.capacity.shape[1:] or not (np.isfinite(capacity) & (capacity >= 0)).all():
            rule = "must be finite numbers of at least 0, one per slice"
            raise InvalidScenarioError("nodes.capacity_hz", rule, index=(node,))
        self.moved_others = members.tolist()
        for i in members:
            make_local(p, self._state, self._ledger, i)
        p.capacity[node] = capacity
        fill_node(p, self._numbers, self._ledger, self._by_node, node)
        if not decide:
            return
        for i in members:
            look(p, self._state, self._ledger, i, 0.0)
        self._settle_room(LOCAL, node, LOCAL)

    def improve_bound(self, *, budget_s: float) -> None:
        """Better prices for the present devices, in idle time; kept if they prove more."""
        before = self.bound_s
        kept = self._numbers, self._ledger
        self._follow(prove(self._problem, self._state, budget_s=budget_s).multipliers)
        if self.bound_s < before:
            self._numbers, self._ledger = kept

    def shares_at(self, slot: int) -> tuple[float, float, float, float, float]:
        """A device's shares of its access point's band, within its slice there, and of its node; then its times.

        (omega, phi of radio, phi of compute, transmission s, execution s); zeros and its local time where it is local.
        """
        found: tuple[float, float, float, float, float] = shares_at(
            self._problem, self._state, self._by_access_point, slot
        )
        return found

    def twin(self) -> LiveCity:
        """A copy that may work on its plan and bound while this one goes on."""
        return LiveCity.restored(self._scenario, self.state())

    def take(self, twin: LiveCity) -> bool:
        """Have what a twin has found, if nothing has happened since it was made; whether that was so."""
        if twin._events != self._events:
            return False
        slots = np.array(sorted(twin.moved_others), dtype=np.int64)
        self.place(slots, twin.places(slots))
        cost = self.cost_s
        self._numbers, self._ledger = twin._numbers, twin._ledger
        self._ledger.totals[COST] = cost
        return True

    def decisions(self) -> Decisions:
        """Where the present devices are, in the order of their numbers."""
        return self.places(np.flatnonzero(self.present))

    def shares(self) -> Shares:
        """The optimal shares of the present devices: closed forms, worked out when asked for."""
        bandwidth, radio, compute = shares_of(self._problem, self._state)
        return Shares(bandwidth, radio[self.present], compute[self.present])

    def snapshot(self) -> Scenario:
        """The present devices and nodes as a scenario: what the plan is judged against."""
        return scenario_of(np.flatnonzero(self.present), self._problem, self._task, self._scenario)

    def _note(self, others: IntArray) -> None:
        self.moved += others.size
        self.moved_others += others.tolist()

    def _settle_newcomer(self, slot: int) -> None:
        p, state = self._problem, self._state
        self._events += 1
        look(p, state, self._ledger, slot, 0.0)
        if state.link[slot] != LOCAL:
            a, j = int(p.access_point[state.link[slot]]), int(state.node[slot])
            others = answer_crowding(
                p, state, self._ledger, self._by_access_point, a, j, slot, self.moving_price_s
            )
            self._note(others)
            follow_congestion(p, state, self._numbers, self._ledger, self._by_access_point, a)

    def _settle_room(self, access_point: int, node: int, gone: int) -> None:
        self._events += 1
        if node == LOCAL:
            return
        self._note(
            answer_room(
                self._problem, self._state, self._ledger, self._by_node, node, gone, self.moving_price_s
            )
        )
        if access_point != LOCAL:
            follow_congestion(
                self._problem, self._state, self._numbers, self._ledger, self._by_access_point, access_point
            )
