"""Where devices are at any time: mobility models, and positions that were recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from slicewright.errors import InvalidOptionError, UnknownNameError
from slicewright.network.scenario import Scenario
from slicewright.simulation._kernels import movement as kernels
from slicewright.types import BoolArray, FloatArray

MODELS = {
    "waypoint": kernels.WAYPOINT,
    "gauss-markov": kernels.GAUSS_MARKOV,
    "manhattan": kernels.MANHATTAN,
}


class Movement(Protocol):
    """Positions and presence of every device over time."""

    @property
    def position_m(self) -> FloatArray:
        """(I, 2) m, now."""
        ...

    @property
    def present(self) -> BoolArray:
        """(I,) which devices are there now."""
        ...

    def step(self, now_s: float, seconds: float) -> None:
        """Go on from ``now_s`` by some seconds."""
        ...

    def state(self) -> dict[str, np.ndarray]:
        """What :meth:`restore` needs, as arrays."""
        ...

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a saved state."""
        ...


@dataclass(frozen=True)
class Walk:
    """A mobility model in a rectangle.

    Attributes:
        model: ``waypoint`` (random waypoint), ``gauss-markov`` or ``manhattan``.
        speed_mps: m/s, slowest and fastest.
        pause_s: s, longest rest at a way point.
        memory: Gauss-Markov: how much of speed and heading is left after a second.
        block_m: m, Manhattan: distance of the streets.
        turning: Manhattan: probability of turning at a crossing.

    Raises:
        UnknownNameError: no such model.
        InvalidOptionError: a number out of range.
    """

    model: str = "waypoint"
    speed_mps: tuple[float, float] = (0.5, 2.0)
    pause_s: float = 30.0
    memory: float = 0.9
    block_m: float = 100.0
    turning: float = 0.5

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise UnknownNameError("mobility model", self.model, MODELS)
        if not 0.0 < self.speed_mps[0] <= self.speed_mps[1] < np.inf:
            raise InvalidOptionError(
                "speed_mps", "must be two positive speeds in ascending order", value=self.speed_mps
            )
        for name, low, high in (("pause_s", 0.0, np.inf), ("memory", 0.0, 1.0), ("turning", 0.0, 1.0)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InvalidOptionError(name, f"must lie between {low:g} and {high:g}", value=value)
        if not self.block_m > 0.0:
            raise InvalidOptionError("block_m", "must be positive", value=self.block_m)


class Walkers:
    """Devices that walk by a model, all present, from the scenario's positions."""

    def __init__(self, scenario: Scenario, walk: Walk, *, seed: int) -> None:
        """Start where the scenario has the devices; on the nearest street in a Manhattan grid.

        Raises:
            InvalidOptionError: the scenario has no positions.
        """
        position = positions(scenario)
        low, high = area(scenario)
        if walk.model == "manhattan":
            blocks = np.maximum(1.0, np.floor((high - low) / walk.block_m + 1e-9)) * walk.block_m
            low = 0.5 * (low + high - blocks)
            high = low + blocks
        self._walk = kernels.Walk(
            kind=MODELS[walk.model],
            low=low,
            high=high,
            slow=float(walk.speed_mps[0]),
            fast=float(walk.speed_mps[1]),
            pause=float(walk.pause_s),
            memory=float(walk.memory),
            block=float(walk.block_m),
            turning=float(walk.turning),
        )
        generator = np.random.default_rng([seed, 7])
        devices = scenario.n_devices
        self._random = generator.integers(0, 2**64, (devices, 1), dtype=np.uint64)
        self._state = np.zeros((devices, kernels.COLUMNS))
        self._state[:, :2] = np.clip(position, low, high)
        self._state[:, kernels.SPEED] = generator.uniform(*walk.speed_mps, devices)
        self._state[:, kernels.HEADING] = generator.uniform(0.0, 2 * np.pi, devices)
        self._state[:, kernels.TARGET_X : kernels.TARGET_Y + 1] = self._state[:, :2]
        if walk.model == "manhattan":
            self._put_on_streets(low, walk.block_m, generator)
        self._present = np.ones(devices, dtype=bool)

    def _put_on_streets(self, low: FloatArray, block_m: float, generator: np.random.Generator) -> None:
        crossing = low + np.round((self._state[:, :2] - low) / block_m) * block_m
        crossing = np.minimum(crossing, self._walk.high)
        self._state[:, :2] = crossing
        self._state[:, kernels.TARGET_X : kernels.TARGET_Y + 1] = crossing
        self._state[:, kernels.HEADING] = generator.integers(0, 4, len(crossing))

    @property
    def position_m(self) -> FloatArray:
        """(I, 2) m."""
        return self._state[:, :2]

    @property
    def present(self) -> BoolArray:
        """(I,) all."""
        return self._present

    @property
    def kernel_walk(self) -> kernels.Walk:
        """The model as kernels read it."""
        return self._walk

    def step(self, now_s: float, seconds: float) -> None:
        """Walk on."""
        kernels.move(self._walk, self._state, self._random, float(seconds))

    def state(self) -> dict[str, np.ndarray]:
        """Positions, speeds, targets and random streams."""
        return {"walkers": self._state.copy(), "walkers_random": self._random.copy()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a saved state."""
        self._state = np.array(state["walkers"])
        self._random = np.array(state["walkers_random"])


def positions(scenario: Scenario) -> FloatArray:
    """(I, 2) m. Positions of the devices.

    Raises:
        InvalidOptionError: the scenario has none.
    """
    if scenario.sites.device_m is None or scenario.sites.access_point_m is None:
        raise InvalidOptionError("mobility", "needs positions of devices and access points in the scenario")
    return scenario.sites.device_m


def area(scenario: Scenario) -> tuple[FloatArray, FloatArray]:
    """Lower left and upper right corner, m, of everything that has a position; at least 1 m wide."""
    sites = scenario.sites
    placed = [p for p in (sites.access_point_m, sites.device_m, sites.node_m) if p is not None]
    everything = np.vstack(placed) if placed else np.zeros((1, 2))
    low = everything.min(axis=0)
    return low, np.maximum(everything.max(axis=0), low + 1.0)
