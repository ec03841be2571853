"""Rate classes in a real kernel: applied, read back, repaired, obeyed, removed."""

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

import slicewright as sw
from slicewright.enforcement.linux import (
    Htb,
    Limit,
    enforce,
    inspect,
    namespaces,
    rate_limits,
    remove,
    uplink_rates_bps,
)
from slicewright.enforcement.linux.htb import parse_classes, parse_filters, parse_kbit
from slicewright.enforcement.linux.shell import run
from slicewright.errors import EnforcementError
from tests.enforcement.kernel import NETWORK, needs, pair_of_hosts
from tests.present import present
from tests.waiting import PATIENCE_S

CELL = [
    Limit("1", None, 40_000, 40_000),
    Limit("100", "1", 12_000, 12_000),
    Limit("101", "1", 28_000, 28_000),
    Limit("1000", "100", 3_000, 3_000, "10.9.0.11"),
    Limit("1001", "100", 9_000, 9_000, "10.9.0.12"),
    Limit("1002", "101", 28_000, 28_000, "10.9.0.13"),
]


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[str, str]]:
    needs(*NETWORK)
    with pair_of_hosts() as names:
        yield names


@pytest.fixture
def queue(hosts: tuple[str, str]) -> Iterator[Htb]:
    place = Htb("eth0", netns=hosts[0])
    yield place
    remove(place)


def test_the_host_is_left_alone_unless_allowed() -> None:
    needs("linux")
    if namespaces.in_own_namespace():
        pytest.skip("these tests run in a network namespace of their own")
    with pytest.raises(EnforcementError, match="network of this machine itself"):
        Htb("eth0")


def test_a_namespace_of_our_own_needs_no_permission(hosts: tuple[str, str]) -> None:
    code = "from slicewright.enforcement.linux import Htb; print(Htb('eth0').read())"
    assert run([sys.executable, "-c", code], netns=hosts[0]) == "{}\n"


def test_applied_read_back_and_idempotent(queue: Htb) -> None:
    report = enforce(queue, CELL)
    assert [step.action for step in report.done] == ["create"] * len(CELL)
    assert report.drift == ()
    assert sorted(queue.read().values(), key=str) == sorted(CELL, key=str)
    assert enforce(queue, CELL).done == ()


def test_drift_is_seen_and_repaired(queue: Htb) -> None:
    enforce(queue, CELL)
    change = "class change dev eth0 parent 1:100 classid 1:1001 htb rate 5000kbit ceil 5000kbit"
    run(["tc", *change.split()], netns=queue.netns)
    (found,) = inspect(queue, CELL)
    assert found.key == "1001"
    assert found.ratio == pytest.approx(4 / 9)
    report = enforce(queue, CELL)
    assert [step.action for step in report.done] == ["increase"]
    assert report.drift == ()


def test_another_plan_removes_what_it_does_not_know_and_decreases_first(queue: Htb) -> None:
    enforce(queue, CELL)
    other = [
        Limit("1", None, 40_000, 40_000),
        Limit("100", "1", 30_000, 40_000),
        Limit("1000", "100", 10_000, 40_000, "10.9.0.11"),
        Limit("1002", "100", 20_000, 40_000, "10.9.0.13"),
    ]
    report = enforce(queue, other)
    assert report.drift == ()
    assert sorted(queue.read().values(), key=str) == sorted(other, key=str)
    actions = [step.action for step in report.done]
    assert actions.index("increase") > max(k for k, a in enumerate(actions) if a == "remove")


def test_removed_without_a_trace(queue: Htb) -> None:
    before = run(["tc", "qdisc", "show", "dev", "eth0"], netns=queue.netns)
    enforce(queue, CELL)
    remove(queue)
    remove(queue)
    assert run(["tc", "qdisc", "show", "dev", "eth0"], netns=queue.netns) == before
    assert queue.read() == {}


def test_the_kernels_words_reach_the_user(hosts: tuple[str, str]) -> None:
    with pytest.raises(EnforcementError, match='Cannot find device "nowhere"'):
        enforce(Htb("nowhere", netns=hosts[0]), CELL)


