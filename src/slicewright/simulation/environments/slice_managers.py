"""Slice managers as agents that see their own devices only: a PettingZoo parallel environment."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from pettingzoo import ParallelEnv

from slicewright.errors import InvalidOptionError
from slicewright.network.scenario import Scenario
from slicewright.simulation.environments.epochs import MOST_WAITING, Epochs, Reward, highest_rate_bps
from slicewright.simulation.movement.mobility import Walk
from slicewright.simulation.settings import Settings
from slicewright.types import IntArray

Observation = dict[str, np.ndarray]


class SliceManagersEnv(ParallelEnv[str, Observation, IntArray]):  # type: ignore[misc]  # untyped
    """Every slice has subscribers; its manager says where their tasks go. All share access points and nodes.

    Agents are the scenario's slices by name. An action is (k,) whole numbers for the k subscribers: 0 computes on the
    device, ``1 + a * J + j`` offloads through access point a to node j, in the manager's slice. Managers see neither
    each other's devices nor choices; what they take from each other is felt in tasks that wait.

    Observations, in physical units: ``rate_bps`` (k, A) bit/s of each link alone; ``waiting`` (k, 3) tasks on uplink,
    node and device; ``bandwidth_share`` (A,) of each access point that the slice holds; ``place`` (k,), in force.
    The reward is common to all, or each slice's own: minus the tasks inside and the devices moved, by weight.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "slice_managers_v0", "render_modes": []}
    render_mode = None

    def __init__(
        self,
        scenario: Scenario,
        *,
        subscribed: IntArray | None = None,
        settings: Settings | None = None,
        walk: Walk | None = None,
        epoch_s: float = 10.0,
        horizon_s: float = 300.0,
        reward: Reward | None = None,
        common: bool = True,
    ) -> None:
        """Spaces follow from scenario and subscriptions.

        Args:
            scenario: with positions and powers.
            subscribed: (I,) slice of each device; in turn by default.
            settings, walk, epoch_s, horizon_s: see :class:`OffloadingEnv`.
            reward: weights; ``late`` and ``lost`` count in the common reward alone.
            common: every agent gets the reward of all.

        Raises:
            InvalidOptionError: subscriptions that do not fit.
        """
        slices = scenario.n_slices
        of_device = np.arange(scenario.n_devices) % slices if subscribed is None else np.asarray(subscribed)
        if of_device.shape != (scenario.n_devices,) or of_device.min() < 0 or of_device.max() >= slices:
            raise InvalidOptionError(
                "subscribed", f"must be {scenario.n_devices} slices of 0 to {slices - 1}"
            )
        names = [s.name for s in scenario.slices]
        self._devices = {name: np.flatnonzero(of_device == n) for n, name in enumerate(names)}
        self._slice = {name: n for n, name in enumerate(names)}
        self.possible_agents = [name for name in names if self._devices[name].size]
        self.agents: list[str] = []
        self.reward, self.common = reward or Reward(), common
        self.epochs = Epochs(
            scenario, settings or Settings(), walk or Walk(), epoch_s=epoch_s, horizon_s=horizon_s
        )
        self._random = np.random.default_rng()
        highest, places = highest_rate_bps(scenario), 1 + scenario.n_access_points * scenario.n_nodes
        self._spaces = {
            name: _spaces(self._devices[name].size, scenario.n_access_points, places, highest)
            for name in self.possible_agents
        }

    def observation_space(self, agent: str) -> gym.spaces.Dict:
        """Of one manager; always the same object."""
        return self._spaces[agent][0]

    def action_space(self, agent: str) -> gym.spaces.MultiDiscrete:
        """Of one manager; always the same object."""
        return self._spaces[agent][1]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """Everybody computes on the device, where the scenario has it."""
        if seed is not None:
            self._random = np.random.default_rng(seed)
        self.agents = list(self.possible_agents)
        self.epochs.begin(int(self._random.integers(2**31)))
        return self._observations(), {agent: {} for agent in self.agents}

    def step(
        self, actions: dict[str, IntArray]
    ) -> tuple[
        dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]
    ]:
        """An epoch; managers that say nothing leave everything as it is."""
        scenario, agents = self.epochs.scenario, list(self.agents)
        before = {agent: self._places(agent) for agent in agents}
        choice = np.zeros(scenario.n_devices, dtype=np.int64)
        for agent in agents:
            place = np.asarray(actions.get(agent, before[agent]), dtype=np.int64)
            of_all = (place - 1) * scenario.n_slices + self._slice[agent] + 1
            choice[self._devices[agent]] = np.where(place == 0, 0, of_all)
        outcome = self.epochs.step(choice)
        terms, over = outcome.terms(self.reward), self.epochs.over
        inside = self.epochs.run.queues.inside().sum(axis=1)
        rewards, infos = {}, {}
        for agent in agents:
            if self.common:
                mine = terms
            else:
                moved = int((self._places(agent) != before[agent]).sum())
                mine = {
                    "waiting": -self.reward.waiting * float(inside[self._devices[agent]].sum()),
                    "moved": -self.reward.moved * moved,
                }
            rewards[agent] = float(sum(mine.values()))
            infos[agent] = {"reward_terms": mine, "outcome": outcome, "time_s": self.epochs.run.now_s}
        observations = self._observations()
        if over:
            self.agents = []
        return observations, rewards, dict.fromkeys(agents, False), dict.fromkeys(agents, over), infos

    def _places(self, agent: str) -> IntArray:
        decisions, devices = self.epochs.run.decisions, self._devices[agent]
        place = 1 + decisions.access_point * self.epochs.scenario.n_nodes + decisions.node
        return np.asarray(np.where(decisions.local, 0, place)[devices])

    def _observations(self) -> dict[str, Observation]:
        run, rates = self.epochs.run, self.epochs.rates_bps()
        waiting = np.minimum(run.queues.inside(), MOST_WAITING)
        return {
            agent: {
                "rate_bps": rates[self._devices[agent]],
                "waiting": waiting[self._devices[agent]],
                "bandwidth_share": np.clip(run.bandwidth_share[:, self._slice[agent]], 0.0, 1.0),
                "place": self._places(agent),
            }
            for agent in self.agents
        }


def _spaces(
    devices: int, access_points: int, places: int, highest_bps: float
) -> tuple[gym.spaces.Dict, gym.spaces.MultiDiscrete]:
    action = gym.spaces.MultiDiscrete(np.full(devices, places))
    observation = gym.spaces.Dict(
        {
            "rate_bps": gym.spaces.Box(0.0, highest_bps, (devices, access_points), np.float64),
            "waiting": gym.spaces.Box(0, MOST_WAITING, (devices, 3), np.int64),
            "bandwidth_share": gym.spaces.Box(0.0, 1.0, (access_points,), np.float64),
            "place": gym.spaces.MultiDiscrete(np.full(devices, places)),
        }
    )
    return observation, action
