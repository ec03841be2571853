"""``sw.plan`` and ``sw.plan_many``: limits, seeds, parallel batches."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import slicewright as sw
from slicewright.policies.slicing import default_budget_s


def test_plan_reads_files_documents_presets_and_scenarios(tmp_path: Path) -> None:
    scenario = sw.preset("paper-slicing", devices=5, seed=3)
    path = sw.save_scenario(scenario, tmp_path / "s.yaml")
    document = {"preset": "paper-slicing", "devices": 5, "seed": 3}
    costs = [sw.plan(source, rounds=20).cost_s for source in (scenario, path, str(path), document)]
    assert np.allclose(costs, costs[0])
    assert sw.plan("paper-slicing").scenario.n_devices == 30


def test_the_default_budget_grows_with_the_network() -> None:
    assert default_budget_s(sw.preset("paper-slicing", devices=5)) == 0.005
    assert default_budget_s(sw.preset("paper-slicing", devices=400)) == pytest.approx(0.04)


@pytest.mark.parametrize("jobs", [1, 2])
def test_many_scenarios_in_parallel_give_the_same_plans(jobs: int) -> None:
    batch = [sw.preset("paper-slicing", devices=10 + k, seed=k) for k in range(8)]
    plans = sw.plan_many(batch, rounds=30, seed=5, jobs=jobs, certify=True)
    for scenario, plan in zip(batch, plans, strict=True):
        assert plan.scenario is scenario
        assert plan.decisions == sw.plan(scenario, rounds=30, seed=5).decisions
        assert plan.lower_bound_s <= plan.cost_s


@pytest.mark.parametrize("bad", [{"seed": -1}, {"seed": 2**64}, {"budget_s": -0.1}, {"rounds": -3}])
def test_impossible_options_are_named(bad: dict[str, Any]) -> None:
    with pytest.raises(sw.InvalidOptionError):
        sw.plan("paper-slicing", **bad)


def test_compilation_is_announced_once_per_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from slicewright import compiled, kernel_cache

    monkeypatch.setenv("SLICEWRIGHT_CACHE", str(tmp_path))
    monkeypatch.setattr(compiled, "has_ready_kernels", lambda package: False)
    kernel_cache.cache_folder.cache_clear()
    try:
        with caplog.at_level("WARNING"):
            for _ in range(2):  # as two processes on one machine would
                compiled.announce_compilation.cache_clear()
                compiled.announce_compilation("slicing")
        assert [r.message for r in caplog.records if "compiling" in r.message] == [caplog.records[0].message]
    finally:
        kernel_cache.cache_folder.cache_clear()


@pytest.mark.parametrize("family", ["paper-slicing", "regime/balanced"])
def test_auto_takes_the_largest_seed_whether_it_proves_or_searches_on(family: str) -> None:
    plan = sw.plan(sw.preset(family, devices=10, seed=1), budget_s=0.006, seed=2**64 - 1)
    assert plan.violations.feasible
