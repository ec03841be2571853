"""Measured queues against their formulas: where these hold, where they do not, and by how much.

Every case is simulated as many independent copies at once; intervals are those of the mean over the copies. Times are
in units of a mean service time, loads in parts of what a share can serve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from slicewright.simulation._kernels import state as kernels
from slicewright.simulation.tasks.demand import Arrivals, Distribution
from slicewright.simulation.tasks.queues import Disciplines, TaskQueues
from slicewright.simulation.validation import theory
from slicewright.types import FloatArray, IntArray

LOADS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Loads at which queues are measured, as parts of what the slowest share can serve."""
COPIES = 240
_GROUPS = 12
_LEAST_TASKS = 40
_BINS = np.concatenate([[0.0], np.geomspace(1e-3, 1e5, 4001), [np.inf]])


@dataclass(frozen=True, eq=False)
class Case:
    """One kind of queue.

    Attributes:
        name: what it is.
        group: panel of the figure: ``share``, ``node``, ``overstated``, ``work``, ``bursts`` or ``uplink``.
        sharing: devices for each queue on a node.
        speeds: (sharing,) of the devices of one queue, slowest 1.
        own_servers: a queue for each device, though the formula counts all of them.
        work: distribution.
        arrivals: process; a burst lasts so many mean service times.
        uplink_load: load of an uplink before the node; 0 for none.
        of_uplink: measure the uplink instead of the node.
        exact: whether theory knows the mean (else only the model's formula stands beside it).
        spread: how many more tasks than an M/M/1 queue it takes to measure it as well.
    """

    name: str
    group: str
    sharing: int = 1
    speeds: tuple[float, ...] = (1.0,)
    own_servers: bool = True
    work: Distribution = field(default_factory=Distribution)
    arrivals: Arrivals = field(default_factory=Arrivals)
    uplink_load: float = 0.0
    of_uplink: bool = False
    exact: bool = True
    spread: float = 1.0

    def rates(self, load: float) -> tuple[FloatArray, FloatArray]:
        """(sharing,) service rates and arrival rates of the devices of one queue; load is (13c)'s: all over slowest."""
        speeds = np.resize(np.array(self.speeds), self.sharing)
        return speeds, np.full(self.sharing, load / self.sharing)

    def formula_s(self, load: float) -> float:
        """What the model says: (5) in its variants, or (2) for an uplink."""
        speeds, arrivals = self.rates(load)
        if self.of_uplink:
            return 1.0
        return float(theory.published_sojourn_s(speeds, arrivals).mean())

    def exact_s(self, load: float) -> float:
        """What theory says; not a number where it is silent."""
        speeds, arrivals = self.rates(load)
        if not self.exact:
            return float("nan")
        if self.of_uplink:
            return theory.mg1_sojourn_s(1.0, load, 0.0)
        if self.own_servers:
            variation = self.work.squared_variation
            return theory.mg1_sojourn_s(1.0, float(arrivals[0]), variation)
        return float(theory.shared_queue_sojourn_s(speeds, arrivals).mean())


CASES = (
    Case("a queue for each share (variant device)", "share"),
    Case("one queue for 10 devices, equal speeds (variant node)", "node", sharing=10, own_servers=False),
    Case(
        "one queue for 10 devices, speeds 1 to 4", "node", sharing=10, own_servers=False,
        speeds=tuple(np.linspace(1.0, 4.0, 10)),
    ),
    Case("2 devices on a node, variant node promised, shares enforced", "overstated", sharing=2),
    Case("10 devices on a node, variant node promised, shares enforced", "overstated", sharing=10),
    Case("fixed work", "work", work=Distribution("fixed"), spread=0.5),
    Case("log-normal work, variation 2", "work", work=Distribution("lognormal", 2.0), spread=4.0),
    Case(
        "bursts: 4 times the rate in a fifth of the time", "bursts", arrivals=Arrivals("bursts"), exact=False,
        spread=2.0,
    ),
    Case(
        "bursts: twice the rate in a fifth of the time", "bursts",
        arrivals=Arrivals("bursts", burst_factor=2.0), exact=False, spread=1.5,
    ),
    Case("uplink with its own queue, (2) promised", "uplink", of_uplink=True, spread=0.5),
    Case("a node's share behind an uplink with load 0.9", "uplink", uplink_load=0.9, exact=False),
)  # fmt: skip
"""What is validated."""


@dataclass(frozen=True, eq=False)
class Row:
    """One measurement.

    Attributes:
        case: of which case.
        load: part of what a share can serve.
        tasks: that were measured.
        mean_s: mean time, in mean service times.
        half_width_s: of its 95 % interval.
        formula_s: what the model promises.
        exact_s: what theory says, if it does.
        tail_s: 99 % took no longer.
        tail_half_width_s: of its 95 % interval.
        tail_formula_s: what the model's M/M/1 queue promises of that.
    """

    case: Case
    load: float
    tasks: int
    mean_s: float
    half_width_s: float
    formula_s: float
    exact_s: float
    tail_s: float
    tail_half_width_s: float
    tail_formula_s: float

    @property
    def error(self) -> float:
        """Formula over measured, minus 1: above 0 the model overstates."""
        return self.formula_s / self.mean_s - 1.0

    @property
    def exact_error(self) -> float:
        """Measured over theory, minus 1."""
        return self.mean_s / self.exact_s - 1.0

    @property
    def holds(self) -> bool:
        """Whether theory lies within three half widths, or 1 %, of what was measured."""
        return abs(self.mean_s - self.exact_s) <= max(3.0 * self.half_width_s, 0.01 * self.exact_s)


