"""Exports: golden files, the rules of each target, and what becomes of odd plans.

After a deliberate change: ``SLICEWRIGHT_WRITE_GOLDEN=1 pytest tests/enforcement/test_export.py``, then read the diff.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

import slicewright as sw
from slicewright.cli.main import app
from slicewright.enforcement.export import TARGETS, ExportOptions, export_plan, inspect_export, write_export
from slicewright.enforcement.export.document import Export
from slicewright.enforcement.linux.names import slugs
from slicewright.network.scenario import SliceId
from slicewright.slicing.plan import Plan
from slicewright.slicing.rrm import Profile

GOLDEN = Path(__file__).parent / "golden"
PROFILES = ("hard", "guaranteed")


def fixed_plan() -> Plan:
    """Two access points, two nodes, three slices, six devices, written by hand: no search can change it."""
    scenario = sw.Scenario(
        task_bits=np.full(6, 8e6),
        local_cycles=np.full(6, 4e7),
        local_capacity_hz=np.full(6, 2e7),
        arrival_rate_hz=np.full(6, 0.1),
        slice_cycles=np.full((6, 3), 2e7),
        rate_bps=np.array([[100e6, 50e6]] * 6),
        node_capacity_hz=np.array([[1e9, 8e8, 6e8], [1e10, 1e10, 1e10]]),
        bandwidth_hz=np.array([18e6, 9e6]),
        slices=(SliceId("eMBB", 1), SliceId("URLLC", 2, "0000FF"), SliceId("mMTC", 3, "00ab12")),
        access_points=("North Gate", "South"),
        nodes=("coin0", "mec0"),
        node_kinds=("coin", "mec"),
    )
    decisions = sw.Decisions(
        access_point=np.array([0, 0, 0, 1, 1, -1]),
        node=np.array([0, 0, 1, 0, 1, -1]),
        slice=np.array([0, 0, 1, 0, 2, -1]),
    )
    shares = sw.Shares(
        bandwidth=np.array([[0.667, 0.333, 0.0], [0.5, 0.0, 0.5]]),
        radio=np.array([0.6, 0.4, 1.0, 1.0, 1.0, 0.0]),
        compute=np.array([0.3, 0.3, 1.0, 0.4, 0.25, 0.0]),
    )
    plan = sw.Plan(scenario, decisions, shares)
    assert plan.violations.feasible
    return plan


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("target", TARGETS)
def test_golden_files(target: str, profile: Profile, tmp_path: Path) -> None:
    written = write_export(
        export_plan(fixed_plan(), target, options=ExportOptions(profile=profile)), tmp_path
    )
    golden = GOLDEN / target / profile
    if os.environ.get("SLICEWRIGHT_WRITE_GOLDEN"):
        for path in written:
            (golden / path.name).parent.mkdir(parents=True, exist_ok=True)
            (golden / path.name).write_text(path.read_text())
    assert sorted(path.name for path in written) == sorted(path.name for path in golden.iterdir())
    for path in written:
        assert path.read_text() == (golden / path.name).read_text(), path.name


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_says_what_it_ignores(target: str, tmp_path: Path) -> None:
    made = export_plan(fixed_plan(), target)
    assert made.ignored
    write_export(made, tmp_path)
    assert all(text in (tmp_path / "README.md").read_text() for text in made.ignored)


def load(made: Export) -> Any:
    return {name: json.loads(text) for name, text in made.files.items()}


def ratios_3gpp(policy: Any) -> Any:
    """Slice type, dedicated, minimum and maximum ratio of an RRMPolicyRatio."""
    (member,) = policy["rRMPolicyMemberList"]
    return member["snssai"]["sst"], *(policy[f"rRMPolicy{name}Ratio"] for name in ("Dedicated", "Min", "Max"))


def ratios_srsran(command: Any) -> Any:
    """The same of a remote-control command."""
    policy = command["policies"]
    (member,) = policy["rRMPolicyMemberList"]
    return (
        member["sst"],
        policy["dedicated_ratio"],
        policy["min_prb_policy_ratio"],
        policy["max_prb_policy_ratio"],
    )


def structures(document: Any) -> Any:
    """New values in an E2SM-CCC message."""
    (cell,) = document["controlMessage"]["controlMessageFormat"]["listOfCellsControlled"]
    return [
        one["newValuesOfAttributes"]["ranConfigurationStructure"]
        for one in cell["listOfConfigurationStructures"]
    ]


@pytest.mark.parametrize("profile", PROFILES)
def test_ratios_are_the_same_in_every_radio_dialect(profile: Profile) -> None:
    made = {
        target: load(export_plan(fixed_plan(), target, options=ExportOptions(profile=profile)))
        for target in ("rrm", "e2sm-ccc", "srsran-json")
    }
    for cell in ("north-gate.json", "south.json"):
        rrm = {ratios_3gpp(put["body"]["attributes"]) for put in made["rrm"][cell]}
        assert rrm == {ratios_3gpp(policy) for policy in structures(made["e2sm-ccc"][cell])}
        assert rrm == {ratios_srsran(command) for command in made["srsran-json"][cell]}
        if cell == "north-gate.json":
            hard = {(1, 67, 67, 67), (2, 33, 33, 33), (3, 0, 0, 0)}
            guaranteed = {(1, 0, 67, 100), (2, 0, 33, 100), (3, 0, 0, 100)}
            assert rrm == (hard if profile == "hard" else guaranteed)


@pytest.mark.parametrize("profile", PROFILES)
def test_srsran_ranges_are_kept(profile: Profile) -> None:
    for text in export_plan(
        fixed_plan(), "srsran-yaml", options=ExportOptions(profile=profile)
    ).files.values():
        for entry in yaml.safe_load(text)["cell_cfg"]["slicing"]:
            schedule = entry["sched_cfg"]
            assert 0 <= schedule["min_prb_policy_ratio"] <= schedule["max_prb_policy_ratio"] <= 100
            assert schedule["max_prb_policy_ratio"] >= 1
            assert 1 <= schedule.get("ded_prb_policy_ratio", 1) <= 100
            assert 0 <= schedule["priority"] <= 254
            assert isinstance(entry.get("sd", 0), int)


def test_a1_policies_keep_their_schema() -> None:
    made = load(export_plan(fixed_plan(), "a1"))
    assert sorted(made) == [
        "north-gate-embb.json",
        "north-gate-urllc.json",
        "south-embb.json",
        "south-mmtc.json",
    ]
    for policy in made.values():
        assert set(policy) == {"scope", "sliceSlaObjectives", "sliceSlaResources"}
        slice_id = policy["scope"]["sliceId"]
        assert set(slice_id) <= {"sst", "sd", "plmnId"}
        assert re.fullmatch("[0-9a-f]{6}", slice_id.get("sd", "000000"))
        assert set(policy["sliceSlaObjectives"]) <= {"guaUlThptPerSlice", "maxUlThptPerSlice"}
        assert len(policy["sliceSlaResources"]) == 1
    assert made["north-gate-embb.json"]["sliceSlaObjectives"]["guaUlThptPerSlice"] == 66_700


def test_kubernetes_quotas_hold_exactly_their_pods() -> None:
    made = export_plan(fixed_plan(), "k8s", options=ExportOptions(profile="guaranteed"))
    for text in made.files.values():
        namespace, quota, *workers = yaml.safe_load_all(text)
        for kind, key in (("requests", "requests.cpu"), ("limits", "limits.cpu")):
            amounts = [
                int(w["spec"]["template"]["spec"]["containers"][0]["resources"][kind]["cpu"][:-1])
                for w in workers
            ]
            assert quota["spec"]["hard"][key] == f"{sum(amounts)}m"
        assert {w["metadata"]["namespace"] for w in workers} == {namespace["metadata"]["name"]}


def test_mec_allocations_sum_to_what_was_granted() -> None:
    made = load(export_plan(fixed_plan(), "mec015"))
    assert sum(int(one["fixedAllocation"]) for one in made.values()) == 66.7e6 + 33.3e6 + 50e6
    assert {one["allocationDirection"] for one in made.values()} == {"01"}


def test_a_starved_slice_is_told() -> None:
    plan = fixed_plan()
    narrow = plan.scenario.with_(bandwidth_hz=np.array([18e6, 1.8e5]))
    made = export_plan(plan.with_(scenario=narrow), "rrm")
    assert any("left without a resource block: devices 3, 4" in remark for remark in made.remarks)


def test_what_should_not_be_carried_out_is_refused() -> None:
    plan = fixed_plan()
    with pytest.raises(sw.UnknownNameError, match="did you mean 'srsran-yaml'"):
        export_plan(plan, "srsran-yml")
    broken = plan.with_(shares=sw.Shares(plan.shares.bandwidth * 2, plan.shares.radio, plan.shares.compute))
    with pytest.raises(sw.InvalidPlanError, match="13d is broken"):
        export_plan(broken, "rrm")
    for change in ({"first_cell": "xyz"}, {"core_hz": 0.0}, {"profile": "soft"}):
        with pytest.raises(sw.InvalidOptionError, match=next(iter(change))):
            ExportOptions(**change)
    with pytest.raises(sw.InvalidOptionError, match="leaves no room"):
        export_plan(plan, "a1", options=ExportOptions(first_cell="fffffffff"))


def test_nobody_offloads_is_no_trouble() -> None:
    plan = sw.plan(sw.preset("paper-slicing", devices=3, seed=1), method="local")
    for target in TARGETS:
        export_plan(plan, target)


def test_names_become_different_files() -> None:
    assert slugs(["AP 1", "ap-1", "Ä", "??"]) == ("ap-1", "ap-1-1", "a", "x")
    assert slugs(["??", "基站"]) == ("x", "x-1")
    # What a name gets behind it may be another's real name.
    assert slugs(["a", "A", "a-1"]) == ("a", "a-2", "a-1")
    assert len(set(slugs([letters for n in range(40) for letters in ("y" * 80, f"{'y' * 45}-{n}")]))) == 80
    assert max(map(len, slugs(["z" * 80, "z" * 81]))) == 48


@pytest.mark.parametrize("target", TARGETS)
def test_names_that_cannot_be_printed_do_not_break_what_lies_beside_the_files(
    target: str, tmp_path: Path
) -> None:
    plan = fixed_plan()
    odd = plan.with_(
        scenario=plan.scenario.with_(
            access_points=("\0x", "a\n# k8s"),
            nodes=("\x1b[2J", "README"),
            slices=(SliceId("\0", 1), SliceId("b\u202e\nc", 2), SliceId("", 3)),
        )
    )
    made = export_plan(odd, target)
    write_export(made, tmp_path)
    (found,) = inspect_export(tmp_path, odd.scenario)
    assert (found.target, found.wrong) == (target, ())
    if found.cells is not None:
        assert found.cells == (2, 2)
    assert all(line.isprintable() for line in (tmp_path / "README.md").read_text().splitlines())


def test_cells_and_slices_whose_names_join_to_the_same_word_keep_files_of_their_own() -> None:
    plan = fixed_plan()
    joined = plan.with_(
        scenario=plan.scenario.with_(
            access_points=("a", "a-b"),
            slices=(SliceId("b-c", 1), SliceId("c", 2), SliceId("d", 3)),
        ),
        decisions=sw.Decisions(
            access_point=np.array([0, 0, 0, 1, 1, -1]),
            node=np.array([0, 0, 1, 0, 1, -1]),
            slice=np.array([0, 0, 1, 1, 2, -1]),
        ),
        shares=sw.Shares(
            bandwidth=np.array([[0.667, 0.333, 0.0], [0.0, 0.5, 0.5]]),
            radio=plan.shares.radio,
            compute=plan.shares.compute,
        ),
    )
    assert sorted(export_plan(joined, "a1").files) == ["a-b-c-2.json", "a-b-c.json", "a-b-d.json", "a-c.json"]


@pytest.mark.parametrize("target", TARGETS)
def test_two_slices_of_one_identity_are_refused_where_a_target_would_mix_them_up(target: str) -> None:
    plan = fixed_plan()
    slices = (SliceId("a", 1, "00000A"), SliceId("b", 1, "00000a"), SliceId("c", 3))
    same = plan.with_(scenario=plan.scenario.with_(slices=slices))
    if target in ("k8s", "mec015"):
        export_plan(same, target)
        return
    with pytest.raises(sw.InvalidPlanError, match="'a' and 'b' have the same identity") as caught:
        export_plan(same, target)
    assert "own sst" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        (
            "ip-10-0-0-7.ec2.internal",
            {"nodeSelector": {"kubernetes.io/hostname": "ip-10-0-0-7.ec2.internal"}},
        ),
        ("1e5", {"nodeSelector": {"kubernetes.io/hostname": "1e5"}}),
        ("y", {"nodeSelector": {"kubernetes.io/hostname": "y"}}),
        ("Rack 1", {"nodeSelector": {"kubernetes.io/hostname": "rack-1"}}),
    ],
)
def test_kubernetes_selects_the_node_by_the_name_it_has(name: str, place: object) -> None:
    plan = fixed_plan()
    made = export_plan(plan.with_(scenario=plan.scenario.with_(nodes=(name, "other"))), "k8s")
    pods = [
        document["spec"]["template"]["spec"]
        for text in made.files.values()
        for document in yaml.safe_load_all(text)
        if document["kind"] == "Deployment"
    ]
    assert place in [{"nodeSelector": pod["nodeSelector"]} for pod in pods]
    if name in ("1e5", "y"):
        assert f"hostname: '{name}'" in "".join(made.files.values()), "readers of YAML 1.2 would see no text"
    assert any("Rack 1" in remark for remark in made.remarks) == (name == "Rack 1")


def test_node_names_longer_than_a_label_are_matched_by_the_field() -> None:
    plan = fixed_plan()
    name = "-".join(["rack"] * 30)
    made = export_plan(plan.with_(scenario=plan.scenario.with_(nodes=(name, "other"))), "k8s")
    assert f"- {name}" in "".join(made.files.values()) and "matchFields" in "".join(made.files.values())


def test_on_the_command_line(tmp_path: Path) -> None:
    plan = fixed_plan()
    scenario, file = tmp_path / "s.json", tmp_path / "p.json"
    sw.save_scenario(plan.scenario, scenario)
    sw.save_plan(plan, file)
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["export", str(scenario), str(file), "-t", "all", "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == sorted(TARGETS)
    for target in TARGETS:
        for path in (GOLDEN / target / "hard").iterdir():
            assert (out / target / path.name).read_text() == path.read_text()
