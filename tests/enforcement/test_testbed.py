"""The test bed on a real kernel: measured times, drift, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import slicewright as sw
from slicewright.cli.main import app
from slicewright.enforcement.linux import namespaces
from slicewright.enforcement.linux.cgroups import cpu_controller
from slicewright.enforcement.linux.shell import run
from slicewright.enforcement.testbed import bed as beds
from slicewright.enforcement.testbed.picture import draw_run
from slicewright.enforcement.testbed.report import report_run
from slicewright.enforcement.testbed.traffic import send_tasks
from slicewright.errors import EnforcementError, MissingFeatureError
from slicewright.slicing.plan import Plan
from tests.enforcement.kernel import needs
from tests.present import present
from tests.waiting import wait_for

SMALL = Path(beds.__file__).with_name("small.yaml")
NAME = f"t{os.getpid()}"
NOBODY = 65_534


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    needs(*beds.NEEDS)
    yield
    beds.take_down(NAME)
    assert traces() == []


def traces() -> list[str]:
    """Everything in the kernel and on disk that carries the bed's name."""
    groups = [str(path) for path in present(cpu_controller()).mount.glob(f"swt-{NAME}*")]
    files = [str(path) for path in beds.STATE.glob(NAME)]
    said = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return (
        namespaces.existing(f"swt-{NAME}")
        + groups
        + files
        + [x for x in said.splitlines() if f"/{NAME}/" in x]
    )


def small_plan() -> Plan:
    return sw.plan(sw.load_scenario(SMALL), rounds=20)


@pytest.mark.timing
def test_measured_times_are_those_of_the_model(tmp_path: Path) -> None:
    plan = small_plan()
    bed = beds.put_up(plan, name=NAME)
    assert bed.drift() == []
    seen = []
    runs = send_tasks(bed, duration_s=8.0, seed=1, progress=lambda done, total: seen.append((done, total)))
    report = report_run(bed, runs, duration_s=8.0)
    assert seen[-1][0] == seen[-1][1] == sum(d.tasks for d in report.devices) > 10
    assert all(d.lost == 0 for d in report.devices)
    assert report.error("transmit_s") < 0.08
    assert report.error("execute_s") < 0.20
    assert report.error("completion_s") < 0.12
    picture = draw_run(report, runs, tmp_path / "run.png")
    assert picture.read_bytes().startswith(b"\x89PNG")
    document = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert document["schema"] == "slicewright/testbed/v1"
    assert [row["device"] for row in document["devices"]] == bed.layout.devices.tolist()


def test_drift_of_a_standing_bed_is_seen_and_it_cannot_be_put_up_twice() -> None:
    bed = beds.put_up(small_plan(), name=NAME)
    place = bed.layout.access_point(bed.layout.access_points[0])
    run(["tc", "qdisc", "del", "dev", "uplink", "root"], netns=place)
    again = beds.standing(NAME)
    assert again.scale == bed.scale
    assert {found.found for found in again.drift()} == {None}
    call = lambda *words: CliRunner().invoke(app, ["testbed", "status", "--name", NAME, *words])
    assert call().exit_code == 1
    assert call("--repair").exit_code == 0
    assert bed.drift() == []
    run(["tc", "qdisc", "del", "dev", "uplink", "root"], netns=place)
    counts = bed.folder / "counts.prom"
    words = ["testbed", "keep", "--name", NAME, "--times", "2", "--every", "10ms", "--metrics", str(counts)]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert bed.drift() == []
    assert "slicewright_enforce_rounds_total 2" in counts.read_text()
    assert 'action="create"' in counts.read_text()
    with pytest.raises(EnforcementError, match="stands already"):
        beds.put_up(small_plan(), name=NAME)


def test_a_failure_on_the_way_up_takes_everything_down_again() -> None:
    plan = small_plan()
    with pytest.raises(sw.InvalidOptionError, match="at least 1 kbit/s"):
        beds.put_up(plan, name=NAME, most_bps=3e3)
    assert traces() == []


def test_after_a_crash_the_name_is_enough() -> None:
    command = [sys.executable, "-m", "slicewright.cli.main", "testbed", "run", "--name", NAME, "-d", "60s"]
    crashing = subprocess.Popen(
        [sys.executable, "-c", "from slicewright.cli.main import run; run()", *command[3:]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    results = beds.STATE / NAME
    wait_for(lambda: list(results.glob("device*.txt")) or crashing.poll() is not None, "measurements")
    assert crashing.poll() is None
    crashing.send_signal(signal.SIGKILL)
    crashing.wait()
    assert NAME in beds.names()
    assert traces()
    (results / "state.json").write_text("{ torn")
    result = CliRunner().invoke(app, ["testbed", "down", "--name", NAME])
    assert result.exit_code == 0
    assert NAME not in beds.names()
    assert traces() == []


def test_without_root_it_says_so() -> None:
    plan = small_plan()
    os.seteuid(NOBODY)
    try:
        with pytest.raises(MissingFeatureError, match="the test bed needs root rights"):
            beds.put_up(plan, name=NAME)
    finally:
        os.seteuid(0)


def test_no_bed_no_drift() -> None:
    with pytest.raises(EnforcementError, match=f"no test bed named '{NAME}' stands"):
        beds.standing(NAME)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"scale": {"bits": 1, "odd": 2}}'])
def test_torn_files_of_a_bed_are_told(content: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(beds, "STATE", tmp_path)
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "state.json").write_text(content)
    with pytest.raises(EnforcementError, match="cannot be read; take it down"):
        beds.standing(NAME)
