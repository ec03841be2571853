"""What callers may ask for, and how they are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slicewright.control.requests.commands import admit
from slicewright.errors import InvalidScenarioError
from tests.control.support.scenes import scenario_of, state_with


def test_admission_names_what_is_wrong() -> None:
    state, devices = state_with(scenario_of(4, 0))
    with pytest.raises(InvalidScenarioError, match="did you mean 's0'"):
        admit(state, [replace(devices[0], slice_cycles={"s00": 1e6})], most=100)
    with pytest.raises(InvalidScenarioError, match=r"rate_bps\[0\].*without position_m"):
        admit(state, [replace(devices[0], position_m=None)], most=100)
    with pytest.raises(InvalidScenarioError, match="twice"):
        admit(state, [devices[0], devices[0]], most=100)
