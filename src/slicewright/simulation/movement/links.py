"""Radio links that follow moving devices: path loss, shadowing on a fixed map, fading, candidates in reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.spatial import KDTree

from slicewright.errors import InvalidOptionError
from slicewright.network.radio import THERMAL_NOISE_DBM_HZ
from slicewright.network.scenario import Scenario
from slicewright.simulation._kernels import movement as kernels
from slicewright.simulation.movement.mobility import area, positions
from slicewright.types import FloatArray, IntArray

_MOST_CELLS = 64
"""Cells along the longer side of the area: where candidates are looked up, and where shadowing is drawn."""
_MOST_DENSE = 1_000_000
"""Scenarios with more device and access-point pairs keep rates as compressed rows."""


@dataclass(frozen=True)
class Air:
    """What happens to a signal besides path loss.

    Attributes:
        candidates: links that are measured for each device: its nearest access points.
        shadowing_db: dB, standard deviation of log-normal shadowing; 0 is none.
        shadowing_m: m, distance after which shadowing has forgotten all but 1 / e.
        fading: Rayleigh fading, afresh in every step.
    """

    candidates: int = 8
    shadowing_db: float = 0.0
    shadowing_m: float = 50.0
    fading: bool = False

    def __post_init__(self) -> None:
        if self.candidates < 1:
            raise InvalidOptionError("candidates", "must be at least 1", value=self.candidates)
        if self.shadowing_db < 0.0 or not self.shadowing_m > 0.0:
            raise InvalidOptionError("shadowing_db", "must not be negative", value=self.shadowing_db)


class Links:
    """Candidates of every device with their signal-to-noise ratios and rates.

    Attributes:
        access_point: (I, K) index.
        snr: (I, K) ratio, averaged over fading as receivers do before they hand over; 0 out of reach.
        rate_bps: (I, K) bit/s.
    """

    def __init__(self, scenario: Scenario, air: Air, *, seed: int) -> None:
        """Shadowing is a map for each access point, so that a device that comes back finds what it left.

        Raises:
            InvalidOptionError: the scenario has no positions or powers, or its radio model is not path loss.
        """
        sites, radio = scenario.sites, scenario.radio
        positions(scenario)
        if radio is None or radio.model != "path-loss" or sites.tx_power_w is None:
            raise InvalidOptionError(
                "mobility", "needs a scenario whose rates follow from positions by the radio model path-loss"
            )
        numbers = dict(radio.parameters)
        noise_dbm = numbers.get("noise_dbm_hz", THERMAL_NOISE_DBM_HZ)
        low, high = area(scenario)
        cell = float((high - low).max()) / _MOST_CELLS
        columns, rows = (int(n) for n in np.ceil((high - low) / cell).astype(int).clip(1))
        generator = np.random.default_rng([seed, 11])
        access_points = np.array(sites.access_point_m, dtype=np.float64)
        self._around = kernels.Surroundings(
            access_point=access_points,
            bandwidth=np.array(scenario.bandwidth_hz),
            noise=10.0 ** ((noise_dbm - 30.0) / 10.0) * np.array(scenario.bandwidth_hz),
            power=np.array(sites.tx_power_w),
            near=_nearest(access_points, air.candidates, low, cell, columns, rows),
            columns=columns,
            low=low,
            cell=cell,
            exponent=float(numbers.get("exponent", 4.0)),
            least=float(numbers.get("min_distance_m", 1.0)),
            reach=float(numbers.get("reach_m", np.inf)),
            shadow=_shadowing(air, len(access_points), rows + 2, columns + 2, cell, generator),
            shadow_cell=cell,
            fading=air.fading,
        )
        self._random = generator.integers(0, 2**64, (scenario.n_devices, 2), dtype=np.uint64)
        shape = (scenario.n_devices, self._around.near.shape[1])
        self.access_point: IntArray = np.zeros(shape, dtype=np.int64)
        self.snr, self.rate_bps = np.zeros(shape), np.zeros(shape)

    @property
    def surroundings(self) -> kernels.Surroundings:
        """What rates follow from, as kernels read it."""
        return self._around

    def measure(self, position_m: FloatArray) -> None:
        """Measure every device's candidates from where it is: (I, 2) m."""
        kernels.measure(self._around, position_m, self._random, self.access_point, self.snr, self.rate_bps)

    def on(self, access_point: IntArray) -> FloatArray:
        """(I,) bit/s. Rate of each device on one access point, 0 where it is no candidate."""
        match = self.access_point == access_point[:, None]
        return np.asarray(np.where(match, self.rate_bps, 0.0).sum(axis=1))

    def rates(self, n_access_points: int) -> FloatArray | sparse.csr_array:
        """(I, A) bit/s, as scenarios have them."""
        devices, candidates = self.access_point.shape
        rows = np.repeat(np.arange(devices), candidates)
        if devices * n_access_points <= _MOST_DENSE:
            dense = np.zeros((devices, n_access_points))
            dense[rows, self.access_point.ravel()] = self.rate_bps.ravel()
            return dense
        entries = (self.rate_bps.ravel(), (rows, self.access_point.ravel()))
        matrix = sparse.csr_array(sparse.coo_array(entries, shape=(devices, n_access_points)))
        matrix.eliminate_zeros()
        return matrix

    def state(self) -> dict[str, np.ndarray]:
        """What :meth:`restore` needs."""
        return {
            "links_random": self._random.copy(),
            "links_access_point": self.access_point.copy(),
            "links_snr": self.snr.copy(),
            "links_rate_bps": self.rate_bps.copy(),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a saved state."""
        self._random = np.array(state["links_random"])
        self.access_point = np.array(state["links_access_point"])
        self.snr, self.rate_bps = np.array(state["links_snr"]), np.array(state["links_rate_bps"])


def _nearest(
    access_point_m: FloatArray, candidates: int, low: FloatArray, cell: float, columns: int, rows: int
) -> IntArray:
    """(cells, K) access points nearest to the centre of every cell, row by row."""
    x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    centres = low + cell * np.stack([x.ravel(), y.ravel()], axis=1)
    count = min(candidates, len(access_point_m))
    _, nearest = KDTree(access_point_m).query(centres, k=count)
    return np.ascontiguousarray(np.asarray(nearest, dtype=np.int64).reshape(len(centres), count))


def _shadowing(
    air: Air, access_points: int, rows: int, columns: int, cell: float, generator: np.random.Generator
) -> FloatArray:
    """(A, rows, columns) dB. Gaussian with correlation exp(-distance / shadowing_m) (Gudmundson 1991)."""
    if air.shadowing_db == 0.0:
        return np.zeros((0, 0, 0))
    tall, wide = 2 * rows, 2 * columns  # twice as large, so that opposite borders do not feel each other
    y = np.minimum(np.arange(tall), tall - np.arange(tall))[:, None] * cell
    x = np.minimum(np.arange(wide), wide - np.arange(wide))[None, :] * cell
    spectrum = np.fft.fft2(np.exp(-np.hypot(x, y) / air.shadowing_m)).real.clip(0.0)
    fields = np.empty((access_points, rows, columns))
    for a in range(access_points):
        white = np.fft.fft2(generator.standard_normal((tall, wide)))
        fields[a] = np.fft.ifft2(np.sqrt(spectrum) * white).real[:rows, :columns]
    return air.shadowing_db * fields
