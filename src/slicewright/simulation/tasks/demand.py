"""What arrives: distributions of sizes and work, and processes of arrivals, as users write them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.files.fields import FieldReader
from slicewright.network.scenario import Scenario
from slicewright.simulation._kernels import state as kernels
from slicewright.types import FloatArray

_read = FieldReader(InvalidOptionError)
_DISTRIBUTIONS = {
    "fixed": kernels.FIXED,
    "exponential": kernels.EXPONENTIAL,
    "lognormal": kernels.LOGNORMAL,
    "sampled": kernels.SAMPLED,
}
_ARRIVALS = {
    "poisson": kernels.POISSON,
    "bursts": kernels.MODULATED,
    "periodic": kernels.PERIODIC,
    "traced": kernels.TRACED,
}
_NO_SAMPLES = np.ones(1)


@dataclass(frozen=True, eq=False)
class Distribution:
    """Of the size or the work of a task, around the device's mean.

    Attributes:
        kind: ``fixed``, ``exponential``, ``lognormal`` or ``sampled``.
        variation: of ``lognormal``: standard deviation over mean.
        samples: (k,) of ``sampled``: measured values, drawn with replacement; only their shape counts, their mean is
            that of the device.

    Raises:
        InvalidOptionError: no such kind, a variation or a sample that is not positive.
    """

    kind: str = "exponential"
    variation: float = 1.0
    samples: FloatArray = field(default_factory=lambda: _NO_SAMPLES)

    def __post_init__(self) -> None:
        _read.choice(self.kind, "distribution", tuple(_DISTRIBUTIONS))
        if not 0.0 < self.variation < np.inf:
            raise InvalidOptionError("variation", "must be a positive number", value=self.variation)
        _read.numbers(self.samples, "samples", (None,), positive=True)

    @classmethod
    def parse(cls, text: str, *, field: str = "distribution") -> Distribution:
        """``fixed``, ``exponential``, ``lognormal`` or ``lognormal:2`` (standard deviation over mean).

        Args:
            text: one of these.
            field: what an error calls it.

        Raises:
            InvalidOptionError: something else.
        """
        kind, _, number = text.partition(":")
        if kind == "sampled" or kind not in _DISTRIBUTIONS or (number and kind != "lognormal"):
            raise InvalidOptionError(
                field, "must be fixed, exponential, lognormal or lognormal:<variation>", value=text
            )
        return cls(kind, _number(number, text) if number else 1.0)

    @property
    def squared_variation(self) -> float:
        """Variance over squared mean."""
        if self.kind == "sampled":
            return float(np.var(self.samples) / np.mean(self.samples) ** 2)
        return {"fixed": 0.0, "exponential": 1.0}.get(self.kind, self.variation**2)

    @property
    def packed(self) -> tuple[int, float, FloatArray]:
        """Kind, spread and samples as the kernels read them."""
        samples = np.asarray(self.samples, dtype=np.float64)
        spread = float(np.sqrt(np.log1p(self.variation**2)))
        return _DISTRIBUTIONS[self.kind], spread, samples / samples.mean()


@dataclass(frozen=True, eq=False)
class Arrivals:
    """How tasks of a device arrive, at the device's mean rate.

    Attributes:
        kind: ``poisson``, ``bursts`` (Poisson, modulated by a two-state Markov chain), ``periodic`` with a random
            phase, or ``traced``.
        burst_factor: of ``bursts``: rate in a burst over the mean rate.
        burst_part: part of the time that bursts take; between them nothing arrives where factor * part is 1.
        burst_s: s, mean length of a burst.
        trace: of ``traced``: one sorted array of arrival times in s for each device.
        sizes, works: of ``traced``: of every task, over the device's mean, in arrays like those of ``trace``; none
            where they are drawn from the distributions.

    Raises:
        InvalidOptionError: no such kind, or a number out of range.
    """

    kind: str = "poisson"
    burst_factor: float = 4.0
    burst_part: float = 0.2
    burst_s: float = 20.0
    trace: tuple[FloatArray, ...] = ()
    sizes: tuple[FloatArray, ...] = ()
    works: tuple[FloatArray, ...] = ()

    def __post_init__(self) -> None:
        _read.choice(self.kind, "arrivals", tuple(_ARRIVALS))
        if not 0.0 < self.burst_part < 1.0:
            raise InvalidOptionError("burst_part", "must lie between 0 and 1", value=self.burst_part)
        if not 1.0 <= self.burst_factor <= (1.0 + 1e-12) / self.burst_part:
            rule = f"must lie between 1 and 1 / burst_part = {1.0 / self.burst_part:.4g}"
            raise InvalidOptionError("burst_factor", rule, value=self.burst_factor)
        if not 0.0 < self.burst_s < np.inf:
            raise InvalidOptionError("burst_s", "must be a positive number of seconds", value=self.burst_s)
        for times in self.trace:
            if (np.diff(times) <= 0).any() or (np.size(times) and not np.min(times) > 0):
                raise InvalidOptionError("trace", "times of a device must be positive and ascending")
        for name in ("sizes", "works"):
            given = getattr(self, name)
            if given and [np.size(column) for column in given] != [np.size(times) for times in self.trace]:
                raise InvalidOptionError(name, "must have a number for each time of the trace")
            if any(not (np.isfinite(column) & (column > 0)).all() for column in given):
                raise InvalidOptionError(name, "must be positive numbers")

    @classmethod
    def parse(cls, text: str) -> Arrivals:
        """``poisson``, ``periodic``, ``bursts`` or ``bursts:3`` (rate in a burst over mean rate).

        Raises:
            InvalidOptionError: something else.
        """
        kind, _, number = text.partition(":")
        if kind not in ("poisson", "periodic", "bursts") or (number and kind != "bursts"):
            rule = "must be poisson, periodic, bursts or bursts:<factor>"
            raise InvalidOptionError("arrivals", rule, value=text)
        return cls(kind, burst_factor=_number(number, text) if number else 4.0)

    def dispersion(self, rate_hz: FloatArray) -> FloatArray:
        """(I,) variance over mean of the number of arrivals in a long time, at each device's mean rate."""
        if self.kind == "bursts":
            busy, quiet, leave, come = self.burst
            part = come / (leave + come)
            swing = (busy - quiet) ** 2 * part * (1.0 - part) / (leave + come)
            return np.asarray(1.0 + 2.0 * rate_hz * swing)
        return np.full(rate_hz.shape, 0.0 if self.kind == "periodic" else 1.0)

    @property
    def burst(self) -> FloatArray:
        """(4,) factors of the rate in and between bursts, 1/s rates of leaving each."""
        quiet = max(0.0, 1.0 - self.burst_factor * self.burst_part) / (1.0 - self.burst_part)
        leave = 1.0 / self.burst_s
        return np.array([self.burst_factor, quiet, leave, leave * self.burst_part / (1.0 - self.burst_part)])


