"""What the slicing report asks beyond the published tables: readings, verdicts from data, cheap parts of "
"experiments."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slicewright.evaluation.reproduction.engine.code_version import code_version
from slicewright.evaluation.reproduction.engine.item import Verdict
from slicewright.evaluation.reproduction.engine.published_numbers import NAMES
from slicewright.evaluation.reproduction.engine.scale import SCALES
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.report import report
from slicewright.evaluation.reproduction.slicing.beyond import label_costs, regimes
from slicewright.evaluation.reproduction.slicing.beyond.small_node import measured_alone
from slicewright.evaluation.reproduction.slicing.cost_verdicts import (
    judge_coins,
    judge_mec,
    judge_ratio,
    judge_slices,
)
from slicewright.evaluation.reproduction.slicing.methods import LABELS
from slicewright.evaluation.reproduction.slicing.nested_scenarios import PRINTED_RATE, setting
from slicewright.evaluation.reproduction.slicing.points import finite_mean
from slicewright.evaluation.reproduction.slicing.readings import broken, read
from slicewright.evaluation.reproduction.slicing.why import mec, shares, variants
from slicewright.evaluation.reproduction.slicing.why.decisions import agreement, canonical
from slicewright.evaluation.reproduction.study import chosen_items, items_of, reproduce
from slicewright.learning.slicing.metrics import averaged_scores
from slicewright.learning.slicing.size_free.unlabelled import unlabelled
from slicewright.learning.slicing.solved_scenarios import draw, solve
from slicewright.models.slicing.session import load_model
from slicewright.network.presets import preset


def test_raw_is_one_argmax_for_every_model() -> None:
    scenario = preset("paper-slicing", devices=12, seed=5)
    for name in ("deepsets-s", "bipartite"):
        model = load_model(name)
        argmax, decoded = (read(model, scenario, reading) for reading in ("argmax", "decoded"))
        assert argmax.violations.feasible
        assert decoded.violations.feasible
        again = read(model, scenario, "argmax")
        assert (argmax.decisions.node == again.decisions.node).all()
    own = read(load_model("deepsets-s"), scenario, "own")
    assert {"13d", "13e"}.isdisjoint(own.violations.broken)  # by construction (Lemmas 1 and 2)
    assert broken(own)["never"] == bool(np.isinf(own.cost_s))
    with pytest.raises(ValueError, match="answers no shares"):
        read(load_model("bipartite"), scenario, "own")


def test_means_leave_out_what_never_completes() -> None:
    values = np.array([[1.0, np.inf], [3.0, np.inf]])
    assert finite_mean(values, axis=0)[0] == 2.0
    assert np.isnan(finite_mean(values, axis=0)[1])
    assert float(finite_mean(values)) == 2.0


def cost_facts(excess: float, *, falls: bool = True) -> dict[str, object]:
    methods = ("deepsets-s", "deepsets-s-decoded", "bipartite", "bipartite-decoded", "ours")
    grid = {"4": [0.02, excess], "8": [0.02, 0.03]}
    return {
        "excess": {m: grid if m == "deepsets-s" else {n: [0.0, 0.001] for n in grid} for m in methods},
        "by_seed": {m: [0.01] for m in methods},
        "best_cost": {"4": [10.0, 30.0], "8": [9.0, 29.0 if falls else 31.0]},
        "broken": {"own": {"13b": 0.7, "13c": 0.6, "never": 0.6}},
        "devices": [5, 30],
        "values": [4, 8],
    }


@pytest.mark.parametrize(
    ("excess", "falls", "holds"), [(0.06, True, "yes"), (0.07, True, "partly"), (0.06, False, "partly")]
)
def test_figure_7_is_judged_at_every_point(excess: float, falls: bool, holds: str) -> None:
    verdict = judge_coins({"facts": cost_facts(excess, falls=falls)})
    assert verdict.holds == holds
    assert f"{100 * excess:.1f} % at worst (4 COINs, 30 devices)" in verdict.ours
    assert "70 % of its plans break 13b" in verdict.why


def test_figures_without_some_series_say_nothing_of_them() -> None:
    facts = cost_facts(0.05)
    facts["broken"], facts["by_seed"] = {}, {"deepsets-s": [0.01]}
    for judge in (judge_coins, judge_slices):
        assert "own shares" not in judge({"facts": facts}).why
        assert "Decoded" not in judge({"facts": facts}).why


def test_figure_6_asks_for_a_wider_lead_at_more_devices() -> None:
    def verdict(lead: float) -> Verdict:
        base = {"15": [0.9, 0.9], "25": [0.9, 0.9]}
        learned = {"15": [0.92, 0.92], "25": [0.9 + lead, 0.9 + lead]}
        facts = {"ratio": {"deepsets-s": learned, "erap": base, "prap": base}, "broken": {}, "by_seed": {}}
        return judge_ratio({"facts": facts})

    assert [verdict(lead).holds for lead in (0.05, 0.01, -0.01)] == ["yes", "partly", "partly"]


def test_first_of_near_ties_costs_next_to_nothing_and_stays_where_it_is() -> None:
    for instance in solve(draw("paper", 4), rounds=30, jobs=1):
        first = canonical(instance)
        assert first.cost_s <= instance.cost_s * (1 + 1.001e-3)
        assert (first.decisions.local == instance.decisions.local).all()
        places = first.decisions.slice * 100 + first.decisions.node
        assert (places <= instance.decisions.slice * 100 + instance.decisions.node).all()
        assert agreement([first], [first]) == [1.0]


def test_a_scenario_without_label_tells_nothing_of_an_optimum() -> None:
    scenario = preset("paper-slicing", devices=6, seed=2)
    free = unlabelled(scenario)
    assert free.decisions.local.all()
    assert free.cost_s == pytest.approx(float(scenario.local_time_s.sum()))


def test_printed_rate_grows_with_the_distance() -> None:
    scenario = setting(20, 3, {PRINTED_RATE: True})
    sites = scenario.sites
    assert sites is not None
    same_power = scenario.with_(sites=replace(sites, tx_power_w=np.full(20, 0.05)))
    assert (np.asarray(scenario.rate_bps) > np.asarray(setting(20, 3, {}).rate_bps)).all()
    assert same_power.n_devices == 20


def test_a_sweep_of_the_mec_covers_every_regime_and_choice() -> None:
    settings = mec.settings()
    assert len(settings) == 2 * 3 * 4 * 4 + 2 * 6
    assert settings["node queue, 0.1-0.3 /s, MEC 1e10 as published, 1-5 cycle/bit"] == {"queueing": "node"}
    facts = {
        "node queue, a": {"share": [10.0, 20.0, 40.0], "rise": 30.0, "half": 4.0},
        "device queue, b": {"share": [10.0, 10.0, 12.0], "rise": 2.0, "half": 4.0},
    }
    assert "in 1 of 2 settings" in mec._judge({"facts": facts}).ours


def test_what_is_near_a_published_figure_is_neither_worse_nor_better() -> None:
    published = shares.PUBLISHED["SP1"]
    assert all(shares.near(published, published).values())
    better = {**published, "mae_%": 0.01, "r2": 1.0}
    assert not shares.near(published, better)["mae_%"]
    assert all(shares.meets(published, better).values())
    assert not shares.meets(published, {**published, "acc@1": 0.5})["acc@1"]


def test_weighted_recall_is_the_accuracy() -> None:
    truth = [np.array([0, 0, 0, 1, 2])]
    said = [np.array([0, 0, 1, 1, 0])]
    scores = averaged_scores(said, truth)
    assert scores["weighted_recall"] == pytest.approx(0.6)
    assert scores["macro_recall"] == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_regimes_are_judged_from_their_rows() -> None:
    home, anew = (f"DeepSets-S, {where}, argmax" for where in (regimes.HOME, regimes.ANEW))
    free = f"bipartite, {regimes.HOME}, argmax"
    row = {home: 100.0, anew: 5.0, free: 3.0, "best-response": 1.0}
    verdict = regimes._judge_anew({"facts": {"paper, node queue": {**row, home: 4.0}, "xr, node queue": row}})
    assert "within 6.1 % in 0 of 1 other regimes, trained anew in 1" in verdict.why
    assert "must train it for the regime" in verdict.why
    names = (*(NAMES[m] for m in regimes.PUBLISHED), "bipartite")
    every = {f"{name}, {regimes.HOME}, argmax": 50.0 for name in names}
    every |= {f"DeepSets-S, {regimes.HOME}, decoded": 1.0, "best-response": 2.0, free: 3.0}
    why = regimes._judge({"facts": {"paper, node queue": every, "xr, node queue": every}}).why
    assert "Only bipartite could be deployed" in why
    assert "beats its argmax in 2 of 2" in why
    assert len(regimes.cases(SCALES["full"])) == 12


def test_labels_are_weighed_against_none() -> None:
    facts = {"self-supervised 0": 1.0, "counts": [10, 100], "label_s": 0.01}
    facts |= {"supervised 10": 5.0, "supervised 100": 0.9, "both 10": 0.8, "both 100": 0.95}
    verdict = label_costs._judge({"facts": facts})
    assert "It takes 100 labels" in verdict.why
    assert "at 1 of 2 numbers" in verdict.why


def test_variants_name_only_changes_beyond_their_interval() -> None:
    base = {f"{p} {f}": [0.5, 0.52, 0.51] for p, f, _ in variants.SHOWN}
    other = {name: [x + 0.1 for x in values] for name, values in base.items()}
    noisy = {name: [values[0] + 0.1, values[1] - 0.1, values[2]] for name, values in base.items()}
    facts = {variants.BASE: base, "better": {**other, "heads acc": [0.6, 0.63, 0.61]}, "noise": noisy}
    verdict = variants._judge({"facts": facts})
    assert "better" in verdict.why
    assert "noise" not in verdict.why


@pytest.mark.slow
def test_a_small_node_is_measured_in_a_process_of_its_own() -> None:
    found = measured_alone("deepsets-s")
    assert found["most_mb"] >= found["before_mb"] > 0
    assert found["core_s"] > 0
    assert set(found["latency_s"]) == {"10", "30", "50"}


def test_small_scales_leave_out_what_is_measured_from_quick_on() -> None:
    smoke, quick = (
        {item.name for item in chosen_items("slicing", [], scale=name)} for name in ("smoke", "quick")
    )
    assert quick == {item.name for item in items_of("slicing")}
    assert "regimes" in quick - smoke
    assert [item.name for item in chosen_items("slicing", ["regimes"], scale="tiny")] == ["regimes"]


@pytest.mark.parametrize(("study", "item"), [("slicing", "fig9-sweep"), ("placement", "fig6")])
def test_the_committed_report_is_what_its_data_say(
    study: str, item: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every sentence follows from the data beside it by the code of today; pictures are not drawn again for that."""
    committed = Path(__file__).parents[2] / "reproduction" / study
    shutil.copytree(committed / "data", tmp_path / "data")
    monkeypatch.setattr(report, "draw", lambda panels: b"")
    shop = Workshop(SCALES["quick"], tmp_path, jobs=1)
    reproduce(study, shop, only=(item,))
    assert _sentences(tmp_path) == _sentences(committed)


def _sentences(folder: Path) -> list[str]:
    """Lines of a report but those that tell who wrote it."""
    lines = (folder / "report.md").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("Written by")]


def test_a_network_that_offloads_nobody_has_no_share_to_compare() -> None:
    curves: list[dict[str, Any]] = [
        {"label": LABELS["os"], "mean": [10.0, 20.0]},
        {"label": LABELS["deepsets-s"], "mean": [None, None]},
    ]
    found = judge_mec({"panels": [{"title": "2 slices", "curves": curves}]})
    assert found.holds == "partly"
    assert found.ours.endswith("DeepSets-S offloads nobody, so it has no share")
    curves[1]["mean"] = [None, 23.0]
    followed = judge_mec({"panels": [{"title": "2 slices", "curves": curves}]})
    assert followed.holds == "yes"
    assert followed.ours.endswith("off by 3 percentage points on average, 3 at worst")


def test_code_versions_tell_packages_apart() -> None:
    one, other = code_version("slicewright.learning"), code_version("slicewright.models.slicing")
    assert one != other
    assert len(one) == len(other) == 12
