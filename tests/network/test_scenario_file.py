"""Scenario files: YAML and JSON, spelt out or by preset; mistakes are named with the nearest right word."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import slicewright as sw
from slicewright.network import scenario_from_dict, scenario_to_dict
from slicewright.network.scenario import Scenario
from tests.instances import scenarios
from tests.present import present


def document() -> dict[str, Any]:
    """A document with everything spelt out, rates too."""
    scenario = sw.preset("paper-slicing", devices=3, seed=5)
    return scenario_to_dict(scenario.with_(radio=None))


def same(one: Scenario, other: Scenario) -> bool:
    names = ("task_bits", "local_cycles", "local_capacity_hz", "arrival_rate_hz", "slice_cycles", "rate_bps")
    return all(
        np.array_equal(getattr(one, n), getattr(other, n))
        for n in (*names, "node_capacity_hz", "bandwidth_hz")
    )


@pytest.mark.parametrize("ending", ["yaml", "yml", "json"])
def test_round_trip_is_exact(tmp_path: Path, ending: str) -> None:
    scenario = sw.preset("dense-urban", devices=7, seed=5)
    again = sw.load_scenario(sw.save_scenario(scenario, tmp_path / f"s.{ending}"))
    assert same(scenario, again)
    assert again.slices == scenario.slices
    assert again.node_kinds == scenario.node_kinds
    assert np.array_equal(present(again.sites.device_m), present(scenario.sites.device_m))


@given(scenarios())
@settings(max_examples=20, deadline=None)
def test_every_scenario_survives_its_document(scenario: Scenario) -> None:
    assert same(scenario, scenario_from_dict(json.loads(json.dumps(scenario_to_dict(scenario)))))


def test_candidate_lists_survive_their_document() -> None:
    from scipy import sparse

    scenario = sw.preset("paper-slicing", devices=5, seed=1)
    rates = np.array(scenario.rate_bps)
    rates[:, 1] = 0
    thin = scenario.with_(rate_bps=sparse.csr_array(rates))
    again = scenario_from_dict(json.loads(json.dumps(scenario_to_dict(thin))))
    assert isinstance(again.rate_bps, sparse.csr_array)
    assert np.array_equal(again.rate_bps.toarray(), rates)


def test_a_preset_document_is_the_preset() -> None:
    doc = {
        "schema": "slicewright/scenario/v1",
        "preset": "paper-slicing",
        "devices": 6,
        "seed": 7,
        "coins": 4,
    }
    assert same(sw.load_scenario(doc), sw.preset("paper-slicing", devices=6, seed=7, coins=4))


def test_rates_are_computed_from_positions_when_absent() -> None:
    doc = document()
    rates = doc.pop("rate_bps")
    assert np.allclose(sw.load_scenario(doc).rate_bps, rates)
    doc["devices"].pop("position_m")
    with pytest.raises(
        sw.InvalidScenarioError, match="rate_bps: is missing and cannot be computed without devices"
    ):
        sw.load_scenario(doc)


def test_numbers_in_exponent_notation_without_a_point_are_numbers(tmp_path: Path) -> None:
    """YAML 1.1 reads 1e7 as text; users mean a number."""
    doc = document()
    doc["devices"]["local_capacity_hz"] = ["2e7", "2e7", "2e7"]
    assert sw.load_scenario(doc).local_capacity_hz[0] == 2e7


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda d: d.update(schema="slicewright/scenario/v2"),
            "schema is 'slicewright/scenario/v2' but must be",
        ),
        (lambda d: d.update(nods=1), "nods: is not a known field; did you mean 'nodes'"),
        (
            lambda d: d["devices"].update(task_bit=[1]),
            "devices.task_bit: is not a known field; did you mean 'task_bits'",
        ),
        (lambda d: d.pop("nodes"), "nodes: is missing"),
        (lambda d: d["devices"].pop("slice_cycles"), "devices.slice_cycles: is missing"),
        (
            lambda d: d["devices"].update(task_bits=[1, "x", 2]),
            r"devices.task_bits\[1\] is 'x' but must be a number",
        ),
        (lambda d: d["devices"].update(task_bits={"a": 1}), "devices.task_bits"),
        (lambda d: d.update(devices=[1]), "devices is .* but must be a mapping"),
        (lambda d: d["nodes"].update(kinds=["coin"]), "nodes.kinds is 1 but must have 9 entries"),
        (lambda d: d["slices"].append("more"), "nodes.capacity_hz: must have shape any x 4"),
        (lambda d: d["slices"][0].update(sst=256), r"slices\[0\].sst is 256 but must be"),
        (lambda d: d["slices"][0].update(sd=123456), r"slices\[0\].sd is 123456 but must be six hex"),
        (
            lambda d: d["rate_bps"][1].__setitem__(2, float("nan")),
            r"rate_bps\[1\]\[2\] is nan but must be a finite",
        ),
        (lambda d: d.update(radio={"model": "pathloss"}, rate_bps=None), "did you mean 'path-loss'"),
        (
            lambda d: d.update(radio={"model": "path-loss", "exponnt": 3}, rate_bps=None),
            "did you mean 'exponent'",
        ),
    ],
)
def test_mistakes_are_named_in_one_sentence(damage: Callable[[dict[str, Any]], object], message: str) -> None:
    doc = document()
    damage(doc)
    with pytest.raises(sw.InvalidScenarioError, match=message) as caught:
        sw.load_scenario(doc)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("bad.yaml", "a: [1, 2\nb: 3", "is not valid YAML at line 2"),
        ("bad.json", '{"a": 1,,}', "is not valid JSON at line 1"),
        ("list.yaml", "- 1\n- 2", "must hold a mapping"),
        ("empty.yaml", "", "must hold a mapping"),
    ],
)
def test_broken_files_name_the_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(sw.InvalidScenarioError, match=message):
        sw.load_scenario(path)


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"\x89PNG\r\n\x80")
    with pytest.raises(sw.InvalidScenarioError, match="UTF-8"):
        sw.load_scenario(path)


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sw.save_scenario(sw.preset("paper-slicing", devices=2), tmp_path / "s.json")
    before = path.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        sw.save_scenario(sw.preset("paper-slicing", devices=3), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["s.json"]
