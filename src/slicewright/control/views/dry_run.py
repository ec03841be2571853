"""What would happen if: a decision without consequences."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from slicewright.control.decision.decide import decide, decide_last_good
from slicewright.control.state.device import Device
from slicewright.control.state.network import Network
from slicewright.control.state.options import ControlOptions
from slicewright.control.state.reasons import SENTENCES
from slicewright.control.state.situation import Situation
from slicewright.control.state.state import OrchestratorState
from slicewright.control.views.documents import EMPTY_PLAN, explained_plan
from slicewright.types import Document


def dry_run(
    state: OrchestratorState,
    *,
    add: Sequence[Device],
    remove: Sequence[str],
    network: Network | None,
    method: str,
    options: ControlOptions,
    go_on: Callable[[], None] = lambda: None,
) -> Document:
    """Decide for changed devices or another network; nothing is recorded.

    Returns:
        The plan (``slicewright/plan/v1``), ids in its order, who would move, and for every new device whether it
        could be served (FEASIBLE) or would compute locally (INFEASIBLE) and why, in the words of 3GPP TS 28.531.

    ``go_on`` is called between the stages, and may raise when nobody wants the answer any more.

    Raises:
        UnknownNameError: no such method.
    """
    go_on()
    devices = {name: d for name, d in state.devices.items() if name not in remove}
    devices.update({d.id: d for d in add})
    now = state.situation()
    situation = Situation(now.network if network is None else network, tuple(devices.values()))
    began = time.perf_counter()
    settlement = decide(situation, method, rounds=options.for_devices(len(devices)).rounds, seed=options.seed)
    go_on()
    if settlement is None:
        settlement = decide_last_good(situation, state.places)
    took = time.perf_counter() - began
    changes = [
        {"device": d, "from": _where(state.places.get(d)), "to": _where(settlement.places.get(d))}
        for d in {**state.devices, **devices}
        if state.places.get(d) != settlement.places.get(d)
    ]
    checks = [
        {
            "device": d.id,
            "result": "FEASIBLE" if d.id in settlement.places else "INFEASIBLE",
            "reason": settlement.reasons.get(d.id),
            "explanation": None if d.id not in settlement.reasons else SENTENCES[settlement.reasons[d.id]],
        }
        for d in add
    ]
    go_on()
    plan = None if settlement.plan is None else replace(settlement.plan, runtime_s=took)
    return {
        "plan": EMPTY_PLAN if plan is None else explained_plan(plan),
        "devices": list(settlement.devices),
        "changes": changes,
        "checks": checks,
    }


def _where(place: object) -> Document | None:
    return None if place is None else dict(vars(place))
