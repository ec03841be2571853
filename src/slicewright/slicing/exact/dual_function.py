"""The Lagrangian dual of a scenario as a function of prices: what networks that price are trained on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from slicewright.compiled import announce_compilation
from slicewright.network.scenario import Scenario
from slicewright.slicing.compact import compact
from slicewright.slicing.dual_prices import DualPrices
from slicewright.slicing.exact._kernels.dual_value import dual_value, make_dual_buffers
from slicewright.slicing.exact._kernels.pricing import Prices
from slicewright.slicing.exact.choices import all_choices
from slicewright.types import FloatArray

TOLERANCE = 1e-6
"""Part of all local times to which the gains of access points are worked out."""


class DualPoint(NamedTuple):
    """The dual function at some prices.

    Attributes:
        value_s: s, about what the prices prove; more by what local search misses of nodes' best sets.
        radio_slope: (I,) what the value grows by with each device's price to access points: 1, less how many want it.
        compute_slope: (I,) the same to nodes.
    """

    value_s: float
    radio_slope: FloatArray
    compute_slope: FloatArray


class DualFunction:
    """What prices are worth in one scenario, and where they should go: concave, with a slope everywhere.

    A value is a hope, not a proof: sets come from local search, which begins with those of the last call.
    :func:`slicewright.slicing.certificate.certify` proves.

    Args:
        scenario: the problem, either queueing variant, nodes not listed per device.

    Raises:
        InvalidScenarioError: devices have lists of nodes.
    """

    def __init__(self, scenario: Scenario) -> None:
        announce_compilation("slicing.exact")
        self.scenario = scenario
        self._problem = compact(scenario).problem
        self._choices = all_choices(self._problem)
        self._buffers = make_dual_buffers(scenario.n_devices, scenario.n_nodes, scenario.n_slices)
        self._tolerance = TOLERANCE * float(scenario.local_time_s.sum())

    def at(self, prices: DualPrices) -> DualPoint:
        """Value and slopes at prices, which are first cut to what a device pays at most: its local time.

        Raises:
            InvalidOptionError: prices of another number of devices, or that are no numbers.
        """
        given = prices.checked(self.scenario.n_devices)
        slopes = np.empty((2, self.scenario.n_devices))
        value = dual_value(
            self._problem, self._choices, Prices(given.radio_s, given.compute_s), self._buffers, slopes, self._tolerance
        )  # fmt: skip
        return DualPoint(float(value), slopes[0], slopes[1])
