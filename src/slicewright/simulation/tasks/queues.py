"""The queues of a network under a plan: tasks in, finished tasks out, state that can be saved at any instant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.network.scenario import Scenario
from slicewright.simulation._kernels import state as kernels
from slicewright.simulation._kernels.arrivals import arrive, first_arrivals
from slicewright.simulation._kernels.regrants import regrant
from slicewright.simulation._kernels.service import count_inside, serve
from slicewright.simulation._kernels.state import ABSENT, LOCAL, NOWHERE, Demand, Grants
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.shares import Shares
from slicewright.types import BoolArray, FloatArray, IntArray

Servers: TypeAlias = Literal["share", "node", "pooled"]
SERVERS: tuple[Servers, ...] = ("share", "node", "pooled")
"""Who waits for whom on a node, by name."""
PIECE = 8192
"""Tasks that are let in before they are served: what fits into a processor's cache."""
_LEAST_POOL = 1024


@dataclass(frozen=True)
class Disciplines:
    """Who waits for whom.

    Attributes:
        servers: ``share``: every device has a queue of its own at its compute share, as the shares are enforced;
            ``node``: one queue for each node, served one at a time at the share of the task's device, the physical
            reading of variant "node" (model page 1.2); ``pooled``: one queue for each node and slice at full speed.
        uplink_queue: tasks of a device wait for each other on the uplink; formula (2) knows no such queue.
        local_queue: tasks of a device wait for each other on the device; formula (7) knows no such queue.
    """

    servers: Servers = "share"
    uplink_queue: bool = True
    local_queue: bool = False

    @property
    def rules(self) -> kernels.Rules:
        """As the kernels read it."""
        return kernels.Rules(self.servers == "share", self.uplink_queue, self.local_queue)


@dataclass(frozen=True, eq=False)
class FinishedTasks:
    """Tasks that left the system, in no particular order.

    Attributes:
        device: (k,) index.
        place: (k,) where it was executed, ``(a * J + j) * N + n``; -1 on the device; -2 if it was lost because the
            device left.
        times: (k, 7) arrival (s), size and work (of the device's mean), begin and end of transmission, begin and end
            of execution (s; not a number where lost).
    """

    device: IntArray
    place: IntArray
    times: FloatArray

    @staticmethod
    def joined(parts: list[FinishedTasks]) -> FinishedTasks:
        """All parts as one."""
        if not parts:
            return FinishedTasks(
                np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros((0, kernels.SPEED))
            )
        return FinishedTasks(
            np.concatenate([p.device for p in parts]),
            np.concatenate([p.place for p in parts]),
            np.concatenate([p.times for p in parts]),
        )

    @property
    def arrived_s(self) -> FloatArray:
        """(k,) s."""
        return self.times[:, kernels.ARRIVED]

    @property
    def transmitted_s(self) -> FloatArray:
        """(k,) s, when the node had it; the arrival where the device computed."""
        return self.times[:, kernels.TRANSMITTED]

    @property
    def done_s(self) -> FloatArray:
        """(k,) s."""
        return self.times[:, kernels.DONE]

    @property
    def lost(self) -> BoolArray:
        """(k,) its device left before it was sent."""
        return np.asarray(self.place == ABSENT)

    def __len__(self) -> int:
        return self.device.size


def grants_of(
    scenario: Scenario,
    decisions: Decisions,
    shares: Shares,
    servers: Servers = "share",
    present: BoolArray | None = None,
) -> Grants:
    """A plan as the queues see it.

    Args:
        scenario: rates, work and capacities of this instant.
        decisions, shares: of the plan.
        servers: see :class:`Disciplines`.
        present: (I,) devices that are there; all by default.
    """
    i = np.flatnonzero(~decisions.local)
    a, j, n = decisions.access_point[i], decisions.node[i], decisions.slice[i]
    uplink, service = np.zeros(scenario.n_devices), np.zeros(scenario.n_devices)
    server, place = np.full(scenario.n_devices, LOCAL), np.full(scenario.n_devices, LOCAL)
    uplink[i] = shares.bandwidth[a, n] * shares.radio[i] * scenario.rate_of(i, a) / scenario.task_bits[i]
    speed = 1.0 if servers == "pooled" else shares.compute[i]
    service[i] = speed * scenario.node_capacity_hz[j, n] / scenario.slice_cycles[i, n]
    server[i] = {"share": i, "node": j, "pooled": j * scenario.n_slices + n}[servers]
    place[i] = (a * scenario.n_nodes + j) * scenario.n_slices + n
    if present is not None:
        server[~present] = ABSENT
    return Grants(uplink, server, service, np.array(scenario.local_time_s), place)


