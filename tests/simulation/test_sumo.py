"""Floating-car data that SUMO itself writes: a small city of streets, made and driven by its own programs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import slicewright as sw
from slicewright.simulation import Follower, Settings, Simulation, load_trace

sumo = pytest.importorskip("sumo", reason="eclipse-sumo is not installed")

TRIPS = """<routes>
 {}
</routes>"""
TRIP = '<trip id="v{0}" depart="{1}" from="{2}" to="{3}"/>'


def program(name: str, *arguments: str, folder: Path) -> None:
    home = str(sumo.SUMO_HOME)
    command = [str(Path(home) / "bin" / name), *arguments]
    environment = {**os.environ, "SUMO_HOME": home}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=120)


@pytest.mark.parametrize("file", ["fcd.xml", "fcd.xml.gz"])
def test_vehicles_of_sumo_drive_through_a_run(file: str, tmp_path: Path) -> None:
    program(
        "netgenerate",
        "--grid",
        "--grid.number",
        "3",
        "--grid.length",
        "100",
        "-o",
        "net.xml",
        folder=tmp_path,
    )
    ways = [("A0B0", "C1C2"), ("C2C1", "B0A0"), ("A2B2", "B1B0"), ("B0B1", "C2B2")]
    trips = [TRIP.format(k, 3 * k, *ways[k % len(ways)]) for k in range(8)]
    (tmp_path / "trips.xml").write_text(TRIPS.format("\n ".join(trips)))
    drive = ["-n", "net.xml", "-r", "trips.xml", "--fcd-output", file, "--end", "90", "--seed", "1"]
    program("sumo", *drive, "--no-step-log", folder=tmp_path)
    trace = load_trace(tmp_path / file)
    assert len(trace.names) == 8
    position, present = trace.at(20.0)
    assert present.sum() >= 5
    inside = position[present]
    assert (inside >= -10.0).all() and (inside <= 210.0).all()
    scenario = sw.preset("paper-slicing", devices=8, seed=1)
    run = Simulation(sw.plan(scenario, rounds=50), Settings(seed=2), movement=Follower(scenario, trace))
    tasks = run.advance(120.0)
    assert run.counts.joins >= 7 and run.counts.leaves >= 8
    assert len(tasks) + run.queues.n_inside == run.queues.n_arrived
    assert np.isfinite(tasks.done_s[~tasks.lost]).all()
