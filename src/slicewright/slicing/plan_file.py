"""Plan files: ``slicewright/plan/v1``, written, read, judged, and held against what they claim of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from slicewright.errors import InvalidPlanError
from slicewright.files.documents import read_document, told_of_file, write_document
from slicewright.files.fields import FieldReader
from slicewright.judging import CLAIM_TOLERANCE
from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.slicing.judge import RULES, Violations, evaluate
from slicewright.slicing.plan import DECISION_PLACES, DECISION_SHARES, SCHEMA, Plan
from slicewright.slicing.shares import Shares

_TOP = (
    "schema", "method", "status", "cost_s", "lower_bound_s", "gap", "runtime_s", "violations", "decisions", "notes",
)  # fmt: skip
_DECISION = (
    "device", "local", "access_point", "node", "slice", "bandwidth_share", "radio_share", "compute_share",
    "transmit_s", "execute_s", "completion_s",
)  # fmt: skip
_read = FieldReader(InvalidPlanError)


def save_plan(plan: Plan, path: str | Path) -> Path:
    """Write a plan file atomically."""
    return write_document(plan.to_dict(), path)


def check(scenario: Scenario, plan: Plan | str | Path | Mapping[str, object]) -> Violations:
    """Residual of each constraint 13a..13g of a plan, or plan file or document, in this scenario.

    Raises:
        InvalidPlanError: the plan does not fit the scenario.
    """
    if not isinstance(plan, Plan):
        plan = load_plan(scenario, plan)
    return evaluate(scenario, plan.decisions, plan.shares)[1]


def load_plan(scenario: Scenario, source: str | Path | Mapping[str, object]) -> Plan:
    """Read a plan for a scenario. What the file claims of cost and residuals is not believed but worked out anew.

    Raises:
        InvalidPlanError: the document does not describe a plan for this scenario.
    """
    with told_of_file(source):
        return _plan_from(
            scenario, source if isinstance(source, Mapping) else read_document(source, InvalidPlanError)
        )


def _plan_from(scenario: Scenario, document: Mapping[str, object]) -> Plan:
    doc = _read.mapping(document, "plan")
    _read.schema(doc, SCHEMA, required=True)
    _read.only(doc, _TOP, "")
    entries = _read.require(doc, "decisions", "")
    if not isinstance(entries, list):
        raise InvalidPlanError("decisions", "must be a list with one decision per device", value=entries)
    if len(entries) != scenario.n_devices:
        raise InvalidPlanError(
            "decisions",
            f"must be a list of {scenario.n_devices} decisions, one per device, and has {len(entries)}",
            fix="the plan is of another scenario",
        )
    places = np.full((3, scenario.n_devices), LOCAL)
    amounts = np.zeros((2, scenario.n_devices))
    bandwidth = np.zeros((scenario.n_access_points, scenario.n_slices))
    seen: dict[int, int] = {}
    for k, raw in enumerate(entries):
        at = f"decisions[{k}]"
        entry = _read.mapping(raw, at)
        _read.only(entry, _DECISION, at)
        i = _read.whole(entry.get("device", k), f"{at}.device", most=scenario.n_devices - 1)
        if i in seen:
            raise InvalidPlanError(f"{at}.device", f"is decided already in decisions[{seen[i]}]", value=i)
        seen[i] = k
        local = entry.get("local", False)
        if not isinstance(local, bool):
            raise InvalidPlanError(f"{at}.local", "must be true or false", value=local)
        if local:
            continue
        for row, (name, below) in enumerate(
            zip(DECISION_PLACES, (scenario.n_access_points, scenario.n_nodes, scenario.n_slices), strict=True)
        ):
            places[row, i] = _read.indices(_read.require(entry, name, at), f"{at}.{name}", (), below=below)
        share = {
            name: float(_read.numbers(_read.require(entry, name, at), f"{at}.{name}", (), signed=True))
            for name in DECISION_SHARES
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
    return Plan(
        scenario,
        Decisions(*places),
        Shares(bandwidth, *amounts),
        method=_read.text(doc.get("method", "given"), "method"),
        runtime_s=_read.number(doc.get("runtime_s") or 0.0, "runtime_s"),
        notes=_read.words(doc.get("notes"), "notes"),
    )


def false_claims(plan: Plan, document: Mapping[str, object]) -> list[str]:
    """One sentence for each number in the document's head that the decisions and shares do not bear out.

    Args:
        plan: the plan read from the document; its cost, residuals and bound are worked out anew.
        document: the ``slicewright/plan/v1`` mapping it was read from.
    """
    sentences: list[str] = []
    cost, bound = (_claimed(document, name, sentences) for name in ("cost_s", "lower_bound_s"))
    if cost is not None and not abs(cost - plan.cost_s) <= CLAIM_TOLERANCE * abs(plan.cost_s):
        sentences.append(f"cost_s claims {cost:.6g} s, but the decisions and shares cost {plan.cost_s:.6g} s")
    if bound is not None and plan.violations.feasible and bound > plan.cost_s * (1 + CLAIM_TOLERANCE):
        sentences.append(
            f"lower_bound_s claims {bound:.6g} s, but this feasible plan costs {plan.cost_s:.6g} s"
        )
    residuals = document.get("violations")
    if not isinstance(residuals, Mapping):
        return sentences
    for rule in RULES:
        value, true = _claimed(residuals, rule, sentences), plan.violations.residuals[rule]
        broken = rule in plan.violations.broken
        if value is not None and broken and value < true * (1 - CLAIM_TOLERANCE):
            sentences.append(f"violations.{rule} claims {value:.4g}, but the residual is {true:.4g}")
    return sentences


def _claimed(document: Mapping[str, object], name: str, sentences: list[str]) -> float | None:
    """A number of a document, also as text; None where there is none, which is said unless it is null."""
    value = document.get(name)
    if value is None:
        return None
    try:
        return _read.number(value, name, signed=True, finite=False)
    except InvalidPlanError as wrong:
        sentences.append(str(wrong))
        return None
