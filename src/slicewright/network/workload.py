"""What devices ask for and what the network has to give: ranges, and scenarios drawn from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from slicewright.network.parameters import Range, with_parameters
from slicewright.network.radio import THERMAL_NOISE_DBM_HZ, Radio
from slicewright.network.scenario import Scenario, Sites, SliceId
from slicewright.network.slice_identity import with_identities
from slicewright.types import FloatArray, Queueing

BITS_PER_MEGABYTE = 8e6


@dataclass(frozen=True)
class Workload:
    """Everything that positions do not tell. A range (low, high) is drawn from uniformly, or fixed by low = high.

    The defaults are the published setting; what that leaves open is chosen as on the model page 1.6.

    Attributes:
        slices: names of the slices, or their number.
        bandwidth_hz: Hz, per access point.
        coin_capacity_hz, mec_capacity_hz: cycle/s, per node and slice.
        task_bits: bit, S_i.
        local_capacity_hz: cycle/s, F_i^l.
        cycles_per_bit: L_i / S_i.
        slice_work_ratio: L_in / L_i.
        arrival_rate_hz: 1/s, alpha_i.
        tx_power_w: W, P_i.
        noise_dbm_hz: dBm/Hz, N0, of the default radio model.
        path_loss_exponent: of the default radio model.
        radio: name of the radio model.
        reach_m: access points farther than this are no candidates, in m; 0 sets no limit.
        queueing: ``node`` or ``device``.
    """

    slices: int | tuple[str, ...] = 3
    bandwidth_hz: Range = (18e6, 18e6)
    coin_capacity_hz: Range = (5e8, 10e8)
    mec_capacity_hz: Range = (1e10, 1e10)
    task_bits: Range = (1 * BITS_PER_MEGABYTE, 10 * BITS_PER_MEGABYTE)
    local_capacity_hz: Range = (2e7, 2e7)
    cycles_per_bit: Range = (1.0, 5.0)
    slice_work_ratio: Range = (0.5, 1.0)
    arrival_rate_hz: Range = (0.1, 0.3)
    tx_power_w: Range = (1e-6, 0.1)
    noise_dbm_hz: float = THERMAL_NOISE_DBM_HZ
    path_loss_exponent: float = 4.0
    radio: str = "path-loss"
    reach_m: float = 0.0
    queueing: Queueing = "node"

    @property
    def slice_ids(self) -> tuple[SliceId, ...]:
        """Names of the slices with slice types counted from 1."""
        names = self.slices if isinstance(self.slices, tuple) else [f"s{n}" for n in range(self.slices)]
        return with_identities(names)

    @property
    def radio_model(self) -> Radio:
        """The radio model with the parameters that are set here."""
        parameters = {"reach_m": self.reach_m} if self.reach_m else {}
        if self.radio == "path-loss":
            parameters |= {"exponent": self.path_loss_exponent, "noise_dbm_hz": self.noise_dbm_hz}
        return Radio(self.radio, parameters)


Extended = TypeVar("Extended", bound=Workload)


def with_workload(
    defaults: Extended, overrides: Mapping[str, object], *, owner: str, may_be_zero: Sequence[str] = ()
) -> Extended:
    """A workload, or what extends it, with some parameters replaced and checked.

    Args:
        defaults: what is not replaced.
        overrides: new values by name, see :func:`~slicewright.network.parameters.with_parameters`.
        owner: what the parameters belong to, for messages.
        may_be_zero: names of further numbers that need not be positive.

    Raises:
        InvalidScenarioError: a name that is not known, or a value that breaks its rule.
    """
    return with_parameters(
        defaults,
        overrides,
        owner=owner,
        may_be_zero=(*may_be_zero, "reach_m"),
        may_be_negative=("noise_dbm_hz",),
    )


@np.errstate(over="ignore", invalid="ignore")  # what is too large is refused by the scenario, with its name
def populate(
    workload: Workload,
    rng: np.random.Generator,
    *,
    device_m: FloatArray,
    access_point_m: FloatArray,
    node_m: FloatArray,
    node_kinds: Sequence[str],
    access_points: Sequence[str] = (),
    nodes: Sequence[str] = (),
    origin: Mapping[str, object],
) -> Scenario:
    """A scenario on given positions, everything else drawn from the workload.

    Args:
        workload: the ranges.
        rng: draws in a fixed order, so the same state gives the same scenario.
        device_m: (I, 2) m.
        access_point_m: (A, 2) m.
        node_m: (J, 2) m.
        node_kinds: (J,) ``coin`` or ``mec``.
        access_points, nodes: names, or nothing for numbered ones.
        origin: where the positions come from.

    Raises:
        InvalidScenarioError: the radio model does not exist, or the draw makes no valid scenario.
    """

    def draw(bounds: Range, *shape: int) -> FloatArray:
        return rng.uniform(bounds[0], bounds[1], shape)

    devices, slices, radio = len(device_m), workload.slice_ids, workload.radio_model
    power = draw(workload.tx_power_w, devices)
    bandwidth = draw(workload.bandwidth_hz, len(access_point_m))
    bits = draw(workload.task_bits, devices)
    cycles = bits * draw(workload.cycles_per_bit, devices)
    local_capacity = draw(workload.local_capacity_hz, devices)
    arrival_rate = draw(workload.arrival_rate_hz, devices)
    slice_cycles = cycles[:, None] * draw(workload.slice_work_ratio, devices, len(slices))
    capacity = _node_capacity_hz(workload, node_kinds, rng)
    return Scenario(
        task_bits=bits,
        local_cycles=cycles,
        local_capacity_hz=local_capacity,
        arrival_rate_hz=arrival_rate,
        slice_cycles=slice_cycles,
        rate_bps=radio.rates(device_m, access_point_m, power, bandwidth),
        node_capacity_hz=capacity,
        bandwidth_hz=bandwidth,
        queueing=workload.queueing,
        slices=slices,
        access_points=tuple(access_points),
        nodes=tuple(nodes),
        node_kinds=tuple(node_kinds),
        sites=Sites(access_point_m=access_point_m, device_m=device_m, tx_power_w=power, node_m=node_m),
        radio=radio,
        origin=origin,
    )


def _node_capacity_hz(workload: Workload, kinds: Sequence[str], rng: np.random.Generator) -> FloatArray:
    """(J, N) cycle/s: COINs are drawn first, then MEC servers."""
    capacity = np.empty((len(kinds), len(workload.slice_ids)))
    for kind, bounds in (("coin", workload.coin_capacity_hz), ("mec", workload.mec_capacity_hz)):
        of_kind = np.array([k == kind for k in kinds], dtype=bool)
        capacity[of_kind] = rng.uniform(bounds[0], bounds[1], (int(of_kind.sum()), capacity.shape[1]))
    return capacity
