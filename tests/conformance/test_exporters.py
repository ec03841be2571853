"""Every export target, on plans that are ordinary, empty, crowded and oddly named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import slicewright as sw
from slicewright.enforcement.export import TARGETS
from slicewright.enforcement.export.document import ExportOptions
from slicewright.network import Scenario, SliceId
from slicewright.slicing.rrm import PROFILES, Profile
from tests.conformance.exporters import check_exporter

PLAIN = sw.preset("paper-slicing", devices=10, seed=3)
ODD = PLAIN.with_(
    access_points=("North Gate", "Süd / 2", "c"),
    slices=(SliceId("a b", 1, "00000a"), SliceId("ß", 2), SliceId("c", 3)),
)
SCENARIOS: dict[str, Scenario] = {
    "ordinary": PLAIN,
    "nobody offloads": PLAIN.with_(local_capacity_hz=np.full(10, 1e14)),
    "one of everything": sw.preset(
        "paper-slicing", devices=1, seed=3, access_points=1, coins=0, mecs=1, slices=1
    ),
    "odd names": ODD,
}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("kind", SCENARIOS)
@pytest.mark.parametrize("target", TARGETS)
def test_every_target(target: str, kind: str, profile: Profile, tmp_path: Path) -> None:
    plan = sw.plan(SCENARIOS[kind], rounds=10)
    check_exporter(target, plan, ExportOptions(profile=profile), tmp_path)