class TaskQueues:
    """All queues of a network, served up to ``now_s``."""

    def __init__(
        self, demand: Demand, grants: Grants, disciplines: Disciplines, *, n_servers: int, seed: int
    ) -> None:
        """Empty queues; first arrivals are drawn.

        Args:
            demand: what arrives.
            grants: who may use what at first.
            disciplines: who waits for whom.
            n_servers: I, J or J * N, as the disciplines have it.
            seed: of every device's streams.

        Raises:
            InvalidOptionError: the seed is negative.
        """
        if seed < 0:
            raise InvalidOptionError("seed", "must be a whole number of at least 0", value=seed)
        self.demand, self.grants, self.disciplines = demand, grants, disciplines
        self.now_s = 0.0
        devices = grants.server.size
        streams = np.random.SeedSequence(seed).generate_state(devices * kernels.STREAMS, np.uint64)
        device = np.zeros((devices, kernels.DEVICE_TIMES))
        links = np.full((devices, kernels.DEVICE_LINKS), NOWHERE)
        links[:, kernels.BUSY_PHASE :] = 0
        self._queues = kernels.Queues(
            random=streams.reshape(devices, kernels.STREAMS),
            device=device,
            device_links=links,
            server=np.zeros((n_servers, kernels.SERVER_TIMES)),
            server_links=np.full((n_servers, kernels.SERVER_LINKS), NOWHERE),
            task=np.zeros((0, kernels.TASK_TIMES)),
            task_links=np.zeros((0, kernels.TASK_LINKS), dtype=np.int64),
            free=np.full(1, NOWHERE),
        )
        self._room: tuple[FloatArray, IntArray, IntArray] | None = None
        self._grow(_LEAST_POOL)
        first_arrivals(demand, self._queues, grants.server)

    @property
    def n_arrived(self) -> int:
        """Tasks that arrived so far."""
        return int(self._queues.device_links[:, kernels.ARRIVALS].sum())

    @property
    def n_inside(self) -> int:
        """Tasks that arrived and neither finished nor were lost."""
        return int(self.inside().sum())

    def inside(self) -> IntArray:
        """(I, 3) tasks of each device that are inside: on its uplink, on a node, on the device itself."""
        counts = np.zeros((self.grants.server.size, 3), dtype=np.int64)
        count_inside(self._queues, counts)
        return counts

    def advance(self, until_s: float) -> FinishedTasks:
        """Serve up to a time and return what finished by then.

        However a stretch of time is cut into calls, the same tasks finish at the same times, bit for bit.
        """
        return FinishedTasks.joined([done for done in self.pieces(until_s) if len(done)])

    def pieces(self, until_s: float) -> Iterator[FinishedTasks]:
        """Like :meth:`advance`, in pieces of some thousand tasks, so that long runs need no memory."""
        rate = float(self.demand.arrival_hz.sum())
        while self.now_s < until_s:
            piece = min(until_s, self.now_s + PIECE / rate)
            yield self._advance(until_s if piece <= self.now_s else piece)

    def regrant(
        self,
        grants: Grants,
        *,
        uplink_pause_s: FloatArray | None = None,
        service_pause_s: FloatArray | None = None,
    ) -> FinishedTasks:
        """Change who may use what, now; returns the tasks that are lost because their device left.

        A task in transmission or in execution keeps what has been done of it. Work that is on a node is finished
        there at the share it had where its device went elsewhere, unless the device has a server of its own, which
        moves with it.

        Args:
            grants: from now on.
            uplink_pause_s: (I,) s, uplinks that stand still (handover).
            service_pause_s: (I,) s, own servers that stand still while they move.
        """
        pause = np.zeros((grants.server.size, 2))
        for column, given in enumerate((uplink_pause_s, service_pause_s)):
            if given is not None:
                pause[:, column] = given
        finished, links, _ = self.buffers()
        count = regrant(
            self.demand, self.disciplines.rules, self._queues, self.grants, grants, self.now_s, pause,
            finished, links,
        )  # fmt: skip
        self.grants = grants
        return _cut(finished, links, count)

    @property
    def arrays(self) -> kernels.Queues:
        """The whole state, as kernels write it."""
        return self._queues

    def leave_room_for_names(self) -> None:
        """Twice the room for tasks."""
        self._grow(self._queues.task.shape[0])

    def state(self) -> dict[str, np.ndarray]:
        """Everything that :meth:`restore` needs, as arrays."""
        queues = {name: array.copy() for name, array in self._queues._asdict().items()}
        grants = {f"grants_{name}": array.copy() for name, array in self.grants._asdict().items()}
        return {"now_s": np.array(self.now_s), **queues, **grants}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state of queues of the same kind."""
        self.now_s = float(state["now_s"])
        self._queues = kernels.Queues(*(np.array(state[name]) for name in kernels.Queues._fields))
        self.grants = Grants(*(np.array(state[f"grants_{name}"]) for name in Grants._fields))

    def _advance(self, until_s: float) -> FinishedTasks:
        rules, first = self.disciplines.rules, 0
        while True:
            first = arrive(self.demand, self.grants, rules, self._queues, until_s, first)
            if first == self.grants.server.size:
                break
            self.leave_room_for_names()
        finished, links, scratch = self.buffers()
        count = serve(self.grants, rules, self._queues, self.now_s, until_s, finished, links, scratch)
        self.now_s = until_s
        return _cut(finished, links, count)

    def buffers(self) -> tuple[FloatArray, IntArray, IntArray]:
        """Where kernels write finished tasks; kept between calls."""
        pool = self._queues.task.shape[0]
        if self._room is None or self._room[0].shape[0] != pool:
            self._room = (
                np.empty((pool, kernels.SPEED)),
                np.empty((pool, 2), dtype=np.int64),
                np.empty((3, pool + 1), dtype=np.int64),
            )
        return self._room

    def _grow(self, more: int) -> None:
        """Room for so many more tasks."""
        before = self._queues
        old = before.task.shape[0]
        task = np.zeros((old + more, kernels.TASK_TIMES))
        links = np.full((old + more, kernels.TASK_LINKS), NOWHERE)
        task[:old], links[:old] = before.task, before.task_links
        links[old:, kernels.NEXT] = np.arange(old + 1, old + more + 1)
        links[-1, kernels.NEXT] = before.free[0]
        self._queues = before._replace(task=task, task_links=links, free=np.full(1, old))


def _cut(finished: FloatArray, links: IntArray, count: int) -> FinishedTasks:
    return FinishedTasks(links[:count, 0].copy(), links[:count, 1].copy(), finished[:count].copy())
