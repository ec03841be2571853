"""Manifests against the schemas of Kubernetes, what every target rounds, and cells that are counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import slicewright as sw
from slicewright.cli.main import app
from slicewright.enforcement.export import TARGETS, ExportOptions, export_plan, inspect_export, write_export
from tests.enforcement.test_export import fixed_plan

kubernetes_validate: Any = pytest.importorskip("kubernetes_validate")
NAMES = (("coin0", "mec0"), ("1e5", "ip-10-0-0-7.ec2.internal"), ("-".join(["rack"] * 30), "Rack 1 (東京)"))


@pytest.mark.parametrize("names", NAMES, ids=["usual", "numbers and dots", "long and odd"])
@pytest.mark.parametrize("profile", ["hard", "guaranteed"])
def test_every_manifest_keeps_the_schema_of_kubernetes(names: tuple[str, str], profile: Any) -> None:
    plan = fixed_plan()
    plan = plan.with_(scenario=plan.scenario.with_(nodes=names))
    made = export_plan(plan, "k8s", options=ExportOptions(profile=profile))
    kinds = set()
    for text in made.files.values():
        for manifest in yaml.safe_load_all(text):
            kinds.add(manifest["kind"])
            kubernetes_validate.validate(manifest, "1.30", strict=True)
    assert kinds == {"Namespace", "ResourceQuota", "Deployment"}


def test_the_validator_would_find_a_mistake() -> None:
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(
            {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": "1"}}, "1.30", strict=True
        )


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_says_by_how_much_it_rounds(target: str) -> None:
    told = [remark for remark in export_plan(fixed_plan(), target).remarks if "rounding" in remark]
    assert told, target
    assert any(letter.isdigit() for letter in told[0])


def test_rounding_is_told_in_figures() -> None:
    plan = fixed_plan()
    told = " / ".join(export_plan(plan, "k8s", options=ExportOptions(core_hz=7e9)).remarks)
    # Device 0: 0.3 of 1e9 cycle/s on cores of 7e9 is 42.857 millicores, 43 after rounding.
    assert "at most 0.857 millicores more than its share" in told
    assert "requests on node coin0 in slice eMBB add up to 144 millicores, 1.14 more than it has" in told
    told = " / ".join(export_plan(plan, "mec015").remarks)
    assert "rounding down to whole bit/s takes at most 0.1 bit/s" in told or "at most 0 bit/s" in told


def test_requests_beyond_a_node_are_told() -> None:
    plan = fixed_plan()
    # On cores of 1e12 cycle/s a share of 0.3e9 rounds up to one millicore: two devices take 2 of 1.
    told = " / ".join(export_plan(plan, "k8s", options=ExportOptions(core_hz=1e12)).remarks)
    assert "requests on node coin0 in slice eMBB add up to 3 millicores, 2 more than it has" in told


def test_a_check_counts_the_cells(tmp_path: Path) -> None:
    plan = fixed_plan()
    names = ("Cell.1", "cell-1")  # the same after cleaning
    plan = plan.with_(scenario=plan.scenario.with_(access_points=names))
    sw.save_scenario(plan.scenario, tmp_path / "s.json")
    files = write_export(export_plan(plan, "srsran-yaml"), tmp_path / "e")
    (found,) = inspect_export(tmp_path / "e", plan.scenario)
    assert (found.cells, found.wrong) == ((2, 2), ())
    answer = CliRunner().invoke(app, ["check", str(tmp_path / "s.json"), str(tmp_path / "e")])
    assert "2 of 2 access points" in answer.output
    next(file for file in files if file.suffix == ".yaml").unlink()
    answer = CliRunner().invoke(app, ["check", str(tmp_path / "s.json"), str(tmp_path / "e"), "--json"])
    assert answer.exit_code == 1
    (told,) = json.loads(answer.output)["targets"]
    assert (told["access_points"], told["cells"]) == (2, 1)
