"""Decisions and shares in force: what a plan began with, and what handovers and new plans have made of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from slicewright.network.scenario import Scenario
from slicewright.simulation._kernels.state import Grants
from slicewright.simulation.movement.links import Links
from slicewright.simulation.tasks.queues import Servers, grants_of
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.plan import Plan
from slicewright.slicing.shares import Shares
from slicewright.types import BoolArray, FloatArray, IntArray


class InForce:
    """Who uses what at this instant; changed in place.

    Attributes:
        shares: of all devices; those of devices that are not there count for nothing.
    """

    def __init__(self, plan: Plan) -> None:
        decisions, shares = plan.decisions, plan.shares
        self._scenario = plan.scenario
        self._access_point = np.array(decisions.access_point)
        self._node, self._slice = np.array(decisions.node), np.array(decisions.slice)
        self.shares = Shares(np.array(shares.bandwidth), np.array(shares.radio), np.array(shares.compute))

    @property
    def decisions(self) -> Decisions:
        """As they are now; a copy."""
        return Decisions.trusted(self._access_point.copy(), self._node.copy(), self._slice.copy())

    def of(self, devices: IntArray) -> tuple[Decisions, Shares]:
        """Decisions and shares of some devices."""
        return (
            Decisions.trusted(
                self._access_point[devices].copy(), self._node[devices].copy(), self._slice[devices].copy()
            ),
            Shares(self.shares.bandwidth, self.shares.radio[devices], self.shares.compute[devices]),
        )

    def grants(self, servers: Servers, present: BoolArray, links: Links | None) -> Grants:
        """As the queues see them, at the rates of this instant."""
        grants = grants_of(self._scenario, self.decisions, self.shares, servers, present)
        off = self._access_point >= 0
        share = np.where(off, self.shares.bandwidth[self._access_point, self._slice] * self.shares.radio, 0.0)
        return grants._replace(uplink_hz=share * self._serving_bps(links) / self._scenario.task_bits)

    def _serving_bps(self, links: Links | None) -> FloatArray:
        """(I,) bit/s. Rate on the access point in use, if the device had it to itself; 0 if local."""
        rate = np.zeros(self._scenario.n_devices)
        off = np.flatnonzero(self._access_point >= 0)
        if links is not None:
            rate[off] = links.on(self._access_point)[off]
        else:
            rate[off] = self._scenario.rate_of(off, self._access_point[off])
        return rate

    def hand_over(self, links: Links, present: BoolArray, *, stronger_db: float) -> BoolArray:
        """(I,) who changes to a stronger access point; the shares of all access points concerned follow.

        Args:
            links: of this instant.
            present: (I,) who is there.
            stronger_db: dB by which another access point must be stronger.
        """
        rows = np.arange(self._scenario.n_devices)
        best = links.snr.argmax(axis=1)
        serving = np.where(links.access_point == self._access_point[:, None], links.snr, 0.0).sum(axis=1)
        needed = serving * 10.0 ** (0.1 * stronger_db)
        changes = (self._access_point >= 0) & present & (links.snr[rows, best] > needed)
        if changes.any():
            target = links.access_point[rows, best]
            concerned = np.union1d(self._access_point[changes], target[changes])
            self._access_point[changes] = target[changes]
            self._share_radio(concerned, links, present)
        return np.asarray(changes)

    def _share_radio(self, access_points: IntArray, links: Links, present: BoolArray) -> None:
        """Closed form of SP1 and SP2 (model page 1.3) for the devices that use these access points now."""
        users = np.flatnonzero(np.isin(self._access_point, access_points) & present)
        rate = self._serving_bps(links)[users]
        root = np.sqrt(self._scenario.task_bits[users] / np.maximum(rate, 1e-300))
        sums = np.zeros_like(self.shares.bandwidth)
        np.add.at(sums, (self._access_point[users], self._slice[users]), root)
        total = sums.sum(axis=1, keepdims=True)
        filled = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
        self.shares.bandwidth[access_points] = filled[access_points]
        self.shares.radio[users] = root / sums[self._access_point[users], self._slice[users]]

    def adopt(self, devices: IntArray, after: Decisions, shares: Shares) -> tuple[BoolArray, BoolArray]:
        """Take on decisions and shares of these devices; (I,) who changed node or slice, and access point."""
        moved, radio = (np.zeros(self._scenario.n_devices, dtype=bool) for _ in range(2))
        moved[devices] = (after.node != self._node[devices]) | (after.slice != self._slice[devices])
        radio[devices] = (after.access_point != self._access_point[devices]) & (after.access_point >= 0)
        self._access_point[devices], self._node[devices] = after.access_point, after.node
        self._slice[devices] = after.slice
        self.shares = replace(self.shares, bandwidth=np.array(shares.bandwidth))
        self.shares.radio[devices] = shares.radio
        self.shares.compute[devices] = shares.compute
        return moved, radio

    def state(self) -> dict[str, np.ndarray]:
        """Everything that :meth:`restore` needs, as arrays."""
        return {
            "decisions": np.stack([self._access_point, self._node, self._slice]),
            "bandwidth": self.shares.bandwidth.copy(),
            "shares": np.stack([self.shares.radio, self.shares.compute]),
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from a saved state."""
        self._access_point, self._node, self._slice = (np.array(row) for row in state["decisions"])
        self.shares = Shares(np.array(state["bandwidth"]), *(np.array(row) for row in state["shares"]))


def part_of(scenario: Scenario, devices: IntArray, rate_bps: object, device_m: FloatArray | None) -> Scenario:
    """The scenario of some of the devices, at other positions and rates."""
    sites = scenario.sites
    return scenario.with_(
        task_bits=scenario.task_bits[devices],
        local_cycles=scenario.local_cycles[devices],
        local_capacity_hz=scenario.local_capacity_hz[devices],
        arrival_rate_hz=scenario.arrival_rate_hz[devices],
        slice_cycles=scenario.slice_cycles[devices],
        rate_bps=rate_bps[devices],  # type: ignore[index]  # an array or scipy's, which is untyped
        sites=replace(
            sites,
            device_m=None if device_m is None else device_m[devices].copy(),
            tx_power_w=None if sites.tx_power_w is None else sites.tx_power_w[devices],
        ),
    )
