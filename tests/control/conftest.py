"""Fixtures of the control plane."""

from __future__ import annotations

import pytest

from slicewright.network.scenario import Scenario
from tests.control.support.scenes import scenario_of


@pytest.fixture(scope="session")
def small() -> Scenario:
    """Twelve devices."""
    return scenario_of(12, 1)
