"""Planning by what has changed: one live plan with its prices, which follows every instant of the network.

Nothing is planned anew. Devices that moved keep their places under other rates, those that left make room, those that
came are placed, and then everybody looks at its options, one device at a time. The bound keeps its prices, which are
valid whatever happens, so that every step is certified at the cost of adding up.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from slicewright.network.scenario import Scenario
from slicewright.slicing.city.device import Device
from slicewright.slicing.city.live import LiveCity
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.types import IntArray

NOWHERE = -1
_PREFIX = "incremental."


class Incremental:
    """The live plan of a network's devices.

    Attributes:
        bound_s: s, no plan of the last instant is cheaper; 0 before the first.
    """

    def __init__(self, scenario: Scenario) -> None:
        """Nothing is planned yet; ``scenario`` has all devices that there ever are."""
        self._scenario = scenario
        self._live: LiveCity | None = None
        self._slot = np.full(scenario.n_devices, NOWHERE)
        self.bound_s = 0.0

    def follow(
        self, problem: Scenario, devices: IntArray, running: Decisions, *, price_s: float = 0.0
    ) -> Decisions:
        """Decisions for this instant.

        Args:
            problem: of this instant.
            devices: (k,) indices of its devices in the network.
            running: what is in force; handovers may have changed access points since.
            price_s: s that moving a device must save at least.
        """
        live = self._live
        if live is None or not self._fits(live, devices, running):
            live = self._begin(problem, devices, running)
        else:
            self._catch_up(live, problem, devices, running)
        live.moving_price_s = price_s
        live.reconsider(price_s=price_s)
        self.bound_s = live.bound_s
        return live.places(self._slot[devices])

    def _begin(self, problem: Scenario, devices: IntArray, running: Decisions) -> LiveCity:
        """Take over what is in force; who cannot stay where it is computes itself first."""
        columns = [
            np.where(running.valid(problem), column, LOCAL)
            for column in (running.access_point, running.node, running.slice)
        ]
        self._live = LiveCity(problem, decisions=Decisions.trusted(*columns))
        self._slot[:] = NOWHERE
        self._slot[devices] = np.arange(devices.size)
        return self._live

    def _fits(self, live: LiveCity, devices: IntArray, running: Decisions) -> bool:
        """Whether the live plan is what is in force, handovers aside, and has room for those who came."""
        known = self._slot[devices] != NOWHERE
        places = live.places(self._slot[devices[known]])
        same = (places.node == running.node[known]) & (places.slice == running.slice[known])
        gone = int((self._slot != NOWHERE).sum()) - int(known.sum())
        free = int((~live.present).sum()) + gone
        return bool(same.all()) and int((~known).sum()) <= free

    def _catch_up(self, live: LiveCity, problem: Scenario, devices: IntArray, running: Decisions) -> None:
        """Rates first, then those who left, then those who came."""
        rows = np.flatnonzero(self._slot[devices] != NOWHERE)
        links = problem.links
        width = np.diff(links.start)[rows]
        start = np.concatenate([[0], np.cumsum(width)])
        entries = np.repeat(links.start[rows] - start[:-1], width) + np.arange(start[-1])
        given = type(links)(start, links.access_point[entries], links.rate_bps[entries])
        live.renew_rates(
            self._slot[devices[rows]], given, problem.task_bits[rows], running.access_point[rows]
        )
        here = np.zeros(self._slot.size, dtype=bool)
        here[devices] = True
        for i in np.flatnonzero((self._slot != NOWHERE) & ~here):
            live.leave(int(self._slot[i]))
            self._slot[i] = NOWHERE
        for row in np.flatnonzero(self._slot[devices] == NOWHERE):
            self._slot[devices[row]] = live.join(_device(problem, int(row)))

    def state(self) -> dict[str, np.ndarray]:
        """What :meth:`restore` needs."""
        own = {"slot": self._slot.copy(), "bound_s": np.array(self.bound_s)}
        if self._live is not None:
            own |= self._live.state()
        return {_PREFIX + name: value for name, value in own.items()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a saved state."""
        own = {name.removeprefix(_PREFIX): v for name, v in state.items() if name.startswith(_PREFIX)}
        self._slot, self.bound_s = np.array(own["slot"]), float(own["bound_s"])
        self._live = LiveCity.restored(self._scenario, own) if "task" in own else None


def _device(problem: Scenario, row: int) -> Device:
    links, lists = problem.links, problem.node_lists
    near = slice(int(links.start[row]), int(links.start[row + 1]))
    nodes = np.arange(problem.n_nodes)
    if lists is not None:
        nodes = lists.node[lists.start[row] : lists.start[row + 1]]
    return Device(
        task_bits=float(problem.task_bits[row]),
        local_cycles=float(problem.local_cycles[row]),
        local_capacity_hz=float(problem.local_capacity_hz[row]),
        arrival_rate_hz=float(problem.arrival_rate_hz[row]),
        slice_cycles=problem.slice_cycles[row],
        access_points=links.access_point[near],
        rate_bps=links.rate_bps[near],
        nodes=nodes,
    )
