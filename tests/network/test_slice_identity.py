"""S-NSSAI: every slice gets one of its own; those that share one are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import slicewright as sw
from slicewright.cli.main import app
from slicewright.network.scenario import SliceId
from slicewright.network.scenario_file import scenario_to_dict
from slicewright.network.slice_identity import identity_clash, same_identity, with_identities


def document(slices: list[Any]) -> dict[str, Any]:
    doc = scenario_to_dict(sw.preset("paper-slicing", devices=3, seed=5, slices=len(slices)))
    return {**doc, "slices": slices}


def test_slices_without_an_identity_get_one_that_no_other_has() -> None:
    doc = document([{"name": "x", "sst": 2}, "y", {"name": "z"}])
    assert [(s.name, s.sst, s.sd) for s in sw.load_scenario(doc).slices] == [
        ("x", 2, None), ("y", 3, None), ("z", 4, None),
    ]  # fmt: skip
    plain = with_identities([f"s{n}" for n in range(600)])
    assert [s.sst for s in plain[:3]] == [1, 2, 3]
    assert same_identity(plain) is None


def test_case_and_the_value_for_none_make_no_difference() -> None:
    assert same_identity([SliceId("a", 1, "00000A"), SliceId("b", 1, "00000a")]) == (0, 1)
    assert same_identity([SliceId("a", 1), SliceId("b", 2), SliceId("c", 1, "FFFFFF")]) == (0, 2)
    assert identity_clash([SliceId("a", 1), SliceId("b", 1, "000001")]) is None


def test_a_scenario_without_names_has_slices_that_differ() -> None:
    scenario = sw.preset("paper-slicing", devices=3, seed=5).with_(slices=())
    assert same_identity(scenario.slices) is None


def test_check_says_that_two_slices_are_one(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    scenario = sw.load_scenario(document([{"name": "embb", "sst": 1}, {"name": "urllc", "sst": 1}]))
    sw.save_scenario(scenario, file)
    said = CliRunner().invoke(app, ["check", str(file)])
    assert said.exit_code == 1
    assert "'embb' and 'urllc' have the same identity (sst 1, no sd)" in said.output.replace("\n", " ")


@pytest.mark.parametrize("sst", ["7", 7.0, "7e0"])
def test_numbers_as_text_are_numbers_here_too(sst: object) -> None:
    assert sw.load_scenario(document([{"name": "a", "sst": sst}, "b"])).slices[0].sst == 7
