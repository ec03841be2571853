"""A crowd that a control plane can be driven with: who walks where, who leaves and who comes back, as values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.network.scenario import Scenario
from slicewright.simulation.movement.links import Air, Links
from slicewright.simulation.movement.mobility import Walk, Walkers
from slicewright.types import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class CrowdReport:
    """What one device's reports of an instant are made of.

    Attributes:
        device: index.
        what: ``joined``, ``left`` or ``measured``.
        rate_bps: access point name to bit/s; empty where it left.
        arrival_rate_hz: 1/s.
        position_m: (x, y) in m.
    """

    device: int
    what: str
    rate_bps: dict[str, float]
    arrival_rate_hz: float
    position_m: tuple[float, float]


class Crowd:
    """Devices of a scenario that walk, whose demand rises and falls, and that stay away at times.

    Attributes:
        present: (I,) who is there.
        now_s: s.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        walk: Walk | None = None,
        air: Air | None = None,
        stay_s: float = 300.0,
        away_s: float = 60.0,
        least_change: float = 0.02,
        seed: int = 0,
    ) -> None:
        """Everybody is there.

        Args:
            scenario: with positions and powers.
            walk: how they move; by default 1 to 5 m/s from way point to way point.
            air: shadowing and fading.
            stay_s, away_s: s, mean times of being there and of being away.
            least_change: part by which a rate must change before a device reports it.
            seed: one seed repeats a crowd.

        Raises:
            InvalidOptionError: the scenario has no positions, or a time is not positive.
        """
        for name, value in (("stay_s", stay_s), ("away_s", away_s)):
            if not 0.0 < value < np.inf:
                raise InvalidOptionError(name, "must be a positive number of seconds", value=value)
        self._scenario, self._least = scenario, least_change
        self._walkers = Walkers(scenario, walk or Walk(speed_mps=(1.0, 5.0), pause_s=10.0), seed=seed)
        self._links = Links(scenario, air or Air(shadowing_db=4.0), seed=seed)
        self._random = np.random.default_rng([seed, 23])
        self._stay_s, self._away_s = stay_s, away_s
        self.now_s = 0.0
        self.present: BoolArray = np.ones(scenario.n_devices, dtype=bool)
        self._change_s = self._random.exponential(stay_s, scenario.n_devices)
        self._phase = self._random.uniform(0.0, 2.0 * np.pi, scenario.n_devices)
        self._told = np.zeros((scenario.n_devices, scenario.n_access_points))

    def step(self, seconds: float) -> list[CrowdReport]:
        """Go on, and return what devices would tell: joins, leaves, and rates that changed."""
        self._walkers.step(self.now_s, seconds)
        self._links.measure(np.ascontiguousarray(self._walkers.position_m))
        self.now_s += seconds
        rates, arrivals = self._rates(), self.arrival_rate_hz
        reports = []
        for i in range(self._scenario.n_devices):
            what = "measured"
            if self._change_s[i] <= self.now_s:
                self.present[i] = not self.present[i]
                mean = self._stay_s if self.present[i] else self._away_s
                self._change_s[i] = self.now_s + self._random.exponential(mean)
                what = "joined" if self.present[i] else "left"
            elif not self.present[i] or not self._changed(rates[i], self._told[i]):
                continue
            self._told[i] = rates[i]
            names = self._scenario.access_points
            reach = (
                {names[a]: float(rates[i, a]) for a in np.flatnonzero(rates[i])} if self.present[i] else {}
            )
            x, y = self._walkers.position_m[i].tolist()
            reports.append(CrowdReport(i, what, reach, float(arrivals[i]), (x, y)))
        return reports

    @property
    def arrival_rate_hz(self) -> FloatArray:
        """(I,) 1/s. Half above and below the scenario's in ten minutes, each device in its own time."""
        swing = 1.0 + 0.5 * np.sin(2.0 * np.pi * self.now_s / 600.0 + self._phase)
        return np.asarray(self._scenario.arrival_rate_hz * swing)

    def _changed(self, now: FloatArray, told: FloatArray) -> bool:
        return bool((np.abs(now - told) > self._least * np.maximum(told, 1.0)).any())

    def _rates(self) -> FloatArray:
        rates = np.zeros_like(self._told)
        np.put_along_axis(rates, self._links.access_point, self._links.rate_bps, axis=1)
        return rates
