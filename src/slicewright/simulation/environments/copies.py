"""Thousands of copies of one network that are stepped in one call: a vectorised Gymnasium environment."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from slicewright.errors import InvalidOptionError
from slicewright.network.scenario import Scenario
from slicewright.simulation._kernels.state import LOCAL, Grants
from slicewright.simulation.environments._kernels import copies as kernels
from slicewright.simulation.environments.epochs import MOST_WAITING, Reward, choices
from slicewright.simulation.environments.offloading import Observation, observation_space
from slicewright.simulation.movement.links import Links
from slicewright.simulation.movement.mobility import Walk, Walkers
from slicewright.simulation.settings import Settings
from slicewright.simulation.tasks.demand import packed_demand
from slicewright.simulation.tasks.queues import TaskQueues
from slicewright.types import FloatArray, IntArray


class OffloadingVectorEnv(VectorEnv[Observation, IntArray, FloatArray]):
    """Copies of one network, each with devices, tasks and chances of its own; actions and observations as in
    :class:`OffloadingEnv`, with copies first.

    An epoch of all copies is one call of compiled code. Every device has a queue of its own at its share. Shares are
    the closed forms without 13b, so that ``late`` counts what breaks it. All episodes end together and begin anew with
    the step after (``AutoresetMode.NEXT_STEP``). ``info`` has ``reward_terms`` by name, ``done``, ``completion_s`` and
    ``refused``, an entry for each copy.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  # as its base class has it
        "autoreset_mode": AutoresetMode.NEXT_STEP,
        "render_modes": [],
    }

    # Over 60 lines by its options, what is told about them, and the copied fields, one a line.
    def __init__(
        self,
        scenario: Scenario,
        *,
        copies: int = 1024,
        settings: Settings | None = None,
        walk: Walk | None = None,
        epoch_s: float = 10.0,
        horizon_s: float = 300.0,
        reward: Reward | None = None,
    ) -> None:
        """Spaces follow from the scenario.

        Args:
            scenario: with positions and powers.
            copies: of the network.
            settings: of every run; queues must be by share, the seed is drawn by ``reset``.
            walk: how devices move.
            epoch_s: s between two actions: a whole number of the settings' ticks.
            horizon_s: s, an episode.
            reward: weights of its terms.

        Raises:
            InvalidOptionError: an option that does not fit.
        """
        self._settings, self._walk = settings or Settings(), walk or Walk()
        ticks = epoch_s / self._settings.tick_s
        if abs(ticks - round(ticks)) > 1e-9 or ticks < 1.0 or horizon_s < epoch_s:
            raise InvalidOptionError("epoch_s", "must be whole ticks, and at most horizon_s", value=epoch_s)
        if copies < 1 or self._settings.disciplines.servers != "share":
            raise InvalidOptionError(
                "copies", "must be at least 1, with a queue for each share", value=copies
            )
        if self._settings.arrivals.kind == "traced":
            raise InvalidOptionError("arrivals", "must not be traced: every copy has tasks of its own")
        self.scenario, self.num_envs = scenario, copies
        self.reward, self._epoch_s, self._horizon_s = reward or Reward(), epoch_s, horizon_s
        self._ticks = round(ticks)
        self.single_action_space = gym.spaces.MultiDiscrete(np.full(scenario.n_devices, choices(scenario)))
        self.single_observation_space = observation_space(scenario)
        self.action_space = batch_space(self.single_action_space, copies)
        self.observation_space = batch_space(self.single_observation_space, copies)
        everybody = np.tile(np.arange(scenario.n_devices), copies)
        sites = scenario.sites
        self._crowd = scenario.with_(
            task_bits=scenario.task_bits[everybody],
            local_cycles=scenario.local_cycles[everybody],
            local_capacity_hz=scenario.local_capacity_hz[everybody],
            arrival_rate_hz=scenario.arrival_rate_hz[everybody],
            slice_cycles=scenario.slice_cycles[everybody],
            rate_bps=scenario.rate_bps[everybody],
            sites=_many(sites, everybody),
        )
        self._network = kernels.Network(
            bits=np.array(scenario.task_bits),
            cycles=np.array(scenario.slice_cycles),
            arrival=np.array(scenario.arrival_rate_hz),
            capacity=np.array(scenario.node_capacity_hz),
            n_access_points=scenario.n_access_points,
            shared_queue=scenario.queueing == "node",
        )
        self._over = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Every copy from the beginning; one seed repeats all of them bit for bit."""
        if seed is not None:
            self._np_random = np.random.default_rng(seed)
        drawn = int(self.np_random.integers(2**31))
        crowd, settings = self._crowd, self._settings
        walkers, links = Walkers(crowd, self._walk, seed=drawn), Links(crowd, settings.air, seed=drawn)
        links.measure(np.ascontiguousarray(walkers.position_m))
        grid = walkers.state() | links.state()
        self._grid = kernels.Grid(
            walkers.kernel_walk,
            links.surroundings,
            grid["walkers"],
            grid["walkers_random"],
            grid["links_random"],
            grid["links_access_point"],
            grid["links_snr"],
            grid["links_rate_bps"],
        )
        demand = packed_demand(crowd, arrivals=settings.arrivals, size=settings.size, work=settings.work)
        self._old, self._new = (_nobody(crowd) for _ in range(2))
        n = crowd.n_devices
        self._queues = TaskQueues(demand, self._old, settings.disciplines, n_servers=n, seed=drawn)
        self._choice = np.zeros(n, dtype=np.int64)
        self._left = np.zeros(self.num_envs, dtype=np.int64)
        self._now_s, self._over = 0.0, False
        return self._observation(), {}

    def step(
        self, actions: IntArray
    ) -> tuple[Observation, FloatArray, np.ndarray, np.ndarray, dict[str, Any]]:
        """An epoch of all copies; the step after an episode's end begins the next one."""
        never = np.zeros(self.num_envs, dtype=bool)
        if self._over:
            observation, info = self.reset()
            return observation, np.zeros(self.num_envs), never, never.copy(), info
        wanted = np.asarray(actions, dtype=np.int64).reshape(-1)
        if wanted.size != self._choice.size or wanted.min() < 0 or wanted.max() >= choices(self.scenario):
            raise InvalidOptionError("actions", "must lie within the action space")
        self._choice = wanted.copy()
        tally = np.zeros((self.num_envs, kernels.TALLIES))
        clock = np.array([0.0, 0.0, self._now_s])
        while not self._go_on(tally, clock):
            self._queues.leave_room_for_names()
        self._now_s += self._epoch_s
        self._over = self._now_s >= self._horizon_s * (1.0 - 1e-9)
        done = tally[:, kernels.DONE_TASKS]
        counted = {
            "waiting": tally[:, kernels.INSIDE],
            "late": tally[:, kernels.LATE],
            "lost": np.zeros(self.num_envs),
            "moved": tally[:, kernels.MOVED],
        }
        terms = {name: -weight * counted[name] for name, weight in asdict(self.reward).items()}
        info = {
            "reward_terms": terms,
            "done": done,
            "completion_s": np.divide(
                tally[:, kernels.COMPLETION], done, out=np.full(self.num_envs, np.nan), where=done > 0
            ),
            "refused": (self._choice != wanted).reshape(self.num_envs, -1).sum(axis=1),
        }
        rewards: FloatArray = np.sum(list(terms.values()), axis=0)
        return self._observation(), rewards, never, np.full(self.num_envs, self._over), info

    def _go_on(self, tally: FloatArray, clock: FloatArray) -> bool:
        settings, queues = self._settings, self._queues
        finished, links, scratch = queues.buffers()
        return bool(
            kernels.step(
                self._network, self._grid, queues.demand, settings.disciplines.rules, queues.arrays, self._old,
                self._new, self._choice, finished, links, scratch, self._left, tally, clock, settings.tick_s,
                self._ticks, settings.handover_s, settings.migration_s,
            )
        )  # fmt: skip

    def _observation(self) -> Observation:
        copies, devices = self.num_envs, self.scenario.n_devices
        rates = np.zeros((copies * devices, self.scenario.n_access_points))
        np.put_along_axis(rates, self._grid.access_point, self._grid.rate, axis=1)
        return {
            "rate_bps": rates.reshape(copies, devices, -1),
            "waiting": np.minimum(self._queues.inside(), MOST_WAITING).reshape(copies, devices, 3),
            "place": self._choice.reshape(copies, devices).copy(),
            "present": np.ones((copies, devices), dtype=np.int8),
        }


def _many(sites: Any, everybody: IntArray) -> Any:
    from dataclasses import replace

    if sites.device_m is None or sites.tx_power_w is None:
        raise InvalidOptionError("scenario", "must have positions and powers of its devices")
    return replace(sites, device_m=sites.device_m[everybody], tx_power_w=sites.tx_power_w[everybody])


def _nobody(crowd: Scenario) -> Grants:
    """Every device computes itself."""
    n = crowd.n_devices
    return Grants(
        np.zeros(n), np.full(n, LOCAL), np.zeros(n), np.array(crowd.local_time_s), np.full(n, LOCAL)
    )
