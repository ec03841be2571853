"""Plan files: what is written is read back; false claims and misfits are named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import slicewright as sw
from slicewright.slicing.plan import Plan
from slicewright.slicing.plan_file import false_claims


@pytest.fixture
def plan() -> Plan:
    return sw.plan(sw.preset("paper-slicing", devices=6, seed=2), rounds=50)


def test_the_document_has_the_fields_of_the_contract(plan: Plan) -> None:
    doc = plan.to_dict()
    assert doc["schema"] == "slicewright/plan/v1"
    assert set(doc["violations"]) == {"13a", "13b", "13c", "13d", "13e", "13f", "13g"}
    assert doc["gap"] == pytest.approx(doc["cost_s"] / doc["lower_bound_s"] - 1)
    assert doc["cost_s"] == pytest.approx(sum(d["completion_s"] for d in doc["decisions"]))
    assert [d["device"] for d in doc["decisions"]] == list(range(6))
    for entry in doc["decisions"]:
        assert entry["local"] == (entry["node"] is None) == (entry["compute_share"] is None)
    json.dumps(doc, allow_nan=False)


def test_round_trip_through_a_file(plan: Plan, tmp_path: Path) -> None:
    returned = sw.load_plan(plan.scenario, sw.save_plan(plan, tmp_path / "plan.json"))
    assert returned.decisions == plan.decisions
    assert returned.cost_s == pytest.approx(plan.cost_s, rel=1e-12)
    assert returned.violations.feasible


def test_decisions_may_come_in_any_order(plan: Plan) -> None:
    doc = plan.to_dict()
    doc["decisions"].reverse()
    assert sw.load_plan(plan.scenario, doc).decisions == plan.decisions


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: d.update(schema="slicewright/plan/v9"), "schema"),
        (lambda d: d.update(cots_s=1), "did you mean 'cost_s'"),
        (lambda d: d["decisions"].pop(), "6 decisions"),
        (lambda d: d["decisions"][1].update(device=0), r"decisions\[1\].device"),
        (lambda d: d["decisions"][0].update(local=False, node=77, access_point=0, slice=0), "node"),
        (lambda d: d["decisions"][0].update(local=False, access_point=None), "access_point"),
        (lambda d: d["decisions"][0].update(nod=1), "did you mean 'node'"),
    ],
)
def test_misfits_are_named(plan: Plan, damage: Callable[[dict[str, Any]], object], message: str) -> None:
    doc = plan.to_dict()
    damage(doc)
    with pytest.raises(sw.InvalidPlanError, match=message):
        sw.load_plan(plan.scenario, doc)


def test_two_shares_for_one_access_point_and_slice_contradict(plan: Plan) -> None:
    doc = plan.to_dict()
    cells = [(d["access_point"], d["slice"]) for d in doc["decisions"]]
    k = next(k for k, c in enumerate(cells) if c[0] is not None and cells.index(c) < k)
    doc["decisions"][k]["bandwidth_share"] *= 0.5
    with pytest.raises(sw.InvalidPlanError, match="differs from"):
        sw.load_plan(plan.scenario, doc)


def test_false_claims_are_found(plan: Plan) -> None:
    doc = plan.to_dict()
    assert false_claims(plan, doc) == []
    assert "cost_s claims" in false_claims(plan, {**doc, "cost_s": doc["cost_s"] * 0.9})[0]
    assert "lower_bound_s claims" in false_claims(plan, {**doc, "lower_bound_s": doc["cost_s"] * 1.1})[0]
    written = {**doc, "cost_s": f"{doc['cost_s']:.17g}", "lower_bound_s": f"{doc['lower_bound_s']:.17e}"}
    assert false_claims(plan, written) == []
    assert "cost_s claims" in false_claims(plan, {**doc, "cost_s": "5e2"})[0]
    assert "cost_s is 'little' but must be a number" in false_claims(plan, {**doc, "cost_s": "little"})[0]


def test_check_judges_files_documents_and_plans(plan: Plan, tmp_path: Path) -> None:
    path = sw.save_plan(plan, tmp_path / "plan.json")
    for source in (plan, path, str(path), plan.to_dict()):
        assert sw.check(plan.scenario, source).feasible
