"""Fixtures of the control plane."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slicewright.network.scenario import Scenario
from tests.control.support.processes import NATS, nats_server
from tests.control.support.scenes import scenario_of


@pytest.fixture(scope="session")
def small() -> Scenario:
    """Twelve devices."""
    return scenario_of(12, 1)


@pytest.fixture
def nats_url(tmp_path: Path) -> Iterator[str]:
    """A server of its own for every test."""
    if NATS is None:
        pytest.skip("nats-server is not installed")
    with nats_server(tmp_path) as url:
        yield url
