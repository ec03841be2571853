"""The application against real switches: Open vSwitch in user space under the layered topology, hosts in namespaces."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from slicewright.enforcement.linux import namespaces
from slicewright.enforcement.sdn.emulation import NEEDS, STATE, EmulatedFabric, take_down
from slicewright.enforcement.sdn.fabric import numbered_fabric
from slicewright.placement import placement_preset
from tests.enforcement.kernel import needs
from tests.loopback import own_loopback
from tests.present import present
from tests.waiting import PATIENCE_S, wait_for

NAME = f"t{os.getpid()}"
TASK = {"access_point": "ap0", "size_bits": 2e7, "cycles": 5e7, "deadline_s": 0.1, "arrival_rate_hz": 0.3}
RECEIVER = """
import socket, sys, time
inbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
inbox.bind(("", int(sys.argv[1])))
inbox.settimeout(0.1)
print("ready", flush=True)
end = time.monotonic() + float(sys.argv[2])
first = last = None
bytes_ = packets = 0
while time.monotonic() < end:
    try:
        data = inbox.recv(4096)
    except TimeoutError:
        continue
    now = time.monotonic()
    first = first or now
    packets += 1
    if now > first + 0.7:  # the burst that a meter lets through at once is over
        bytes_ += len(data) + 42
        last = now
print(packets, bytes_ * 8 / (last - first - 0.7) if last else 0.0)
"""
SENDER = """
import socket, sys, time
outbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
address, rate, seconds = (sys.argv[1], int(sys.argv[2])), float(sys.argv[3]), float(sys.argv[4])
begin, sent = time.monotonic(), 0
while time.monotonic() < begin + seconds:
    outbox.sendto(bytes(1000), address)
    sent += 1
    time.sleep(max(0.0, begin + sent * 1042 * 8 / rate - time.monotonic()))
"""
ECHO_SERVER = """
import socket, sys
listener = socket.create_server(("", int(sys.argv[1])))
print("ready", flush=True)
link, _ = listener.accept()
link.sendall(link.recv(100).upper())
"""
ECHO_CLIENT = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as link:
    link.sendall(b"whole way and back")
    print(link.recv(100).decode())
"""


