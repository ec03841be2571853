"""Learned methods as users meet them: registered, feasible, repeatable, never stuck."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from slicewright.errors import InvalidOptionError
from slicewright.learning.placement.solved_runs import varied_tasks
from slicewright.models.placement import session as placement_models
from slicewright.models.placement.model_kinds import SHIPPED
from slicewright.models.placement.session import load_placement_model
from slicewright.placement import Placement, Tasks, place, placement_methods, placement_preset
from slicewright.placement.repair import repaired
from slicewright.placement.search import compiled_problem
from tests.placement.problems import small_tasks

MODELS = sorted(SHIPPED)
few = settings(max_examples=20, deadline=None)


@pytest.mark.parametrize("name", MODELS)
def test_shipped_models_place_with_every_rule_kept(name: str) -> None:
    tasks = placement_preset(tasks=40, seed=60_001)
    placement = place(tasks, name)
    assert name in placement_methods()
    assert placement.violations.feasible
    assert placement.notes == ()
    assert placement.objective_bit_hops < place(tasks, "mec-only").objective_bit_hops
    assert place(tasks, name).nodes == placement.nodes
    decoded = place(tasks, name, steps=0)
    for longer in (placement, place(tasks, name, budget_s=0.02)):
        assert longer.violations.feasible
        assert longer.objective_bit_hops <= decoded.objective_bit_hops


@few
@given(tasks=small_tasks(most_tasks=6))
def test_every_answer_is_feasible_or_rejected_with_a_reason(tasks: Tasks) -> None:
    for name in MODELS:
        placement = place(tasks, name)
        assert placement.violations.feasible
        assert len(placement.nodes) == tasks.n_tasks
        for used, reason in zip(placement.nodes, placement.reasons, strict=True):
            assert bool(used) == (reason is None)


@few
@given(tasks=small_tasks(most_tasks=6))
def test_repair_keeps_every_rule_whatever_the_scores(tasks: Tasks) -> None:
    scores = np.random.default_rng(tasks.n_tasks).normal(size=(tasks.n_tasks, tasks.options.count)) * 5
    problem = compiled_problem(tasks)
    few_, many = (repaired(problem, scores, decodings=n, seed=1) for n in (1, 8))
    cost = lambda chosen: sum(
        problem.cost[k, c] if c >= 0 else problem.rejection[k] for k, c in enumerate(chosen)
    )
    assert cost(many) <= cost(few_)


def test_networks_of_another_size_are_searched_with_a_note_or_served() -> None:
    tasks = varied_tasks(50_000)
    for name in MODELS:
        placement = place(tasks, name)
        assert placement.violations.feasible
        if name == "queue-network":
            assert placement.notes == ()
        else:
            assert "search alone" in placement.notes[0]
            with_budget = place(tasks, name, budget_s=0.01)
            assert with_budget.violations.feasible and "search alone" in with_budget.notes[0]


def test_a_topohub_topology_is_served() -> None:
    topohub = pytest.importorskip("topohub")
    from slicewright.placement import Link, Tasks, linked_topology

    # read directly: topohub's own reader leaves its file open
    document = json.loads(
        (Path(topohub.__file__).parent / "data" / "topozoo" / "Abilene.json").read_text("utf-8")
    )
    names = tuple(str(vertex["id"]) for vertex in document["nodes"])
    links = [
        Link(str(e["source"]), str(e["target"]), 1.0) for e in document.get("edges", document.get("links"))
    ]
    links += [Link(f"ap{i}", name, 1.0) for i, name in enumerate(names)] + [Link("mec", names[0], 2.0)]
    topology = linked_topology(
        links,
        capacity_hz=np.array([7e8] * len(names) + [1e10]),
        nodes=(*names, "mec"),
        access_points=tuple(f"ap{i}" for i in range(len(names))),
        kinds=("coin",) * len(names) + ("mec",),
    )
    drawn = placement_preset(tasks=50, seed=3)
    tasks = Tasks(
        topology,
        access_point=np.arange(50) % len(names),
        size_bits=drawn.size_bits,
        cycles=drawn.cycles,
        deadline_s=drawn.deadline_s,
        arrival_rate_hz=drawn.arrival_rate_hz,
    )
    placement = place(tasks, "queue-network")
    assert placement.violations.feasible
    assert placement.notes == ()
    assert placement.objective_bit_hops < 1.1 * place(tasks, iterations=5000).objective_bit_hops


def test_remarks_on_what_was_not_learned_survive_the_file() -> None:
    tasks = placement_preset(tasks=4, seed=1, split="equal")
    placement = place(tasks, "queue-network")
    assert any("4 " in note or "has 4" in note for note in placement.notes)
    assert any("splitting" in note for note in placement.notes)
    assert Placement.from_dict(json.loads(json.dumps(placement.to_dict()))).notes == placement.notes


def test_a_missing_or_damaged_model_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = placement_preset(tasks=15, seed=1)
    shipped = Path(placement_models.__file__).parents[1] / "weights" / "placement"
    (tmp_path / "gnn.json").write_text((shipped / "gnn.json").read_text())
    (tmp_path / "gnn.onnx").write_bytes(b"no model")
    monkeypatch.setenv("SLICEWRIGHT_MODELS", str(tmp_path))
    placement = place(tasks, "gnn")
    assert placement.violations.feasible
    assert "cannot be loaded" in placement.notes[0]
    (tmp_path / "gnn.json").unlink()
    assert load_placement_model("mlp").card.name == "mlp"


def test_weights_are_small_and_cards_say_what_they_are() -> None:
    shipped = Path(placement_models.__file__).parents[1] / "weights" / "placement"
    for name in MODELS:
        card = load_placement_model(name).card
        assert (shipped / card.file).stat().st_size < 1_000_000
        assert card.trained_for["tasks"][1] <= 120
        assert {"gain_raw", "gain_repaired", "accuracy", "tie_aware"} <= set(card.figures["paper"])


@pytest.mark.parametrize(("option", "value"), [("decodings", 0), ("steps", -1)])
def test_options_are_checked(option: str, value: Any) -> None:
    with pytest.raises(InvalidOptionError, match=option):
        place(placement_preset(tasks=3), "mlp", **{option: value})


def test_serving_needs_no_torch() -> None:
    code = (
        "import sys; from slicewright.placement import place, placement_preset;"
        "place(placement_preset(tasks=5), 'gnn'); place(placement_preset(tasks=5), 'queue-network');"
        "sys.exit(any(m in sys.modules for m in ('torch', 'sklearn', 'lightning')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
