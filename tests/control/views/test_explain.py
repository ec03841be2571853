"""Explanations against the judge."""

from __future__ import annotations

from dataclasses import replace

import pytest

import slicewright as sw
from slicewright.control.views.explain import explain
from slicewright.control.views.picture import Picture
from slicewright.slicing.shares import optimal_shares
from tests.control.support.decisions import decide_now
from tests.control.support.scenes import crowded, state_with


def test_an_explanation_agrees_with_the_judge() -> None:
    state, _ = state_with(crowded(10, 3))
    state, settlement = decide_now(state)
    picture = Picture(state, "desired")
    plan = settlement.plan
    assert plan is not None
    device = next(iter(settlement.places))
    i = settlement.devices.index(device)
    answer = explain(picture, device, most=10_000)
    assert sum(a["chosen"] for a in answer["alternatives"]) == 1
    s = plan.scenario
    for alternative in answer["alternatives"]:
        c = alternative["choice"]
        triple = [x.copy() for x in (plan.decisions.access_point, plan.decisions.node, plan.decisions.slice)]
        names = [x.name for x in s.slices]
        triple[0][i], triple[1][i], triple[2][i] = (
            (-1, -1, -1)
            if c["local"]
            else (s.access_points.index(c["access_point"]), s.nodes.index(c["node"]), names.index(c["slice"]))
        )
        decisions = sw.Decisions(*triple)
        shares = optimal_shares(s, decisions)
        assert alternative["feasible"] == (shares is not None)
        if shares is not None:
            cost = replace(plan, decisions=decisions, shares=shares).cost_s
            assert alternative["system_cost_s"] == pytest.approx(cost, rel=1e-9)
        else:
            assert alternative["why_not"]
