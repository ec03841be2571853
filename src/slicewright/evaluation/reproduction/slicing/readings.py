"""What a trained model says of a scenario, read three ways; "raw" is always the first, for every model alike.

``argmax``: every device by itself takes its most probable decision (44), then closed-form shares after repair. For the
published models that is the joint argmax; for the size-free network the most probable access point and group.
``decoded``: the same probabilities in 32 orders, each device priced against the others; the cheapest plan counts. That
is a search under the true cost, guided by the model. ``own``: the decisions of the argmax with the shares that the
model itself answers for SP1 and SP2, as published; nothing is repaired, so 13b and 13c may break.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from slicewright.models.cards import BIPARTITE
from slicewright.models.slicing.decoding import (
    decode_choices,
    decode_soft,
    most_probable,
    repaired,
    soft_choices,
)
from slicewright.models.slicing.session import LoadedModel
from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.plan import Plan
from slicewright.slicing.shares import Shares

Reading: TypeAlias = Literal["argmax", "decoded", "own"]
ORDERS = 32
"""In which soft decisions are decoded."""
READING_LABELS: dict[Reading, str] = {
    "argmax": "argmax",
    "decoded": f"decoded in {ORDERS} orders",
    "own": "own shares",
}


def read(model: LoadedModel, scenario: Scenario, reading: Reading) -> Plan:
    """One inference, and the plan that a reading makes of it.

    Args:
        model: loaded.
        scenario: of a size that the model serves.
        reading: see the module; ``own`` needs a model that answers shares.

    Raises:
        ModelUnavailableError: the network's size is not the model's.
        ValueError: ``own`` is asked of a model without shares.
    """
    outputs = model.run(scenario)
    bipartite = model.card.kind == BIPARTITE
    if reading == "decoded":
        soft = (outputs[0], outputs[1]) if bipartite else soft_choices(scenario, outputs[0])
        return Plan(scenario, *repaired(scenario, decode_soft(scenario, *soft, count=ORDERS)))
    chosen = (
        most_probable(scenario, outputs[0], outputs[1]) if bipartite else decode_choices(scenario, outputs[0])
    )
    if reading == "argmax":
        return Plan(scenario, *repaired(scenario, chosen))
    if bipartite:
        raise ValueError(f"{model.card.name} answers no shares: read it as argmax or decoded")
    return Plan(scenario, chosen, own_shares(scenario, chosen, outputs[2], outputs[3]))


def own_shares(scenario: Scenario, chosen: Decisions, share: np.ndarray, bandwidth: np.ndarray) -> Shares:
    """The shares of SP1 and SP2 that the decisions of SP3 select.

    Args:
        scenario: the problem.
        chosen: decisions.
        share: (N, I, A + J) answer of SP1.
        bandwidth: (A, N) answer of SP2.
    """
    off = np.flatnonzero(~chosen.local)
    radio, compute = np.zeros(scenario.n_devices), np.zeros(scenario.n_devices)
    radio[off] = share[chosen.slice[off], off, chosen.access_point[off]]
    compute[off] = share[chosen.slice[off], off, scenario.n_access_points + chosen.node[off]]
    return Shares(bandwidth.astype(np.float64), radio, compute)


def broken(plan: Plan) -> dict[str, bool]:
    """Which of 13b and 13c a plan breaks, and whether some task never completes."""
    rules = plan.violations.broken
    return {"13b": "13b" in rules, "13c": "13c" in rules, "never": not np.isfinite(plan.cost_s)}