def free_port(host: str) -> int:
    with socket.create_server((host, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class Controller:
    """``slicewright sdn serve`` as a process."""

    def __init__(self, emulated: EmulatedFabric, *more: str) -> None:
        host = own_loopback()
        self.emulated, self.http = emulated, f"{host}:{free_port(host)}"
        code = "from slicewright.cli.main import run; run()"
        listen = f"{emulated.controller_address}:{emulated.openflow_port}"
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                code,
                "sdn",
                "serve",
                "--openflow",
                listen,
                "--http",
                self.http,
                "--every",
                "500ms",
                *more,
            ],
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, method: str, path: str, document: object = None) -> Any:
        data = None if document is None else json.dumps(document).encode()
        asked = urllib.request.Request(f"http://{self.http}{path}", data, method=method)
        asked.add_header("Content-Type", "application/json")
        asked.add_header("Host", "localhost")  # no other name is served
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refusal:
            return json.loads(refusal.read())

    def await_health(self, wanted: Callable[[list[str]], bool]) -> None:
        seen = None
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                seen = self.call("GET", "/healthz")
            except OSError:
                seen = None
            if seen and wanted(seen["switches_away"]):
                return
            time.sleep(0.1)
        raise AssertionError(f"health is {seen}; exit code {self.process.poll()}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE_S)


@pytest.fixture(scope="module")
def emulated() -> Iterator[EmulatedFabric]:
    needs(*NEEDS)
    pytest.importorskip("os_ken")
    pid = os.getpid()
    control = IPv4Network(
        (0xA9FE4000 + pid % 4096 * 4, 30)
    )  # 169.254.64.0 and above: a network per test process
    fabric = EmulatedFabric(
        numbered_fabric(placement_preset(tasks=1).topology), NAME, openflow_port=16653, control=control
    )
    try:
        fabric.put_up()
        yield fabric
    finally:
        take_down(NAME)
        assert namespaces.existing(fabric.prefix) == []
        assert not (STATE / NAME).exists()


@pytest.fixture(scope="module")
def running(emulated: EmulatedFabric) -> Iterator[Controller]:
    controller = Controller(emulated)
    try:
        controller.await_health(lambda away: not away)
        yield controller
    finally:
        controller.stop()


@pytest.fixture
def controller(running: Controller) -> Iterator[Controller]:
    yield running
    for task in running.call("GET", "/v1/tasks"):
        running.call("DELETE", f"/v1/tasks/{task['id']}")


def send(
    emulated: EmulatedFabric,
    access_point: str,
    executors: Sequence[dict[str, Any]],
    *,
    rate: float,
    seconds: float = 2.2,
) -> list[tuple[int, float]]:
    """Packets and bit/s that arrive at each executor while the access point sends to all of them."""
    inside = lambda name: ["ip", "netns", "exec", emulated.host(name), sys.executable, "-c"]
    receivers = [
        subprocess.Popen(
            [*inside(one["node"]), RECEIVER, str(one["port"]), str(seconds + 1.0)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for one in executors
    ]
    for receiver in receivers:
        assert present(receiver.stdout).readline() == "ready\n"
    senders = [
        subprocess.Popen(
            [*inside(access_point), SENDER, one["address"], str(one["port"]), str(rate), str(seconds)]
        )
        for one in executors
    ]
    for sender in senders:
        sender.wait(timeout=PATIENCE_S)
    said = [receiver.communicate(timeout=PATIENCE_S)[0].split() for receiver in receivers]
    return [(int(packets), float(bps)) for packets, bps in said]


def flows(emulated: EmulatedFabric, node: str) -> int:
    return emulated.openflow("dump-flows", node).count("cookie=0x5357") - 1  # one asks for addresses


@pytest.mark.timing
def test_packets_reach_both_executors_at_the_metered_rate_and_nothing_stays(
    emulated: EmulatedFabric, controller: Controller
) -> None:
    task = controller.call("POST", "/v1/tasks", {**TASK, "rate_bps": 2e6})
    assert task["state"] == "active"
    assert len(task["executors"]) == 2
    for packets, bps in send(emulated, "ap0", task["executors"], rate=6e6):
        assert packets > 100
        assert bps == pytest.approx(2e6, rel=0.10)
    used = {name for one in task["executors"] for name in one["path"]}
    assert all(flows(emulated, name) >= 4 for name in used)
    assert emulated.openflow("dump-meters", "lower0").count("rate=2000") == 2
    assert controller.call("DELETE", f"/v1/tasks/{task['id']}") is None
    assert all(flows(emulated, name) == 0 for name in used)
    assert "rate=" not in emulated.openflow("dump-meters", "lower0")
    assert [packets for packets, _ in send(emulated, "ap0", task["executors"], rate=1e6, seconds=0.4)] == [
        0,
        0,
    ]


@pytest.mark.timing
def test_many_tasks_at_once_each_with_its_own_meter_and_a_way_through_the_core(
    emulated: EmulatedFabric, controller: Controller
) -> None:
    batch = [{**TASK, "access_point": "ap1", "cycles": 8e7, "rate_bps": rate} for rate in (1e6, 3e6)]
    batch.append({**TASK, "access_point": "ap6", "deadline_s": 1e-4})
    first, second, rejected = controller.call("POST", "/v1/tasks", batch)
    assert rejected["state"] == "rejected"
    assert rejected["reason"]
    for task, rate in ((first, 1e6), (second, 3e6)):
        ((_, bps),) = send(emulated, "ap1", task["executors"][-1:], rate=8e6)
        assert bps == pytest.approx(rate, rel=0.10)


def test_answers_find_their_way_back(emulated: EmulatedFabric, controller: Controller) -> None:
    task = controller.call("POST", "/v1/tasks", {**TASK, "access_point": "ap3", "rate_bps": 1e7})
    far = task["executors"][-1]
    inside = ["ip", "netns", "exec"]
    with subprocess.Popen(
        [*inside, emulated.host(far["node"]), sys.executable, "-c", ECHO_SERVER, str(far["port"])],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert present(server.stdout).readline() == "ready\n"
        client = [
            *inside,
            emulated.host("ap3"),
            sys.executable,
            "-c",
            ECHO_CLIENT,
            far["address"],
            str(far["port"]),
        ]
        said = subprocess.run(client, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert said.stdout == "WHOLE WAY AND BACK\n", said.stderr


@pytest.mark.timing
def test_lost_switches_come_back_and_are_told_everything(
    emulated: EmulatedFabric, controller: Controller
) -> None:
    task = controller.call("POST", "/v1/tasks", {**TASK, "rate_bps": 2e6})
    ended = controller.call("POST", "/v1/tasks", TASK)
    emulated.stop_switches()
    controller.await_health(lambda away: len(away) == 13)
    assert controller.call("GET", f"/v1/tasks/{task['id']}")["state"] == "degraded"
    assert controller.call("POST", "/v1/tasks", TASK)["status"] == 409
    controller.call("DELETE", f"/v1/tasks/{ended['id']}")
    emulated.start_switches()
    controller.await_health(lambda away: not away)
    assert controller.call("GET", f"/v1/tasks/{task['id']}")["state"] == "active"
    ((_, bps),) = send(emulated, "ap0", task["executors"][-1:], rate=6e6)
    assert bps == pytest.approx(2e6, rel=0.10)
    assert emulated.openflow("dump-meters", "lower0").count("rate=") == 2


def test_a_task_with_a_duration_is_removed_by_itself(
    emulated: EmulatedFabric, controller: Controller
) -> None:
    task = controller.call("POST", "/v1/tasks", {**TASK, "duration_s": 0.5})
    entry = task["executors"][0]["path"][0]
    assert flows(emulated, entry) > 0
    wait_for(lambda: flows(emulated, entry) == 0, "the end of the task")


def test_a_new_controller_finds_switches_clean(emulated: EmulatedFabric, running: Controller) -> None:
    task = running.call("POST", "/v1/tasks", TASK)
    entry = task["executors"][0]["path"][0]
    running.process.kill()
    running.process.communicate(timeout=PATIENCE_S)
    assert flows(emulated, entry) > 0  # what was installed forwards on without a controller
    successor = Controller(emulated)
    try:
        successor.await_health(lambda away: not away)
        assert flows(emulated, entry) == 0
        assert "rate=" not in emulated.openflow("dump-meters", entry)
    finally:
        successor.stop()


def repairs(controller: Controller, node: str) -> int:
    (found,) = (one["repairs"] for one in controller.call("GET", "/v1/switches") if one["name"] == node)
    return int(found)


def longest_s(emulated: EmulatedFabric, node: str) -> float:
    """How long the oldest flow of a task has been there."""
    dump = emulated.openflow("dump-flows", node)
    found = re.findall(r"cookie=0x5357\w*, duration=([0-9.]+)s.* priority=200", dump)
    return max(map(float, found), default=0.0)


def test_tasks_and_their_flows_outlive_their_controller(
    emulated: EmulatedFabric, running: Controller, tmp_path: Path
) -> None:
    running.process.kill()
    running.process.communicate(timeout=PATIENCE_S)
    kept = ("--store", str(tmp_path / "tasks.db"))
    first = Controller(emulated, *kept)
    try:
        first.await_health(lambda away: not away)
        task = first.call("POST", "/v1/tasks", {**TASK, "rate_bps": 2e6})
        entry = task["executors"][0]["path"][0]
        time.sleep(1.0)
        first.process.kill()
        first.process.communicate(timeout=PATIENCE_S)
        second = Controller(emulated, *kept)
    finally:
        first.stop()
    try:
        second.await_health(lambda away: not away)
        assert second.call("GET", f"/v1/tasks/{task['id']}") == task
        wait_for(lambda: _all_checked(second), "every switch was looked at")
        assert all(one["repairs"] == 0 for one in second.call("GET", "/v1/switches"))
        assert longest_s(emulated, entry) > 1.0
        assert emulated.openflow("dump-meters", entry).count("rate=2000") == 2

        emulated.openflow("del-flows", entry, "tcp")
        emulated.openflow(
            "mod-meter",
            entry,
            f"meter={task['executors'][0]['meter']},kbps,burst,band=type=drop,rate=7,burst_size=25",
        )
        emulated.openflow(
            "add-flow", entry, "cookie=0x5357000000000063,priority=200,in_port=1,actions=output:2"
        )
        foreign = "0x5357000000000063"
        wait_for(
            lambda: repairs(second, entry) >= 3 and foreign not in emulated.openflow("dump-flows", entry),
            "repairs",
        )
        assert repairs(second, entry) >= 3
        assert emulated.openflow("dump-meters", entry).count("rate=2000") == 2
        assert foreign not in emulated.openflow("dump-flows", entry)
        assert emulated.openflow("dump-flows", entry).count("tcp") >= 2
        assert second.call("DELETE", f"/v1/tasks/{task['id']}") is None
        assert flows(emulated, entry) == 0
    finally:
        second.stop()


def _all_checked(controller: Controller) -> bool:
    return all(one["checks"] for one in controller.call("GET", "/v1/switches"))
