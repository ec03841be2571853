"""The application without sockets: decisions, what switches are told, and what the HTTP side answers."""

import json
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pytest

import slicewright as sw
from slicewright.enforcement.sdn.api import Reply, respond
from slicewright.enforcement.sdn.decision import NO_WAY, PlacementSettings, Request, decide, read_request
from slicewright.enforcement.sdn.fabric import numbered_fabric
from slicewright.enforcement.sdn.rules import COOKIE_TAG, Flow, Meter, Rules, difference
from slicewright.enforcement.sdn.service import Running, Service, Told, Wanted
from slicewright.errors import EnforcementError
from slicewright.placement import Tasks, choice_of, judge, placement_preset
from tests.present import present
from tests.waiting import wait_for

POLICY = PlacementSettings(method="greedy-nearest", budget_s=None)
TASK = {"access_point": "ap0", "size_bits": 2e7, "cycles": 5e7, "deadline_s": 0.1, "arrival_rate_hz": 0.3}


OLD = Flow(COOKIE_TAG | 99, (("in_port", 1),), 2)


@dataclass
class Said:
    refusal: str | None = None

    def wait(self, timeout_s: float) -> str | None:
        return self.refusal


@dataclass
class Table:
    """A switch in memory: what it was told to have."""

    meters: set[Meter] = field(default_factory=set)
    flows: set[Flow] = field(default_factory=set)
    refusal: str | None = None
    touched: int = 0

    def synchronise(self, wanted: Wanted, told: Told) -> None:
        with wanted() as rules:
            changes = difference(Rules(tuple(self.meters), tuple(self.flows)), rules)
            self.touched += changes.count
            self.meters -= {
                m for m in self.meters if m.meter_id in {c.meter_id for c in changes.change_meters}
            }
            self.meters -= set(changes.remove_meters)
            self.meters |= {*changes.change_meters, *changes.add_meters}
            self.flows = {
                flow
                for flow in self.flows
                if flow not in changes.remove_flows
                and all((flow.priority, flow.match) != (new.priority, new.match) for new in changes.add_flows)
            } | set(changes.add_flows)
        told(changes, None)

    def install(self, rules: Rules) -> Said:
        self.meters |= set(rules.meters)
        self.flows |= set(rules.flows)
        return Said(self.refusal)

    def remove(self, rules: Rules) -> Said:
        self.meters -= set(rules.meters)
        self.flows -= set(rules.flows)
        return Said()


Network: TypeAlias = tuple[Service, dict[str, Table]]


@pytest.fixture
def network() -> Network:
    service = Service(numbered_fabric(placement_preset(tasks=1).topology), POLICY)
    tables = {name: Table() for name in service.fabric.switches}
    for name, dpid in service.fabric.switches.items():
        service.connected(dpid, tables[name])
    return service, tables


def request(service: Service, **changes: object) -> Request:
    return read_request({**TASK, **changes}, service.fabric.topology)


def submitted(service: Service) -> Running:
    """A task that was placed."""
    (task,) = service.submit([request(service)])
    assert isinstance(task, Running)
    return task


def document(answer: Reply) -> dict[str, Any]:
    """The body of an answer about one thing."""
    assert isinstance(answer.body, dict)
    return answer.body


def documents(answer: Reply) -> list[dict[str, Any]]:
    """The body of an answer about several."""
    assert isinstance(answer.body, list)
    return answer.body


def empty(tables: dict[str, Table]) -> bool:
    return not any(table.meters or table.flows for table in tables.values())


def test_a_task_is_installed_on_its_way_and_leaves_nothing_when_it_ends(network: Network) -> None:
    service, tables = network
    task = submitted(service)
    assert len(task.parts) == 2
    for part in task.parts:
        assert all(tables[hop.switch].flows for hop in part.hops)
    entry = task.parts[0].hops[0].switch
    assert {meter.meter_id for meter in tables[entry].meters} == {part.meter_id for part in task.parts}
    assert service.describe(task)["state"] == "active"
    assert service.end(task.number)
    assert not service.end(task.number)
    assert empty(tables)


def test_tasks_decided_one_by_one_or_together_keep_every_rule_and_are_never_moved(network: Network) -> None:
    service, _ = network
    rng = np.random.default_rng(3)
    for _ in range(12):
        batch = [
            request(
                service,
                access_point=f"ap{rng.integers(8)}",
                cycles=float(rng.uniform(4e7, 8e7)),
                deadline_s=float(rng.uniform(0.05, 0.15)),
            )
            for _ in range(rng.integers(1, 4))
        ]
        before = {task.number: task.nodes for task in service._tasks.values()}
        service.submit(batch)
        assert before.items() <= {task.number: task.nodes for task in service._tasks.values()}.items()
    present = list(service._tasks.values())
    assert len(present) > 12
    column = lambda name: np.array([getattr(task.request, name) for task in present])
    topology = service.fabric.topology
    tasks = Tasks(
        topology,
        access_point=np.array([topology.access_points.index(task.request.access_point) for task in present]),
        size_bits=column("size_bits"),
        cycles=column("cycles"),
        deadline_s=column("deadline_s"),
        arrival_rate_hz=column("arrival_rate_hz"),
    )
    assert judge(tasks, choice_of(tasks, [task.nodes for task in present])).violations.feasible
    ports = [task.port for task in present]
    assert len(set(ports)) == len(ports)


def test_a_task_that_nothing_can_serve_in_time_is_rejected_with_a_reason(network: Network) -> None:
    service, tables = network
    (reason,) = service.submit([request(service, deadline_s=1e-4)])
    assert isinstance(reason, str)
    assert reason
    assert empty(tables)


