"""A network over time: its devices move, hand over, come and go, and their tasks queue under the plan in force."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.files.arrays import read_arrays
from slicewright.files.documents import write_atomically
from slicewright.network.scenario import Scenario
from slicewright.simulation._kernels.state import Grants
from slicewright.simulation.in_force import InForce, part_of
from slicewright.simulation.movement.links import Links
from slicewright.simulation.movement.mobility import Movement
from slicewright.simulation.replanning import Replanner, Replanning, Step
from slicewright.simulation.settings import Counts, Settings
from slicewright.simulation.tasks.demand import packed_demand
from slicewright.simulation.tasks.queues import FinishedTasks, TaskQueues
from slicewright.slicing.correction import Correction
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.slicing.plan import Plan
from slicewright.slicing.shares import Shares, optimal_shares, proportional_shares
from slicewright.types import BoolArray, FloatArray, IntArray


class Simulation:
    """One run.

    Attributes:
        plan: the plan that it began with.
        now_s: s, everything up to here has happened.
        counts: handovers, joins, leaves and moves.
        steps: what replanning did, one entry for each time.
    """

    def __init__(
        self,
        plan: Plan,
        settings: Settings | None = None,
        *,
        movement: Movement | None = None,
        replanning: Replanning | None = None,
    ) -> None:
        """Ready to go at 0 s.

        Args:
            plan: decisions and shares at first; infeasible plans are simulated as they are.
            settings: see there.
            movement: who is where; nobody moves by default.
            replanning: when and how to plan anew; never by default.

        Raises:
            InvalidOptionError: something does not fit the scenario.
        """
        self.plan, self.settings = plan, settings or Settings()
        scenario = plan.scenario
        self.scenario = scenario
        self.counts, self.steps = Counts(), list[Step]()
        self._movement = movement
        self._links: Links | None = None
        self._present = np.ones(scenario.n_devices, dtype=bool)
        if movement is not None:
            self._links = Links(scenario, self.settings.air, seed=self.settings.seed)
            self._links.measure(np.ascontiguousarray(movement.position_m))
            self._present = movement.present.copy()
        correction = Correction.of(scenario, self.settings.arrivals, self.settings.size)
        self._replanner = None if replanning is None else Replanner(replanning, correction, scenario)
        self._in_force = InForce(plan)
        self._tick = 0
        disciplines = self.settings.disciplines
        demand = packed_demand(
            scenario,
            arrivals=self.settings.arrivals,
            size=self.settings.size,
            work=self.settings.work,
        )
        servers = {
            "share": scenario.n_devices,
            "node": scenario.n_nodes,
            "pooled": scenario.n_nodes * scenario.n_slices,
        }[disciplines.servers]
        self.queues = TaskQueues(
            demand, self._grants(), disciplines, n_servers=servers, seed=self.settings.seed
        )

    @property
    def now_s(self) -> float:
        """s."""
        return self.queues.now_s

    @property
    def decisions(self) -> Decisions:
        """In force now."""
        return self._in_force.decisions

    @property
    def present(self) -> BoolArray:
        """(I,) devices that are there."""
        return self._present

    @property
    def position_m(self) -> FloatArray | None:
        """(I, 2) m, if known."""
        return self.scenario.sites.device_m if self._movement is None else self._movement.position_m

    def advance(
        self, until_s: float, *, on_tick: Callable[[Simulation], None] | None = None
    ) -> FinishedTasks:
        """Go on up to a time and return the tasks that finished or were lost on the way.

        However a run is cut into calls, and saved and loaded between them, the same happens, bit for bit.

        Args:
            until_s: s.
            on_tick: called after every tick, e.g. to record where everybody is.
        """
        return FinishedTasks.joined([part for part in self.pieces(until_s, on_tick=on_tick) if len(part)])

    def pieces(
        self, until_s: float, *, on_tick: Callable[[Simulation], None] | None = None
    ) -> Iterator[FinishedTasks]:
        """Like :meth:`advance`, a few thousand tasks at a time."""
        ticking = self._movement is not None or self._replanner is not None or on_tick is not None
        while self.now_s < until_s:
            next_tick_s = (self._tick + 1) * self.settings.tick_s
            yield from self.queues.pieces(min(until_s, next_tick_s) if ticking else until_s)
            if ticking and self.now_s >= next_tick_s:
                self._tick += 1
                lost = self._change()
                if len(lost):
                    yield lost
                if on_tick is not None:
                    on_tick(self)

    @property
    def bandwidth_share(self) -> FloatArray:
        """(A, N) of every access point that each slice holds now."""
        return self._in_force.shares.bandwidth

    def impose(self, decisions: Decisions, shares: Shares | None = None) -> tuple[int, FinishedTasks]:
        """Put decisions in force now; returns devices whose decision does not exist, and tasks that are lost.

        Who has no such decision computes itself.

        Args:
            decisions: of all devices; those of devices that are not there count for nothing.
            shares: of all devices; by default the best, and where none keep 13b and 13c, in proportion to need.
        """
        problem, devices = self.scenario_now()
        wanted = (decisions.access_point, decisions.node, decisions.slice)
        columns = [np.array(column[devices]) for column in wanted]
        exists = Decisions.trusted(*(column.copy() for column in columns)).valid(problem)
        for column in columns:
            column[~exists] = LOCAL
        chosen = Decisions.trusted(*columns)
        if shares is None:
            given = optimal_shares(problem, chosen) or proportional_shares(problem, chosen)
        else:
            given = Shares(shares.bandwidth, shares.radio[devices], shares.compute[devices])
        moved, radio = self._in_force.adopt(devices, chosen, given)
        self.counts.moves += int((moved | radio).sum())
        lost = self.queues.regrant(
            self._grants(),
            uplink_pause_s=np.where(radio, self.settings.handover_s, 0.0),
            service_pause_s=np.where(moved, self.settings.migration_s, 0.0),
        )
        return int((~exists).sum()), lost

    def scenario_now(self) -> tuple[Scenario, IntArray]:
        """The problem of this instant, of the devices that are there, and their indices."""
        devices = np.flatnonzero(self._present)
        rates = (
            self.scenario.rate_bps
            if self._links is None
            else self._links.rates(self.scenario.n_access_points)
        )
        return part_of(self.scenario, devices, rates, self.position_m), devices

    def save(self, path: str | Path) -> Path:
        """Write the whole state; :meth:`load` goes on from it bit for bit. Tasks already returned are not in it."""
        stream = io.BytesIO()
        np.savez(stream, **self.state())  # type: ignore[arg-type]  # one might be called allow_pickle
        return write_atomically(path, stream.getvalue())

    def load(self, path: str | Path) -> None:
        """Go on from a saved state of a simulation that was made in the same way.

        Raises:
            FileNotFoundError: no such file.
            InvalidOptionError: the file is damaged, or its state is of another network or another setting.
        """
        state = read_arrays(path, InvalidOptionError, what="a saved simulation")
        try:
            self.restore(state)
        except KeyError as missing:
            rule = f"has no {missing.args[0]}, which a simulation made as this one saves"
            raise InvalidOptionError(str(path), rule) from None

    def state(self) -> dict[str, np.ndarray]:
        """Everything that :meth:`restore` needs, as arrays."""
        counts = self.counts
        own = {
            "tick": np.array(self._tick),
            "present": self._present.copy(),
            "counts": np.array([counts.handovers, counts.joins, counts.leaves, counts.moves]),
        }
        if self._movement is not None and self._links is not None:
            own |= self._movement.state() | self._links.state()
        if self._replanner is not None:
            own |= self._replanner.state()
        return own | self._in_force.state() | self.queues.state()

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from a saved state.

        Raises:
            InvalidOptionError: the state is of another network.
        """
        if state["decisions"].shape[1] != self.scenario.n_devices:
            raise InvalidOptionError(
                "state", f"must be of {self.scenario.n_devices} devices", value=state["decisions"].shape[1]
            )
        self._tick = int(state["tick"])
        self._in_force.restore(state)
        self._present = np.array(state["present"])
        self.counts = Counts(*(int(n) for n in state["counts"]))
        if self._movement is not None and self._links is not None:
            self._movement.restore(state)
            self._links.restore(state)
        if self._replanner is not None:
            self._replanner.restore(state)
        self.queues.restore(state)

    def _change(self) -> FinishedTasks:
        """A tick: devices move, links follow, devices hand over, plans are made; queues go on under what follows."""
        handed_over = np.zeros(self.scenario.n_devices, dtype=bool)
        moved, eventful = handed_over.copy(), False
        if self._movement is not None and self._links is not None:
            seconds = self.settings.tick_s
            self._movement.step((self._tick - 1) * seconds, seconds)
            self._links.measure(np.ascontiguousarray(self._movement.position_m))
            present = self._movement.present
            joined, left = present & ~self._present, self._present & ~present
            self.counts.joins += int(joined.sum())
            self.counts.leaves += int(left.sum())
            self._present = present.copy()
            handed_over = self._in_force.hand_over(
                self._links, present, stronger_db=self.settings.handover_db
            )
            self.counts.handovers += int(handed_over.sum())
            eventful = bool(joined.any() or left.any() or handed_over.any())
        if self._replanner is not None and self._replanner.due(self.now_s, eventful) and self._present.any():
            moved, changed_radio = self._replan(self._replanner)
            handed_over |= changed_radio
        elif self._links is None:
            return FinishedTasks.joined([])
        uplink_pause = np.where(handed_over, self.settings.handover_s, 0.0)
        service_pause = np.where(moved, self.settings.migration_s, 0.0)
        return self.queues.regrant(self._grants(), uplink_pause_s=uplink_pause, service_pause_s=service_pause)

    def _grants(self) -> Grants:
        return self._in_force.grants(self.settings.disciplines.servers, self._present, self._links)

    def _replan(self, replanner: Replanner) -> tuple[BoolArray, BoolArray]:
        """Plan anew; returns who changed node or slice, and who changed access point."""
        problem, devices = self.scenario_now()
        before, running = self._in_force.of(devices)
        made, step = replanner.replan(problem, devices, before, running, self.now_s)
        self.steps.append(step)
        self.counts.moves += step.moved
        return self._in_force.adopt(devices, made.decisions, made.shares)
