"""What the terminal says of a plan."""

from __future__ import annotations

import numpy as np
import pytest

import slicewright as sw
from slicewright.cli.views.plan_view import cost_parts


def test_a_plan_tells_what_its_cost_is_spent_on() -> None:
    """Shares of the sum of completion times: a radio problem is told from one where not everybody fits."""
    parts = {}
    for regime in ("paper", "compute"):
        plan = sw.plan(sw.preset(f"regime/{regime}", devices=20, seed=1), method="best-response", rounds=1)
        found = cost_parts(plan)
        assert found is not None
        assert sum(found.values()) == pytest.approx(1.0)
        assert found["at home"] == pytest.approx(
            plan.times.completion_s[plan.decisions.local].sum() / plan.cost_s
        )
        parts[regime] = found
    assert parts["paper"]["radio"] > 0.8 > 0.5 > parts["compute"]["radio"]
    assert parts["compute"]["at home"] > 0.5


def test_a_plan_without_a_finite_cost_has_no_parts() -> None:
    scenario = sw.preset("paper-slicing", devices=2, seed=1)
    everybody = np.zeros(2, dtype=np.int64)
    decisions = sw.Decisions(everybody, everybody, everybody)
    assert cost_parts(sw.Plan(scenario, decisions, sw.Shares.none(scenario))) is None
