"""Scenarios for tests: small random ones as a hypothesis strategy, and the shared reference instances."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from slicewright.network import Scenario, preset
from tests import shared

REFERENCE = shared.REFERENCE / "slicing"


def reference_optima() -> list[dict[str, Any]]:
    """Entries of the published optima, empty where the shared folder is not there."""
    index = REFERENCE / "optima.json"
    return list(json.loads(index.read_text())) if index.exists() else []


def each_reference(most_devices: int = 10**9) -> pytest.MarkDecorator:
    """Ask a test of every published optimum of so many devices at most, as ``entry``."""
    entries = [pytest.param(entry) for entry in reference_optima() if entry["devices"] <= most_devices]
    absent = pytest.param({}, marks=pytest.mark.skip("no shared folder"))
    return pytest.mark.parametrize("entry", entries or [absent], ids=lambda entry: str(entry.get("file")))


@st.composite
def scenarios(draw: st.DrawFn, *, most_devices: int = 8, most_nodes: int = 4) -> Scenario:
    """Small scenarios over a wide range of loads: 13b and 13c bind in some, nothing binds in others."""
    load = draw(st.sampled_from(["light", "paper", "heavy"]))
    ranges = {
        "light": {"coin_capacity_hz": (2e9, 6e9), "local_capacity_hz": (1e7, 3e7)},
        "paper": {},
        "heavy": {
            "coin_capacity_hz": (4e8, 6e8), "mec_capacity_hz": (8e8, 1e9), "local_capacity_hz": (2e7, 2e8),
            "arrival_rate_hz": (0.1, 0.6),
        },
    }[load]  # fmt: skip
    coins = draw(st.integers(0, most_nodes - 1))
    return preset(
        "paper-slicing",
        devices=draw(st.integers(1, most_devices)),
        seed=draw(st.integers(0, 10_000)),
        access_points=draw(st.integers(1, 3)),
        slices=draw(st.integers(1, 3)),
        coins=coins,
        mecs=draw(st.integers(0 if coins else 1, 1)),
        queueing=draw(st.sampled_from(["node", "device"])),
        **ranges,
    )
