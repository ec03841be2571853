"""Why devices are local: against the closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import slicewright as sw
from slicewright.control.state.events import DevicesAdmitted
from slicewright.control.state.fold import fold
from slicewright.control.state.reasons import Reason, fits_beside
from slicewright.slicing.shares import optimal_shares
from tests.control.support.decisions import decide_now
from tests.control.support.scenes import crowded, state_with


def test_reasons_say_what_holds() -> None:
    scenario = crowded(24, 1)
    state, devices = state_with(scenario)
    far = replace(devices[0], id="far", rate_bps={}, position_m=None)
    hasty = replace(devices[1], id="hasty", arrival_rate_hz=1e5)
    quick = replace(devices[2], id="quick", local_capacity_hz=1e12, local_cycles=1e6)
    state = fold(state, DevicesAdmitted((far, hasty, quick)))
    _, settlement = decide_now(state)
    assert settlement.reasons["far"] is Reason.OUT_OF_REACH
    assert settlement.reasons["hasty"] is Reason.UNSTABLE
    assert settlement.reasons["quick"] is Reason.TOO_SLOW
    assert set(settlement.reasons) | set(settlement.places) == set(state.devices)
    assert not set(settlement.reasons) & set(settlement.places)
    assert Reason.NO_CAPACITY in settlement.reasons.values()


@pytest.mark.parametrize("queueing", ["node", "device"])
def test_room_beside_others_is_what_the_closed_form_says(queueing: str) -> None:
    scenario = crowded(14, 5).with_(queueing=queueing)
    plan = sw.plan(scenario, rounds=5)
    home = np.flatnonzero(plan.decisions.local)
    fits = fits_beside(scenario, home, plan.decisions)
    for k, i in enumerate(home.tolist()):
        for j in range(scenario.n_nodes):
            for n in range(scenario.n_slices):
                triple = [
                    x.copy() for x in (plan.decisions.access_point, plan.decisions.node, plan.decisions.slice)
                ]
                triple[0][i], triple[1][i], triple[2][i] = 0, j, n
                tried = optimal_shares(scenario, sw.Decisions(*triple))
                assert fits[k, j, n] == (tried is not None), (i, j, n)