def validate(
    *,
    precision: float = 0.005,
    loads: tuple[float, ...] = LOADS,
    cases: tuple[Case, ...] = CASES,
    seed: int = 0,
    progress: Callable[[int, int], bool | None] | None = None,
) -> list[Row]:
    """Measure every case at every load.

    Args:
        precision: standard error that an M/M/1 queue of that load is measured with, relative; other queues need more
            tasks or fewer, and have the interval that comes out.
        loads: parts of what a share can serve.
        cases: what to measure.
        seed: of everything.
        progress: told how many of how many measurements are done; False ends with those.
    """
    rows = []
    for k, (case, load) in enumerate((case, load) for case in cases for load in loads):
        rows.append(_measure(case, load, precision, seed + k))
        if progress is not None and progress(k + 1, len(cases) * len(loads)) is False:
            break
    return rows


def tasks_needed(load: float, precision: float) -> int:
    """How many tasks of an M/M/1 queue give its mean time to a relative standard error (Daley 1968)."""
    spread = load * (2.0 + 5.0 * load - 4.0 * load**2 + load**3) / (1.0 - load) ** 4
    return int(np.ceil((1.0 + spread * (1.0 - load) ** 2) / precision**2))


def _measure(case: Case, load: float, precision: float, seed: int) -> Row:
    queues = _queues(case, load, seed)
    speeds, arrivals = case.rates(load)
    devices = COPIES * case.sharing
    needed = int(case.spread * tasks_needed(load, precision))
    relaxation = 1.0 / (1.0 - np.sqrt(load)) ** 2  # time constant of an M/M/1 queue (Cohen 1982)
    warm_up = 6.0 * max(1.0, case.spread) * relaxation + 50.0
    horizon = warm_up + max(needed / (COPIES * arrivals.sum()), _LEAST_TASKS / arrivals.min())
    sums, counts, tails = np.zeros(devices), np.zeros(devices), np.zeros((_GROUPS, len(_BINS) - 1))
    for device, time in _sojourns(queues, case, horizon, warm_up):
        sums += np.bincount(device, weights=time, minlength=devices)
        counts += np.bincount(device, minlength=devices)
        copy = device // case.sharing % _GROUPS
        cell = copy * (len(_BINS) - 1) + np.searchsorted(_BINS, time, side="right") - 1
        tails += np.bincount(cell, minlength=tails.size).reshape(tails.shape)
    # Devices of one queue have their own means; each counts alike, whatever its tasks.
    by_device = (sums / np.maximum(counts, 1.0)).reshape(COPIES, case.sharing)
    per_copy = by_device.mean(axis=1)
    quantiles = np.array([_quantile(row, 0.99) for row in tails])
    slowest = float(speeds.min())
    return Row(
        case=case,
        load=load,
        tasks=int(counts.sum()),
        mean_s=float(per_copy.mean()),
        half_width_s=_half_width(per_copy),
        formula_s=case.formula_s(load),
        exact_s=case.exact_s(load),
        tail_s=float(quantiles.mean()),
        tail_half_width_s=_half_width(quantiles),
        tail_formula_s=1.0 if case.of_uplink else theory.mm1_quantile_s(slowest, float(arrivals.sum()), 0.99),
    )


def _queues(case: Case, load: float, seed: int) -> TaskQueues:
    """Many copies of a case, side by side."""
    speeds, arrivals = case.rates(load)
    devices = COPIES * case.sharing
    rate = np.tile(arrivals, COPIES)
    nothing = np.zeros(0)
    demand = kernels.Demand(
        rate,
        {"poisson": kernels.POISSON, "bursts": kernels.MODULATED}[case.arrivals.kind],
        case.arrivals.burst,
        np.zeros(devices + 1, dtype=np.int64),
        nothing,
        nothing,
        nothing,
        *Distribution("fixed").packed,
        *case.work.packed,
    )
    own = np.arange(devices)
    uplink = np.full(devices, 1e12)
    if case.of_uplink:
        uplink[:] = 1.0
    elif case.uplink_load:
        uplink = rate / case.uplink_load
    service = np.full(devices, 1e12) if case.of_uplink else np.tile(speeds, COPIES)
    server = own if case.own_servers else own // case.sharing
    grants = kernels.Grants(uplink, server, service, np.ones(devices), own)
    disciplines = Disciplines("share" if case.own_servers else "node")
    return TaskQueues(demand, grants, disciplines, n_servers=devices, seed=seed)


def _sojourns(
    queues: TaskQueues, case: Case, horizon: float, warm_up: float
) -> Iterator[tuple[IntArray, FloatArray]]:
    """Devices and times of the tasks that arrive after the warm-up, piece by piece."""
    for part in queues.pieces(horizon):
        kept = part.arrived_s >= warm_up
        begin = part.arrived_s if case.of_uplink else part.transmitted_s
        end = part.transmitted_s if case.of_uplink else part.done_s
        yield part.device[kept], (end - begin)[kept]


def _quantile(counts: FloatArray, part: float) -> float:
    """Within the bin, as if its tasks lay evenly."""
    total = counts.cumsum()
    k = int(np.searchsorted(total, part * total[-1]))
    before = total[k - 1] if k else 0.0
    return float(_BINS[k] + (_BINS[k + 1] - _BINS[k]) * (part * total[-1] - before) / max(counts[k], 1.0))


def _half_width(values: FloatArray) -> float:
    """Of the 95 % interval of a mean over independent copies."""
    return float(stats.t.ppf(0.975, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size))
