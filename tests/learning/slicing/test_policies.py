"""Learned methods as users meet them: shipped models, fallbacks, determinism, no torch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import slicewright as sw
from slicewright.learning.slicing.solved_scenarios import FIRST_TEST_SEED, paper_scenario, varied_scenario
from slicewright.models.slicing import session as learned_models
from slicewright.policies.slicing.learned import LEARNED
from slicewright.policies.slicing.policy import Limit

SHIPPED = Path(str(resources.files("slicewright.models"))) / "weights"
NAMES = tuple(policy.name for policy in LEARNED if (SHIPPED / f"{policy.model}.json").exists())


@pytest.mark.parametrize("name", NAMES)
def test_every_learned_method_plans_the_published_setting(name: str) -> None:
    for seed in range(3):
        plan = sw.plan(paper_scenario(FIRST_TEST_SEED + seed), method=name, rounds=5)
        assert plan.violations.feasible
        assert plan.notes == ()  # the network itself answered, within its range


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 100_000))
@settings(max_examples=6, deadline=None)
def test_every_learned_method_is_feasible_on_any_network(name: str, seed: int) -> None:
    plan = sw.plan(varied_scenario(seed), method=name, rounds=2)
    assert plan.violations.feasible


@pytest.mark.parametrize("name", NAMES)
def test_with_rounds_an_answer_depends_on_the_seed_alone(name: str) -> None:
    scenario = sw.preset("paper-slicing", devices=25, seed=8)
    one, two = (sw.plan(scenario, method=name, rounds=10, seed=3) for _ in range(2))
    assert one.decisions == two.decisions
    np.testing.assert_array_equal(one.shares.radio, two.shares.radio)


def test_the_shipped_network_is_near_the_best_without_search() -> None:
    gaps = []
    for seed in range(20):
        scenario = paper_scenario(FIRST_TEST_SEED + seed)
        raw = sw.plan(scenario, method="bipartite-raw", rounds=0)
        gaps.append(raw.cost_s / sw.plan(scenario, rounds=2000).cost_s - 1)
    assert np.mean(gaps) < 0.01  # target 9


@pytest.mark.parametrize("scenario", [
    sw.preset("paper-slicing", devices=1),
    sw.preset("paper-slicing", devices=500),
    sw.preset("paper-slicing", devices=3, access_points=1, coins=0, mecs=1, slices=1),
], ids=["one device", "500 devices", "one of everything"])  # fmt: skip
def test_extreme_sizes(scenario: sw.Scenario) -> None:
    for name in NAMES:
        assert sw.plan(scenario, method=name, rounds=0).violations.feasible


def test_access_points_out_of_reach_and_nodes_without_a_slice_are_never_used() -> None:
    base = sw.preset("paper-slicing", devices=20, seed=2)
    rate = np.where(np.arange(3)[None] == np.arange(20)[:, None] % 3, 0.0, np.asarray(base.rate_bps))
    capacity = base.node_capacity_hz * (np.arange(27).reshape(9, 3) % 4 > 0)
    for rates in (rate, sparse.csr_array(rate)):
        scenario = base.with_(rate_bps=rates, node_capacity_hz=capacity)
        for name in NAMES:
            plan = sw.plan(scenario, method=name, rounds=0)
            assert plan.violations.feasible


def test_another_network_than_a_published_model_is_made_for_falls_back_and_says_so() -> None:
    plan = sw.plan(sw.preset("dense-urban", devices=10), method="deepsets-s", rounds=3)
    assert plan.violations.feasible
    assert "made for 3 access points" in plan.notes[0]
    assert plan.cost_s == sw.plan(sw.preset("dense-urban", devices=10), rounds=3).cost_s


def test_beyond_its_training_a_network_answers_with_a_remark() -> None:
    plan = sw.plan(sw.preset("paper-slicing", devices=200), method="bipartite-raw", rounds=0)
    assert any("was trained for" in note and "devices" in note for note in plan.notes)


def test_a_budget_too_short_for_inference_is_left_to_search() -> None:
    scenario = sw.preset("paper-slicing", devices=50)
    plan = sw.plan(scenario, method="bipartite", budget_s=1e-5)
    assert plan.violations.feasible
    assert "an inference of bipartite takes about" in plan.notes[0]


def test_a_scenario_too_large_for_memory_is_left_to_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned_models, "MOST_CELLS", 100)
    plan = sw.plan(sw.preset("paper-slicing", devices=50), method="bipartite", rounds=1)
    assert plan.violations.feasible
    assert "too much memory" in plan.notes[0]


@pytest.fixture
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is looked into before the shipped models."""
    for name in ("bipartite.onnx", "bipartite.json"):
        shutil.copy(SHIPPED / name, tmp_path)
    monkeypatch.setenv(learned_models.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def test_own_models_come_first(own_models: Path) -> None:
    card = json.loads((own_models / "bipartite.json").read_text())
    card["trained_for"]["devices"] = [1, 2]
    (own_models / "bipartite.json").write_text(json.dumps(card))
    plan = sw.plan(sw.preset("paper-slicing", devices=5), method="bipartite-raw", rounds=0)
    assert "trained for 1 to 2 devices" in plan.notes[0]
    assert sw.plan(sw.preset("paper-slicing", devices=5), method="deepsets-s-raw", rounds=0).notes == ()


@pytest.mark.parametrize("damage", ["missing", "truncated", "not onnx", "card"])
def test_a_damaged_model_is_replaced_by_search(own_models: Path, damage: str) -> None:
    file = own_models / "bipartite.onnx"
    if damage == "missing":
        file.unlink()
    elif damage == "truncated":
        file.write_bytes(file.read_bytes()[:1000])
    elif damage == "not onnx":
        import hashlib

        file.write_bytes(b"no network")
        card = json.loads((own_models / "bipartite.json").read_text())
        card["sha256"] = hashlib.sha256(b"no network").hexdigest()
        (own_models / "bipartite.json").write_text(json.dumps(card))
    else:
        (own_models / "bipartite.json").write_text("{}")
    policy = next(p for p in LEARNED if p.name == "bipartite")
    answer = policy.decide(sw.preset("paper-slicing", devices=12), limit=Limit(rounds=4), seed=0)
    assert answer.notes[0].startswith("search alone: ")
    assert answer.decisions == sw.plan(sw.preset("paper-slicing", devices=12), rounds=4).decisions


def test_a_missing_model_is_replaced_by_search() -> None:
    from slicewright.policies.slicing.learned import LearnedPolicy

    answer = LearnedPolicy("x", "", "no-such-model", True).decide(
        sw.preset("paper-slicing", devices=4), limit=Limit(budget_s=0.001), seed=0
    )
    assert "there is no model 'no-such-model'" in answer.notes[0]


def test_every_shipped_model_has_a_card_with_its_hash_and_figures() -> None:
    from slicewright.models.cards import model_bytes, read_card

    shipped = {policy.model for policy in LEARNED if policy.name in NAMES}
    assert {"bipartite", "deepsets-s", "deepsets"} <= shipped
    for model in shipped:
        card = read_card(SHIPPED / f"{model}.json")
        model_bytes(card, SHIPPED)
        assert card.name == model
        assert card.data["test_seeds_from"] == FIRST_TEST_SEED
        assert card.figures["scenarios"] >= 200
    assert {path.suffix for path in SHIPPED.iterdir() if path.is_file()} <= {
        ".onnx",
        ".json",
        ".safetensors",
        ".py",
    }
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 5e6


def test_planning_needs_no_torch_and_listing_needs_no_onnxruntime() -> None:
    code = """
import sys
import slicewright as sw
assert "bipartite" in sw.policies()
assert "onnxruntime" not in sys.modules
plan = sw.plan(sw.preset("paper-slicing", devices=5), method="bipartite-raw")
assert plan.violations.feasible
assert "onnxruntime" in sys.modules
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
