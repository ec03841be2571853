"""Placement's half of the reproduction: labels on disk, and what reads them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from slicewright.errors import SolverError
from slicewright.evaluation.reproduction.engine.code_version import code_version, meaning
from slicewright.evaluation.reproduction.engine.item import Verdict
from slicewright.evaluation.reproduction.engine.published_numbers import PLACEMENT
from slicewright.evaluation.reproduction.engine.scale import SCALES
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.placement import decision_times, small_node
from slicewright.evaluation.reproduction.placement.folds import (
    RUN,
    TASK,
    InvalidFoldError,
    Wanted,
    cross_validated,
)
from slicewright.evaluation.reproduction.placement.graphs import GRID
from slicewright.evaluation.reproduction.placement.labels import (
    InvalidLabelsError,
    solve_missing,
    stored_runs,
    training_runs,
    unproven_gaps,
)
from slicewright.evaluation.reproduction.placement.models import solved_tasks
from slicewright.evaluation.reproduction.placement.networks import GRAPH_NETWORKS
from slicewright.evaluation.reproduction.placement.tables import one_answer_ceiling
from slicewright.evaluation.reproduction.report.figures import asides, interval
from slicewright.evaluation.reproduction.study import items_of, verdict
from slicewright.learning.placement.solved_runs import solve_run
from slicewright.placement import Tasks, placement_preset

FEW = replace(SCALES["tiny"], placement_runs=2)


def test_labels_are_solved_once_and_read_again(tmp_path: Path) -> None:
    shop = Workshop(FEW, tmp_path, jobs=1)
    first = training_runs(shop)
    (file,) = solve_missing(shop).glob("*.json")
    written = file.stat().st_mtime_ns
    stored_runs.cache_clear()
    again = training_runs(shop)
    assert file.stat().st_mtime_ns == written
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.choice, other.choice)
        assert np.array_equal(one.keeps, other.keeps)
        assert one.proven == other.proven


def test_damaged_labels_say_which_file(tmp_path: Path) -> None:
    (tmp_path / "00000-00001.json").write_text('{"schema": "x", "runs": []}', encoding="utf-8")
    with pytest.raises(InvalidLabelsError, match=r"00000-00001\.json"):
        stored_runs(tmp_path, 2)


def test_labels_without_a_proof_have_a_gap_that_is_worked_out_once(tmp_path: Path) -> None:
    shop = Workshop(FEW, tmp_path, jobs=1)
    labels = solve_missing(shop)
    (file,) = labels.glob("*.json")
    document = json.loads(file.read_text())
    for run, proven in zip(document["runs"], (True, False), strict=True):
        run["proven"] = proven
    file.write_text(json.dumps(document))
    stored_runs.cache_clear()
    (gap,) = unproven_gaps(shop)
    assert 0.0 <= gap < 0.05
    (kept,) = labels.glob("gaps-*.json")
    assert unproven_gaps(shop) == [gap]
    kept.write_text("{}")
    with pytest.raises(InvalidLabelsError, match="gaps"):
        unproven_gaps(shop)
    stored_runs.cache_clear()


def test_solutions_of_a_figure_are_kept_point_by_point(tmp_path: Path) -> None:
    shop = Workshop(replace(FEW, placement_points=1), tmp_path, jobs=1)
    ((run, gap),) = solved_tasks(shop, 5, "10-150 ms")
    assert run.proven == (gap <= 1e-4)
    ((again, same),) = solved_tasks(shop, 5, "10-150 ms")
    assert (again.choice.tolist(), same) == (run.choice.tolist(), gap)
    (file,) = tmp_path.rglob("10-150ms-5-of-1.json")
    file.write_text("{}")
    with pytest.raises(InvalidLabelsError, match="5-of-1"):
        solved_tasks(shop, 5, "10-150 ms")


def test_a_code_version_minds_what_code_does_and_not_how_it_is_explained() -> None:
    source = 'X = 1\n"""Of what."""\n\ndef f(x: int) -> int:\n    """Twice."""\n    return 2 * x  # why\n'
    reworded = "X = 1\n\n\ndef f(x: int) -> int:\n    return 2*x\n"
    assert meaning(source) == meaning(reworded)
    assert meaning(source) != meaning(reworded.replace("2*x", "3*x"))
    assert meaning(source) != meaning(reworded.replace("X = 1", "X = 'a string that is used'"))


def test_a_code_version_is_that_of_its_sources() -> None:
    one, other = code_version("slicewright.types"), code_version("slicewright.types", "slicewright.errors")
    assert one != other
    assert other == code_version("slicewright.errors", "slicewright.types")
    assert code_version("slicewright.placement") != code_version("slicewright.placement.judge")
    with pytest.raises(ModuleNotFoundError, match="no_such"):
        code_version("slicewright.no_such")


def scores(accuracy: float) -> dict[str, list[list[float]]]:
    """Of two folds and one seed."""
    return {"accuracy": [[accuracy, accuracy]], "tie_aware": [[accuracy, accuracy]]} | {
        "tasks": [[40.0, 40.0]], "answers": [[8.0, 8.0]], "ingresses": [[8.0, 8.0]],
    }  # fmt: skip


def test_folds_are_trained_once_and_missing_ones_are_added(tmp_path: Path) -> None:
    shop = Workshop(replace(SCALES["tiny"], placement_runs=4, placement_epochs=1), tmp_path, jobs=1)
    first = cross_validated(shop, [Wanted("dt"), Wanted("dt", TASK)])
    files = sorted(tmp_path.rglob("dt-by-*.json"))
    assert len(files) == 4
    kept = {file: file.stat().st_mtime_ns for file in files[1:]}
    files[0].unlink()
    assert cross_validated(shop, [Wanted("dt"), Wanted("dt", TASK)]) == first
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
    assert "answers" in first["dt by run"]
    assert "answers" not in first["dt by task"]


def test_damaged_folds_say_which_file(tmp_path: Path) -> None:
    shop = Workshop(replace(SCALES["tiny"], placement_runs=4, placement_epochs=1), tmp_path, jobs=1)
    cross_validated(shop, [Wanted("dt")])
    file = next(iter(sorted(tmp_path.rglob("dt-by-run-*.json"))))
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(InvalidFoldError, match=file.name):
        cross_validated(shop, [Wanted("dt")])


def test_one_answer_per_ingress_is_right_as_often_as_its_most_frequent_label() -> None:
    run = solve_run(placement_preset(tasks=6, seed=1))
    ingress = np.array([0, 0, 0, 1, 1, 1])
    choice = np.array([4, 4, 7, 5, 6, -1])
    drawn = replace(run, tasks=run.tasks.with_(access_point=ingress), choice=choice)
    assert one_answer_ceiling([drawn]) == pytest.approx(3 / 5)


@pytest.mark.parametrize(
    ("known", "leaking", "reached", "without"),
    [(0.6, 0.7, "0 of 18", "None"), (0.6, 0.93, "12 of 18", "None"), (0.93, 0.6, "6 of 18", "3")],
)
def test_what_reaches_the_published_accuracy_is_counted(
    known: float, leaking: float, reached: str, without: str
) -> None:
    facts = {
        Wanted(name, by).key: scores(leaking if GRAPH_NETWORKS[name].leaks else known)
        for name in GRID
        for by in (RUN, TASK)
    }
    item = next(item for item in items_of("placement") if item.name == "combinations")
    found = item.judge({"facts": facts})
    assert found.ours.startswith(f"{reached} combinations")
    assert found.why.startswith(f"{without} of those without a leak")


def test_verdicts_of_table_3_follow_the_data() -> None:
    item = next(item for item in items_of("placement") if item.name == "table3")
    rest = {Wanted(name).key: scores(0.5) for name in ("gnn-own", "queue")} | {"ceiling": 0.95}
    as_published = {Wanted(name).key: scores(row[0]) for name, row in PLACEMENT.items()}
    assert item.judge({"facts": rest | as_published}).holds == "yes"
    upside_down = {Wanted(name).key: scores(x) for name, x in (("gnn", 0.1), ("mlp", 0.2), ("dt", 0.3))}
    assert item.judge({"facts": rest | upside_down}).holds == "no"
    assert verdict(item, {"facts": rest | upside_down}, "quick").holds == "open"
    bounded = verdict(item, {"facts": rest | upside_down | {"ceiling": 0.68}}, "quick")
    assert bounded.holds == "no"
    assert "68.0 % of the tasks at most" in bounded.why


@pytest.mark.parametrize(
    ("whole", "holds"), [([30.0, 40.0], "yes"), ([40.0, 30.0], "partly"), ([8.0, 8.0], "no")]
)
def test_tasks_that_are_not_split_are_judged_at_both_deadlines(whole: list[float], holds: str) -> None:
    shares = {f"{d}, split": [10.0, 10.0] for d in ("10-150 ms", "50-150 ms")}
    shares |= {f"{d}, whole": whole for d in ("10-150 ms", "50-150 ms")}
    assert judged("fig7", {"shares": shares}).holds == holds


def test_a_small_node_answers_and_one_without_memory_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = small_node.answer_alone(None, [])
    assert 10 < bare["peak_mb"] < small_node.MEMORY_MB
    assert bare["seconds"] == []
    monkeypatch.setattr(small_node, "MEMORY_MB", 1)
    with pytest.raises(small_node.SmallNodeError, match="within 1 MiB"):
        small_node.answer_alone(None, [])


def judged(name: str, facts: dict[str, object]) -> Verdict:
    return next(item for item in items_of("placement") if item.name == name).judge({"facts": facts})


def test_a_solver_that_was_stopped_is_slower_at_least() -> None:
    slower: dict[str, object] = {"gnn": [150.0, 900.0], "auto": [9.0, 40.0]}
    assert judged("fig4", {"stopped": [0, 0], "slower": slower}).holds == "yes"
    open_ = judged("fig4", {"stopped": [0, 3], "slower": slower})
    assert "(at least, at 1 of 2 points)" in open_.ours
    assert (
        judged("fig4", {"stopped": [0, 0], "slower": {"gnn": [9.0, 8.0], "auto": [1.0, 1.0]}}).holds == "no"
    )


def test_a_solver_that_has_nothing_when_its_time_is_over_was_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(tasks: Tasks, *, time_limit_s: float) -> None:
        raise SolverError("neither a placement nor a bound")

    monkeypatch.setattr(decision_times, "solve_exact", nothing)
    tasks = placement_preset(tasks=3, seed=1)
    assert decision_times.solver_time(tasks, 1e-9)[1]
    with pytest.raises(SolverError):
        decision_times.solver_time(tasks, 60.0)


def test_a_lead_is_sure_only_beyond_its_interval() -> None:
    gain = {"gnn": [0.99, 0.98], "mlp": [0.98, 0.97], "dt": [0.9, 0.9], "mec-only": [0.5, 0.5]}
    whole = gain | {name: [0.99, 0.99] for name in ("gnn-own", "queue", "auto")}
    facts = {
        "gain": {"10-150 ms": whole}, "raw": whole, "kept": whole, "lead": [[0.01, 0.02], [0.01, 0.005]],
    }  # fmt: skip
    found = judged("fig5", facts)
    assert "surely (90 %) ahead of the better of them at 1 and surely behind at 0" in found.why


@pytest.mark.parametrize(("relaxed", "holds"), [([0.9, 1.8], "yes"), ([1.1, 2.2], "partly")])
def test_usage_is_judged_of_the_published_models(relaxed: list[float], holds: str) -> None:
    names = ("gnn", "mlp", "dt", "auto")
    usage = {
        "10-150 ms": {name: [1.0, 2.0] for name in names},
        "50-150 ms": dict.fromkeys(names, relaxed),
    }
    assert judged("fig8", {"usage": usage}).holds == holds


def test_intervals_of_shares_end_at_the_whole_and_curves_may_stand_apart() -> None:
    mean, half = np.array([0.0, 50.0, 95.0]), np.array([20.0, 10.0, 20.0])
    assert interval({"log": False, "share": True}, mean, half).tolist() == [
        [0.0, 10.0, 20.0],
        [20.0, 10.0, 5.0],
    ]
    assert interval({"log": False}, mean, half).tolist() == [half.tolist(), half.tolist()]
    curves = [{"x": [20.0, 40.0]}, {"x": [20.0, 40.0]}]
    left, right = asides({"curves": curves, "apart": True})
    assert left == -right != 0.0
    assert not asides({"curves": curves}).any()
