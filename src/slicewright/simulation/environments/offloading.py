"""A network whose devices somebody else places, epoch by epoch: a Gymnasium environment."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from slicewright.network.scenario import Scenario
from slicewright.simulation.environments.epochs import (
    MOST_WAITING,
    Epochs,
    Reward,
    choice_of,
    choices,
    highest_rate_bps,
)
from slicewright.simulation.movement.mobility import Walk
from slicewright.simulation.settings import Settings
from slicewright.types import IntArray

Observation = dict[str, np.ndarray]


class OffloadingEnv(gym.Env[Observation, IntArray]):
    """Devices walk, tasks arrive and queue; every epoch the agent says where each device's tasks go from now on.

    Shares follow in closed form. Actions are (I,) whole numbers: 0 computes on the device, ``1 + (a * J + j) * N + n``
    offloads through access point a to node j in slice n. An episode is truncated after ``horizon_s``, never terminated.

    Observations, in physical units:

    - ``rate_bps`` (I, A) bit/s, what each link could carry alone; 0 out of reach or where a device is not there.
    - ``waiting`` (I, 3) tasks of each device on its uplink, on its node, and on the device itself.
    - ``place`` (I,) the choice in force, as in actions.
    - ``present`` (I,) 1 where the device is there.

    ``info`` has ``reward_terms`` by name (their sum is the reward), ``outcome`` and ``time_s``.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  # as its base class has it
        "render_modes": []
    }

    def __init__(
        self,
        scenario: Scenario,
        *,
        settings: Settings | None = None,
        walk: Walk | None = None,
        epoch_s: float = 10.0,
        horizon_s: float = 300.0,
        reward: Reward | None = None,
    ) -> None:
        """Spaces follow from the scenario.

        Args:
            scenario: with positions and powers.
            settings: of the run; the seed is drawn by ``reset``.
            walk: how devices move; by default walking from way point to way point.
            epoch_s: s between two actions.
            horizon_s: s, an episode.
            reward: weights of its terms.
        """
        self.reward = reward or Reward()
        self.epochs = Epochs(
            scenario, settings or Settings(), walk or Walk(), epoch_s=epoch_s, horizon_s=horizon_s
        )
        self.action_space = gym.spaces.MultiDiscrete(np.full(scenario.n_devices, choices(scenario)))
        self.observation_space = observation_space(scenario)  # type: ignore[assignment]  # dict is Any there

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Everybody computes on the device, where the scenario has it."""
        super().reset(seed=seed)
        self.epochs.begin(int(self.np_random.integers(2**31)))
        return self._observation(), {"time_s": 0.0}

    def step(self, action: IntArray) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """An epoch."""
        outcome = self.epochs.step(np.asarray(action, dtype=np.int64))
        terms = outcome.terms(self.reward)
        info = {"reward_terms": terms, "outcome": outcome, "time_s": self.epochs.run.now_s}
        return self._observation(), float(sum(terms.values())), False, self.epochs.over, info

    def _observation(self) -> Observation:
        run = self.epochs.run
        return {
            "rate_bps": self.epochs.rates_bps(),
            "waiting": np.minimum(run.queues.inside(), MOST_WAITING),
            "place": choice_of(self.epochs.scenario, run.decisions),
            "present": run.present.astype(np.int8),
        }


def observation_space(scenario: Scenario) -> gym.spaces.Dict:
    """What an observation of one network is."""
    devices = scenario.n_devices
    return gym.spaces.Dict(
        {
            "rate_bps": gym.spaces.Box(
                0.0, highest_rate_bps(scenario), (devices, scenario.n_access_points), np.float64
            ),
            "waiting": gym.spaces.Box(0, MOST_WAITING, (devices, 3), np.int64),
            "place": gym.spaces.MultiDiscrete(np.full(devices, choices(scenario))),
            "present": gym.spaces.MultiBinary(devices),
        }
    )