def test_no_room_beside_running_tasks_is_a_reason_too() -> None:
    topology = placement_preset(tasks=1).topology
    one = read_request({**TASK, "arrival_rate_hz": 11.0, "deadline_s": 0.15}, topology)
    running: list[tuple[Request, tuple[int, ...]]] = []
    answers: list[tuple[int, ...] | str] = []
    for _ in range(60):
        (answer,) = decide(topology, running, [one], POLICY, lambda request, nodes: True)
        answers.append(answer)
        if isinstance(answer, str):
            break
        running.append((one, answer))
    assert isinstance(answers[-1], str)
    assert running


def test_a_lost_switch_is_avoided_and_told_everything_when_it_returns(network: Network) -> None:
    service, tables = network
    task = submitted(service)
    away = task.parts[-1].executor
    dpid = service.fabric.switches[away]
    service.disconnected(dpid, tables[away])
    assert present(service.task(task.number))["state"] == "degraded"
    other = submitted(service)
    assert all(hop.switch != away for part in other.parts for hop in part.hops)
    wanted = set(tables[away].flows)
    returned = Table(flows={OLD})
    service.connected(dpid, returned)
    assert returned.flows == wanted
    assert present(service.task(task.number))["state"] == "active"
    service.disconnected(dpid, tables[away])  # news of the old connection
    assert present(service.task(task.number))["state"] == "active"


def test_a_task_that_ends_while_its_switch_is_away_is_not_reinstalled(network: Network) -> None:
    service, tables = network
    task = submitted(service)
    name = task.parts[-1].executor
    service.disconnected(service.fabric.switches[name], tables[name])
    service.end(task.number)
    assert tables[name].flows
    service.connected(service.fabric.switches[name], tables[name])
    assert empty(tables)


def test_cut_off_from_everything(network: Network) -> None:
    service, tables = network
    service.disconnected(service.fabric.switches["lower0"], tables["lower0"])
    assert service.submit([request(service)]) == [NO_WAY]


def test_a_switch_that_refuses_leaves_nothing_of_the_task(network: Network) -> None:
    service, tables = network
    for table in tables.values():
        table.refusal = "OpenFlow error type 12, code 3"
    with pytest.raises(EnforcementError, match="did not take the rules: lower0: OpenFlow error type 12"):
        service.submit([request(service)])
    assert service.tasks() == []
    assert empty(tables)


def test_a_task_with_a_duration_ends_by_itself(network: Network) -> None:
    service, tables = network
    service.submit([request(service, duration_s=0.05)])
    assert not empty(tables)
    wait_for(lambda: service.tasks() == [], "the end of the task")
    assert empty(tables)


def test_a_stranger_is_left_alone(network: Network) -> None:
    service, _ = network
    stranger = Table(flows={OLD})
    service.connected(999, stranger)
    service.disconnected(999, stranger)
    assert stranger.flows == {OLD}


def test_the_default_rate_carries_one_task_in_within_its_deadline(network: Network) -> None:
    assert request(network[0]).rate_bps == pytest.approx(2e8)
    assert request(network[0], rate_bps=5e6).rate_bps == 5e6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"access_point": "ap9"}, "access_point"),
        ({"cycles": -1}, "cycles"),
        ({"deadline": 1}, "deadline: is not a known field; did you mean 'deadline_s'"),
        ({"size_bits": None}, "size_bits: is missing"),
        ({"duration_s": 0}, "duration_s is 0 but must be positive"),
    ],
)
def test_wrong_requests_are_refused_by_name(network: Network, change: dict[str, Any], message: str) -> None:
    with pytest.raises(sw.InvalidTasksError, match=message):
        request(network[0], **change)


def post(service: Service, tasks: object) -> Reply:
    return respond(service, "POST", "/v1/tasks", json.dumps(tasks).encode())


def test_the_life_of_a_task_over_http(network: Network) -> None:
    service, _ = network
    made = post(service, TASK)
    assert made.status == 201
    assert made.location == f"/v1/tasks/{document(made)['id']}"
    assert [entry["port"] for entry in document(made)["executors"]] == [20_000, 20_000]
    assert respond(service, "GET", made.location).body == made.body
    assert respond(service, "GET", "/v1/tasks").body == [made.body]
    assert respond(service, "DELETE", made.location).status == 204
    assert respond(service, "DELETE", made.location).status == 404
    assert respond(service, "GET", "/healthz").body == {"status": "ok", "switches_away": []}
    assert len(documents(respond(service, "GET", "/v1/switches"))) == 13


def test_lists_are_decided_together_and_answered_in_order(network: Network) -> None:
    service, _ = network
    answer = post(service, [TASK, {**TASK, "deadline_s": 1e-4}, {**TASK, "access_point": "ap4"}])
    assert answer.status == 200
    assert [one["state"] for one in documents(answer)] == ["active", "rejected", "active"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/tasks", b"{", 400),
        ("POST", "/v1/tasks", b"[]", 400),
        ("POST", "/v1/tasks", b'{"access_point": "ap0"}', 422),
        ("POST", "/v1/tasks", b'"text"', 422),
        ("POST", "/v1/tasks", json.dumps({**TASK, "deadline_s": 1e-4}).encode(), 409),
        ("PUT", "/v1/tasks", b"", 405),
        ("GET", "/v1/tasks/77", b"", 404),
        ("GET", "/v1/tasks/../x", b"", 404),
        ("GET", "/", b"", 404),
    ],
)
def test_problems_are_documents(network: Network, method: str, path: str, body: bytes, status: int) -> None:
    answer = respond(network[0], method, path, body)
    assert answer.status == document(answer)["status"] == status
    assert document(answer)["detail"]
