"""What would happen if."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slicewright.control.state.reasons import Reason
from slicewright.control.views.dry_run import dry_run
from slicewright.errors import UnknownNameError
from tests.control.support.decisions import DECISION_OPTIONS, decide_now
from tests.control.support.scenes import scenario_of, state_with


def test_a_dry_run_changes_nothing_and_says_what_would_be() -> None:
    state, devices = state_with(scenario_of(10, 3))
    state, _ = decide_now(state)
    impossible = replace(devices[0], id="impossible", arrival_rate_hz=1e5)
    answer = dry_run(
        state, add=[replace(devices[1], id="new"), impossible], remove=[devices[2].id], network=None, method="auto",
        options=DECISION_OPTIONS,
    )  # fmt: skip
    checks = {c["device"]: c for c in answer["checks"]}
    assert checks["impossible"]["result"] == "INFEASIBLE"
    assert checks["impossible"]["reason"] == Reason.UNSTABLE
    assert answer["plan"]["status"] in ("feasible", "optimal")
    assert len(answer["plan"]["decisions"]) == 10
    with pytest.raises(UnknownNameError):
        dry_run(state, add=[], remove=[], network=None, method="no-such", options=DECISION_OPTIONS)
