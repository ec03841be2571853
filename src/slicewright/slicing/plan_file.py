"""Plan files: ``slicewright/plan/v1``, written and read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slicewright.errors import InvalidPlanError
from slicewright.files.documents import finite, read_document, write_document
from slicewright.files.fields import FieldReader
from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.slicing.judge import RULES, Violations, evaluate
from slicewright.slicing.shares import Shares
from slicewright.types import Document

if TYPE_CHECKING:
    from slicewright.slicing.plan import Plan

SCHEMA = "slicewright/plan/v1"
_TOP = (
    "schema", "method", "status", "cost_s", "lower_bound_s", "gap", "runtime_s", "violations", "decisions", "notes",
)  # fmt: skip
_DECISION = (
    "device", "local", "access_point", "node", "slice", "bandwidth_share", "radio_share", "compute_share",
    "transmit_s", "execute_s", "completion_s",
)  # fmt: skip
_PLACES = ("access_point", "node", "slice")
_SHARES = ("bandwidth_share", "radio_share", "compute_share")
_read = FieldReader(InvalidPlanError)


def plan_to_dict(plan: Plan) -> Document:
    """The document; numbers that are not finite (an infeasible plan's cost) become null."""
    d, shares, times = plan.decisions, plan.shares, plan.times
    local = d.local.tolist()
    decisions = []
    for i in range(d.n_devices):
        entry: Document = {"device": i, "local": local[i]}
        if local[i]:
            entry.update(dict.fromkeys((*_PLACES, *_SHARES)))
        else:
            a, j, n = int(d.access_point[i]), int(d.node[i]), int(d.slice[i])
            in_range = a < len(shares.bandwidth) and n < shares.bandwidth.shape[1]
            entry.update(access_point=a, node=j, slice=n)
            entry["bandwidth_share"] = float(shares.bandwidth[a, n]) if in_range else None
            entry["radio_share"] = float(shares.radio[i])
            entry["compute_share"] = float(shares.compute[i])
        entry["transmit_s"] = finite(times.transmit_s[i])
        entry["execute_s"] = finite(times.execute_s[i])
        entry["completion_s"] = finite(times.completion_s[i])
        decisions.append(entry)
    return {
        "schema": SCHEMA,
        "method": plan.method,
        "status": plan.status,
        "cost_s": finite(plan.cost_s),
        "lower_bound_s": plan.lower_bound_s,
        "gap": finite(plan.gap),
        "runtime_s": plan.runtime_s,
        "violations": {rule: finite(plan.violations.residuals[rule]) for rule in RULES},
        "decisions": decisions,
        **({"notes": list(plan.notes)} if plan.notes else {}),
    }


def save_plan(plan: Plan, path: str | Path) -> Path:
    """Write a plan file atomically."""
    return write_document(plan_to_dict(plan), path)


def check(scenario: Scenario, plan: Plan | str | Path | Mapping[str, object]) -> Violations:
    """Residual of each constraint 13a..13g of a plan, or plan file or document, in this scenario.

    Raises:
        InvalidPlanError: the plan does not fit the scenario.
    """
    from slicewright.slicing.plan import Plan

    if not isinstance(plan, Plan):
        plan = load_plan(scenario, plan)
    return evaluate(scenario, plan.decisions, plan.shares)[1]


def load_plan(scenario: Scenario, source: str | Path | Mapping[str, object]) -> Plan:
    """Read a plan for a scenario. What the file claims of cost and residuals is not believed but worked out anew.

    Raises:
        InvalidPlanError: the document does not describe a plan for this scenario.
    """
    from slicewright.slicing.plan import Plan

    doc = _read.mapping(
        source if isinstance(source, Mapping) else read_document(source, InvalidPlanError), "plan"
    )
    _read.schema(doc, SCHEMA, required=True)
    _read.only(doc, _TOP, "")
    entries = _read.require(doc, "decisions", "")
    if not isinstance(entries, list) or len(entries) != scenario.n_devices:
        raise InvalidPlanError(
            "decisions", f"must be a list of {scenario.n_devices} decisions, one per device"
        )
    places = np.full((3, scenario.n_devices), LOCAL)
    amounts = np.zeros((2, scenario.n_devices))
    bandwidth = np.zeros((scenario.n_access_points, scenario.n_slices))
    seen: dict[int, int] = {}
    for k, raw in enumerate(entries):
        at = f"decisions[{k}]"
        entry = _read.mapping(raw, at)
        _read.only(entry, _DECISION, at)
        i = int(_read.indices(entry.get("device", k), f"{at}.device", (), below=scenario.n_devices))
        if i in seen:
            raise InvalidPlanError(f"{at}.device", f"is decided already in decisions[{seen[i]}]", value=i)
        seen[i] = k
        if entry.get("local", False):
            continue
        for row, (name, below) in enumerate(
            zip(_PLACES, (scenario.n_access_points, scenario.n_nodes, scenario.n_slices), strict=True)
        ):
            places[row, i] = _read.indices(_read.require(entry, name, at), f"{at}.{name}", (), below=below)
        share = {
            name: float(_read.numbers(_read.require(entry, name, at), f"{at}.{name}", (), signed=True))
            for name in _SHARES
        }
        amounts[:, i] = share["radio_share"], share["compute_share"]
        a, n = places[0, i], places[2, i]
        if bandwidth[a, n] not in (0.0, share["bandwidth_share"]):
            raise InvalidPlanError(
                f"{at}.bandwidth_share",
                f"differs from {bandwidth[a, n]:.6g}, given before for access point {a} and slice {n}",
                value=share["bandwidth_share"],
            )
        bandwidth[a, n] = share["bandwidth_share"]
    notes = doc.get("notes") or []
    return Plan(
        scenario,
        Decisions(*places),
        Shares(bandwidth, *amounts),
        method=str(doc.get("method", "given")),
        runtime_s=float(doc.get("runtime_s") or 0.0),
        notes=tuple(map(str, notes)),
    )