def _number(number: str, text: str) -> float:
    try:
        return float(number)
    except ValueError:
        raise InvalidOptionError("distribution", "must end in a number after the colon", value=text) from None


def packed_demand(
    scenario: Scenario, *, arrivals: Arrivals, size: Distribution, work: Distribution
) -> kernels.Demand:
    """Everything that arrives, as the kernels read it.

    Raises:
        InvalidOptionError: a trace that is not one array for each device.
    """
    trace = arrivals.trace
    if arrivals.kind == "traced" and len(trace) != scenario.n_devices:
        rule = f"must have times of each of the {scenario.n_devices} devices"
        raise InvalidOptionError("trace", rule, value=len(trace))
    start = np.zeros(scenario.n_devices + 1, dtype=np.int64)
    if trace:
        np.cumsum([len(times) for times in trace], out=start[1:])
    return kernels.Demand(
        np.array(scenario.arrival_rate_hz),
        _ARRIVALS[arrivals.kind],
        arrivals.burst,
        start,
        _joined(trace),
        _joined(arrivals.sizes),
        _joined(arrivals.works),
        *size.packed,
        *work.packed,
    )


def _joined(columns: tuple[FloatArray, ...]) -> FloatArray:
    return np.concatenate(columns).astype(np.float64) if columns else np.zeros(0)
