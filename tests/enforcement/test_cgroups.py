"""CPU groups: v1 in the real kernel where it has one, the texts of v2 in plain files."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import slicewright as sw
from slicewright.enforcement.linux import (
    CpuGroups,
    Limit,
    cpu_limits,
    cpu_speeds_hz,
    enforce,
    inspect,
    remove,
)
from slicewright.enforcement.linux.cgroups import UNLIMITED, Controller, Quota, cpu_controller, quota_of
from slicewright.errors import EnforcementError
from tests.enforcement.kernel import CPU, needs
from tests.waiting import PATIENCE_S

BURN = "import time\nbegin = time.monotonic()\nwhile time.monotonic() < begin + 1.2: pass\nprint(time.process_time())"
TREE = [
    Limit("node0-slice1", None, 400_000, 400_000),
    Limit("node0-slice1/device2", "node0-slice1", 200_000, 200_000),
    Limit("node0-slice1/device5", "node0-slice1", 100_000, 100_000),
]


@pytest.fixture
def groups() -> Iterator[CpuGroups]:
    needs(*CPU)
    place = CpuGroups.here(f"swtest-{os.getpid()}")
    yield place
    remove(place)


def test_applied_read_back_idempotent_and_repaired(groups: CpuGroups) -> None:
    report = enforce(groups, TREE)
    assert report.drift == ()
    assert list(groups.read().values()) == TREE
    assert enforce(groups, TREE).done == ()
    smaller = [TREE[0], Limit(TREE[1].key, TREE[1].parent, 50_000, 50_000)]
    assert [pair.key for pair in inspect(groups, smaller)] == [TREE[1].key, TREE[2].key]
    report = enforce(groups, smaller)
    assert {step.action for step in report.done} == {"remove", "decrease"}
    assert report.drift == ()
    assert enforce(groups, TREE).drift == ()


def test_a_child_larger_than_its_parent_is_the_kernels_refusal(groups: CpuGroups) -> None:
    if groups.controller.version != 1:
        pytest.skip("cgroup v2 accepts any nesting")
    with pytest.raises(EnforcementError, match="the kernel refused"):
        enforce(groups, [TREE[0], Limit(TREE[1].key, TREE[1].parent, 900_000, 900_000)])


@pytest.mark.timing
def test_a_busy_process_gets_its_share_and_survives_the_removal(groups: CpuGroups) -> None:
    enforce(groups, TREE)
    burner = subprocess.Popen([sys.executable, "-c", BURN], stdout=subprocess.PIPE, text=True)
    groups.attach(TREE[1].key, burner.pid)
    used = float(burner.communicate(timeout=PATIENCE_S)[0])
    assert used / 1.2 == pytest.approx(0.2, abs=0.06)
    idle = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    groups.attach(TREE[2].key, idle.pid)
    remove(groups)
    assert not groups.top.exists()
    assert idle.poll() is None
    idle.communicate(b"\n")


def test_quotas_are_as_fine_as_the_kernel_allows() -> None:
    assert quota_of(100_000) == Quota(1_000, 10_000)
    assert quota_of(1_000) == Quota(1_000, 1_000_000)
    assert quota_of(900_000) == Quota(4_500, 5_000)
    assert quota_of(100_000).early_s == pytest.approx(0.009)
    for amount in range(1_000, 1_000_000, 7_919):
        quota = quota_of(amount)
        assert quota.quota_us >= 1_000
        assert quota.quota_us / quota.period_us == pytest.approx(amount / 1e6, rel=2e-3)
    with pytest.raises(sw.InvalidOptionError, match="at least 1000 us per second"):
        quota_of(999)


def plain_v2(folder: Path) -> Path:
    (folder / "cgroup.controllers").write_text("cpuset cpu io memory\n")
    (folder / "cgroup.subtree_control").write_text("")
    return folder


def test_version_two_writes_one_line_and_opens_every_level(tmp_path: Path) -> None:
    place = CpuGroups("top", Controller(2, plain_v2(tmp_path)))
    place.apply([])
    assert not place.top.exists()
    assert enforce(place, TREE).drift == ()
    assert (place.top / TREE[1].key / "cpu.max").read_text() == "1000 5000"
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu"
    assert (place.top / "node0-slice1" / "cgroup.subtree_control").read_text() == "+cpu"
    (place.top / TREE[2].key / "cpu.max").write_text("max 100000\n")
    assert place.read()[TREE[2].key].amount == UNLIMITED
    place.attach(TREE[1].key, 1234)
    assert (place.top / TREE[1].key / "cgroup.procs").read_text() == "1234"


def test_the_controller_is_found_in_the_newer_version_first(tmp_path: Path) -> None:
    first, second = tmp_path / "unified", tmp_path / "cpu"
    first.mkdir()
    second.mkdir()
    mounts = tmp_path / "mounts"
    mounts.write_text(f"cgroup2 {first} cgroup2 rw 0 0\ncgroup {second} cgroup rw,cpu,cpuacct 0 0\n")
    assert cpu_controller(mounts) == Controller(1, second)
    plain_v2(first)
    assert cpu_controller(mounts) == Controller(2, first)
    mounts.write_text(f"tmpfs {first} tmpfs rw 0 0\n")
    assert cpu_controller(mounts) is None


def test_a_plan_becomes_groups_that_carry_its_speeds() -> None:
    plan = sw.plan(sw.preset("paper-slicing", devices=12, seed=5), rounds=20)
    speeds = cpu_speeds_hz(plan)
    limits = {limit.key: limit for limit in cpu_limits(plan, cpus_per_hz=0.5 / speeds.max())}
    for i in range(12):
        if plan.decisions.local[i]:
            continue
        j, n = plan.decisions.node[i], plan.decisions.slice[i]
        key = f"node{j}-slice{n}/device{i}"
        assert limits[key].amount == pytest.approx(speeds[i] / speeds.max() * 0.5e6, abs=1)
        assert limits[key].amount < limits[f"node{j}-slice{n}"].amount
    with pytest.raises(sw.InvalidOptionError, match="more than one CPU"):
        cpu_limits(plan, cpus_per_hz=1.5 / speeds.max())