RECEIVER = """
import select, socket, time
listener = socket.create_server(("10.9.0.2", 0), backlog=8)
print(listener.getsockname()[1], flush=True)
links = [listener.accept()[0] for _ in range(3)]
# The kernel hands on up to 64 KiB at once, a tenth of what the slowest flow gets in two seconds. So each flow is timed
# from one of its own arrivals to another, and what came with the first is not counted.
first, last, total = {}, {}, dict.fromkeys(links, 0)
begin = time.monotonic()
while time.monotonic() < begin + 5.0:
    for link in select.select(links, [], [], 0.1)[0]:
        got, now = len(link.recv(1 << 20)), time.monotonic()
        if link in first:
            last[link] = now
            total[link] += got
        elif now > begin + 1.0:
            first[link] = now
for link in links:
    print(link.getpeername()[0], total[link] * 8 / (last[link] - first[link]))
"""
SENDER = """
import socket, sys
link = socket.create_connection(("10.9.0.2", int(sys.argv[2])), source_address=(sys.argv[1], 0))
try:
    while True:
        link.sendall(bytes(1 << 16))
except OSError:
    pass
"""


@pytest.mark.timing
def test_three_competing_flows_get_what_they_were_granted(queue: Htb) -> None:
    for last in (11, 12, 13):
        run(["ip", "addr", "replace", f"10.9.0.{last}/24", "dev", "eth0"], netns=queue.netns)
    enforce(queue, CELL)
    inside = ["ip", "netns", "exec"]
    receiver = subprocess.Popen(
        [*inside, present(queue.netns).replace("-a", "-b"), sys.executable, "-c", RECEIVER],
        stdout=subprocess.PIPE,
        text=True,
    )
    port = present(receiver.stdout).readline().strip()
    senders = [
        subprocess.Popen(
            [*inside, present(queue.netns), sys.executable, "-c", SENDER, f"10.9.0.{last}", port]
        )
        for last in (11, 12, 13)
    ]
    said, _ = receiver.communicate(timeout=PATIENCE_S)
    for sender in senders:
        sender.kill()
        sender.wait()
    measured = {row.split()[0]: float(row.split()[1]) for row in said.splitlines()}
    payload = 1448 / 1514
    for limit in CELL[3:]:
        assert measured[present(limit.match)] == pytest.approx(limit.amount * 1000 * payload, rel=0.07)


def test_a_plan_becomes_classes_that_carry_its_rates(queue: Htb) -> None:
    plan = sw.plan(sw.preset("paper-slicing", devices=12, seed=5), rounds=20)
    rates, off = uplink_rates_bps(plan), np.flatnonzero(~plan.decisions.local)
    assert plan.scenario.task_bits[off] / rates[off] == pytest.approx(plan.times.transmit_s[off])
    for a in range(plan.scenario.n_access_points):
        limits = rate_limits(plan, a, {int(i): f"10.9.1.{i}" for i in off}, profile="guaranteed")
        members = np.flatnonzero(plan.decisions.access_point == a)
        assert limits[0].amount == pytest.approx(rates[members].sum() / 1000, rel=1e-3)
        assert {limit.ceiling for limit in limits} == {limits[0].amount}
        report = enforce(queue, limits)
        assert report.drift == ()
        assert report.done


def test_words_of_tc_are_understood() -> None:
    text = (
        "class htb 1:1001 parent 1:100 leaf 8001: prio 0 rate 12345Kbit ceil 1Gbit burst 3026b cburst 3026b \n"
        "class htb 1:100 root rate 800bit ceil 12Mbit burst 3026b cburst 3026b \n"
    )
    assert parse_classes(text, {"1001": "10.0.0.1"}) == {
        "100": Limit("100", None, 1, 12_000),
        "1001": Limit("1001", "100", 12_345, 1_000_000, "10.0.0.1"),
    }
    shown = (
        "filter protocol ip pref 1 u32 chain 0 fh 800::801 order 2049 key ht 800 bkt 0 *flowid 1:1001 not_in_hw \n"
        "  match 0a000001/ffffffff at 12\n"
    )
    assert parse_filters(shown) == {"1001": ("10.0.0.1", "800::801")}
    with pytest.raises(EnforcementError, match="cannot read the rate"):
        parse_kbit("12furlongs")
