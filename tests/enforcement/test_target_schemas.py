"""Radio and platform documents against schemas of their targets, over drawn plans; see ``schemas/README.md``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import slicewright as sw
from slicewright.enforcement.export import TARGETS, ExportOptions, export_plan
from slicewright.enforcement.export.read_back import read_back
from slicewright.enforcement.export.registry import PER_SLICE_LIMITS
from slicewright.network.scenario import SliceId
from slicewright.slicing.plan import Plan
from slicewright.slicing.rrm import PROFILES, Plmn, quantise

jsonschema: Any = pytest.importorskip("jsonschema")
SCHEMAS = {file.stem: json.loads(file.read_text()) for file in Path(__file__).parent.glob("schemas/*.json")}
NAMES = st.text(max_size=70)


def plan_of(omega: Any, slices: tuple[SliceId, ...], cells: tuple[str, ...]) -> Plan:
    """A feasible plan with these inter-slice shares: one device in every slice that has some, alone in it.

    Args:
        omega: (A, N), rows sum to at most 1.
        slices: (N,). cells: (A,) names.
    """
    shares = np.asarray(omega, dtype=np.float64)
    at, of = np.nonzero(shares)
    users = np.bincount(of, minlength=len(slices))
    ones = np.ones(len(at))
    scenario = sw.Scenario(
        task_bits=8e6 * ones,
        local_cycles=4e7 * ones,
        local_capacity_hz=2e7 * ones,
        arrival_rate_hz=0.01 * ones,
        slice_cycles=np.full((len(at), len(slices)), 2e7),
        rate_bps=np.full((len(at), len(cells)), 1e12),
        node_capacity_hz=np.full((1, len(slices)), 1e11),
        bandwidth_hz=np.full(len(cells), 18e6),
        slices=slices,
        access_points=cells,
        nodes=("n",),
        node_kinds=("mec",),
    )
    plan = Plan(
        scenario,
        sw.Decisions(access_point=at, node=np.zeros(len(at), dtype=np.int64), slice=of),
        sw.Shares(bandwidth=shares, radio=ones, compute=1.0 / users[of]),
    )
    assert plan.violations.feasible, plan.violations
    return plan


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    cells = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    kinds = st.tuples(st.integers(0, 255), st.none() | st.integers(0, 2**24 - 2).map("{:06X}".format))
    named = draw(
        st.lists(st.tuples(NAMES, kinds), min_size=1, max_size=5, unique_by=(lambda s: s[0], lambda s: s[1]))
    )
    parts = st.lists(st.integers(0, 1000), min_size=len(named), max_size=len(named))
    rows = [draw(parts) for _ in cells]
    rows[0][0] = max(rows[0][0], 1)  # somebody offloads
    totals = [max(sum(row), 1) * draw(st.sampled_from((1.0, 1.7))) for row in rows]
    omega = [[part / total for part in row] for row, total in zip(rows, totals, strict=True)]
    return plan_of(omega, tuple(SliceId(name, *kind) for name, kind in named), tuple(cells))


def documents(target: str, files: Any) -> list[Any]:
    return [yaml.safe_load(text) if target == "srsran-yaml" else json.loads(text) for text in files.values()]


def ratios(target: str, document: Any) -> list[tuple[int, int, int]]:
    """Dedicated, minimum and maximum of every slice of a cell, what the target takes for left out put in."""
    if target == "srsran-yaml":
        told = [entry["sched_cfg"] for entry in document["cell_cfg"]["slicing"]]
        return [
            (s.get("ded_prb_policy_ratio", 0), s["min_prb_policy_ratio"], s["max_prb_policy_ratio"])
            for s in told
        ]
    if target == "srsran-json":
        told = [command["policies"] for command in document]
        return [(s["dedicated_ratio"], s["min_prb_policy_ratio"], s["max_prb_policy_ratio"]) for s in told]
    if target == "rrm":
        told = [request["body"]["attributes"] for request in document]
    else:
        (cell,) = document["controlMessage"]["controlMessageFormat"]["listOfCellsControlled"]
        told = [
            entry["newValuesOfAttributes"]["ranConfigurationStructure"]
            for entry in cell["listOfConfigurationStructures"]
        ]
    return [(s["rRMPolicyDedicatedRatio"], s["rRMPolicyMinRatio"], s["rRMPolicyMaxRatio"]) for s in told]


def test_every_target_has_a_schema() -> None:
    assert set(SCHEMAS) | {"k8s"} == set(TARGETS)
    for schema in SCHEMAS.values():
        jsonschema.Draft7Validator.check_schema(schema)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    plan=plans(), profile=st.sampled_from(PROFILES), network=st.sampled_from((("001", "01"), ("310", "410")))
)
def test_documents_keep_the_schema_and_say_what_the_plan_says(plan: Plan, profile: Any, network: Any) -> None:
    options = ExportOptions(profile=profile, plmn=Plmn(*network))
    for target, schema in SCHEMAS.items():
        files = export_plan(plan, target, options=options).files
        check = jsonschema.Draft7Validator(schema)
        for document in documents(target, files):
            problems = [error.message for error in check.iter_errors(document)]
            assert not problems, (target, problems)
            if target in ("a1", "mec015"):
                continue
            every = ratios(target, document)
            assert all(dedicated <= least <= most for dedicated, least, most in every), target
            assert sum(least for _, least, _ in every) <= 100, target
            assert sum(dedicated for dedicated, _, _ in every) <= 100, target
        check_read_back(plan, target, files)


def check_read_back(plan: Plan, target: str, files: Any) -> None:
    """What the files say is the plan within the rounding of the target."""
    found = read_back(target, files, plan.scenario)
    if found.percent is not None:
        np.testing.assert_array_equal(found.percent, quantise(plan.shares.bandwidth))
    if found.slice_rate_bps is not None:
        asked = plan.shares.bandwidth * 1e12
        assert (np.abs(found.slice_rate_bps - asked) <= 1000.0 + 1e-9 * asked).all()
    if found.device_rate_bps is not None:
        d = plan.decisions
        asked = plan.shares.bandwidth[d.access_point, d.slice] * 1e12
        assert (np.abs(found.device_rate_bps - asked) <= 1.0 + 1e-9 * asked).all()


def test_more_slices_than_a_message_holds_are_refused() -> None:
    count = PER_SLICE_LIMITS["e2sm-ccc"] + 1
    slices = tuple(SliceId(f"s{n}", 1, f"{n:06x}") for n in range(count))
    plan = plan_of(np.full((1, count), 1.0 / count), slices, ("cell",))
    with pytest.raises(sw.InvalidPlanError, match="at most 64 slices"):
        export_plan(plan, "e2sm-ccc")
    assert export_plan(plan, "rrm").files


@pytest.mark.parametrize("target", SCHEMAS)
def test_the_schemas_find_a_mistake(target: str) -> None:
    plan = plan_of([[0.5, 0.5]], (SliceId("a", 1), SliceId("b", 2, "00000a")), ("cell",))
    for document in documents(target, export_plan(plan, target).files):
        text = json.dumps(document)
        assert jsonschema.Draft7Validator(SCHEMAS[target]).is_valid(json.loads(text))
        for right, wrong in (
            ('"sst": 1', '"sst": 999'),
            ('"sst": 2', '"sst": "2"'),
            ('tion": "01"', 'tion": "1"'),
        ):
            text = text.replace(right, wrong)
        assert not jsonschema.Draft7Validator(SCHEMAS[target]).is_valid(json.loads(text))
