"""Dual prices from a network: where certificates may begin instead of walking there.

Any prices make a valid bound (:mod:`slicewright.slicing.dual_prices`), so that a network can be wrong about them and
the bound still holds: it is looser then.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slicewright.models.session import ModelUnavailableError
from slicewright.models.slicing.session import load_model
from slicewright.network.scenario import Scenario
from slicewright.slicing.dual_prices import DualPrices

_RADIO, _COMPUTE = 2, 3
"""Outputs of a size-free network that hold prices, in units of the mean local time."""


def learned_prices(scenario: Scenario, *, model: str = "bipartite") -> DualPrices:
    """What devices offer for being served, by a network.

    Args:
        scenario: the problem.
        model: name of a size-free network with prices.

    Raises:
        ModelUnavailableError: there is no such model, it has no prices, or the scenario is too large for it.
    """
    loaded = load_model(model)
    if not loaded.prices:
        raise ModelUnavailableError(f"{model} says nothing of prices")
    return prices_among(loaded.run(scenario), scenario)


def prices_among(outputs: Sequence[np.ndarray], scenario: Scenario) -> DualPrices:
    """The prices among the outputs of a network that has them, s."""
    unit = float(scenario.local_time_s.mean())
    return DualPrices(unit * outputs[_RADIO].astype(np.float64), unit * outputs[_COMPUTE].astype(np.float64))
