"""Tasks outlive their controller, and switches are mended rather than wiped."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from slicewright.enforcement.sdn.fabric import numbered_fabric
from slicewright.enforcement.sdn.rules import Flow, Meter, Rules, difference
from slicewright.enforcement.sdn.service import Running, Service
from slicewright.enforcement.sdn.task_store import SqliteTaskStore
from slicewright.errors import EnforcementError
from slicewright.placement import placement_preset
from tests.enforcement.test_sdn_service import POLICY, TASK, Network, Table, network, request, submitted
from tests.waiting import wait_for

__all__ = ["network"]


def controller(store: SqliteTaskStore, tables: dict[str, Table]) -> Service:
    service = Service(numbered_fabric(placement_preset(tasks=1).topology), POLICY, store=store)
    for name, dpid in service.fabric.switches.items():
        service.connected(dpid, tables[name])
    return service


def tables_of() -> dict[str, Table]:
    return {name: Table() for name in numbered_fabric(placement_preset(tasks=1).topology).switches}


def test_tasks_run_on_under_the_next_controller_and_no_flow_is_touched(tmp_path: Path) -> None:
    tables, store = tables_of(), SqliteTaskStore(tmp_path / "tasks.db")
    first = controller(store, tables)
    task, ended = submitted(first), submitted(first)
    first.end(ended.number)
    shown, touched = first.tasks(), sum(table.touched for table in tables.values())
    store.close()
    second = controller(SqliteTaskStore(tmp_path / "tasks.db"), tables)
    assert second.tasks() == shown
    assert sum(table.touched for table in tables.values()) == touched
    assert submitted(second).number > ended.number
    assert second.end(task.number)
    assert not any(flow.cookie & 0xFFFF == task.number for table in tables.values() for flow in table.flows)


def test_a_task_whose_time_is_over_while_nobody_controls_ends_with_the_next_controller(
    tmp_path: Path,
) -> None:
    tables, store = tables_of(), SqliteTaskStore(tmp_path / "tasks.db")
    first = controller(store, tables)
    first.submit([request(first, duration_s=3600.0)])
    (kept,) = (task.stored for task in first._tasks.values())
    store.remove(kept.number)
    store.add([replace(kept, since=kept.since - 4000.0)])
    store.close()
    second = controller(SqliteTaskStore(tmp_path / "tasks.db"), tables)
    wait_for(lambda: second.tasks() == [], "the end of the task")
    assert not any(table.flows for table in tables.values())


def test_what_the_store_does_not_take_has_not_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables, store = tables_of(), SqliteTaskStore(tmp_path / "tasks.db")
    service = controller(store, tables)
    task = submitted(service)
    before = {name: set(table.flows) for name, table in tables.items()}

    def full(*_: object) -> None:
        raise EnforcementError("the disk is full")

    monkeypatch.setattr(store, "add", full)
    monkeypatch.setattr(store, "remove", full)
    with pytest.raises(EnforcementError, match="full"):
        service.submit([request(service)])
    with pytest.raises(EnforcementError, match="full"):
        service.end(task.number)
    assert [one["id"] for one in service.tasks()] == [task.number]
    assert {name: table.flows for name, table in tables.items()} == before


def test_a_store_has_one_controller_and_one_fabric(tmp_path: Path) -> None:
    store = SqliteTaskStore(tmp_path / "tasks.db")
    with pytest.raises(EnforcementError, match="cannot be used"):
        SqliteTaskStore(tmp_path / "tasks.db")
    submitted(controller(store, tables_of()))
    other = numbered_fabric(placement_preset(tasks=1, access_points=9).topology)
    with pytest.raises(EnforcementError, match="another fabric"):
        Service(other, POLICY, store=store)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello " * 1000)
    with pytest.raises(EnforcementError, match="cannot be used"):
        SqliteTaskStore(tmp_path / "text")
    store = SqliteTaskStore(tmp_path / "tasks.db")
    store.close()
    with sqlite3.connect(tmp_path / "tasks.db") as file:
        file.execute("INSERT INTO tasks VALUES (1, '{}')")
    with pytest.raises(EnforcementError, match="cannot be read"):
        Service(
            numbered_fabric(placement_preset(tasks=1).topology),
            POLICY,
            store=SqliteTaskStore(tmp_path / "tasks.db"),
        )


def test_what_somebody_changed_in_a_switch_is_mended_and_counted(network: Network) -> None:
    service, tables = network
    task = submitted(service)
    entry = tables[task.parts[0].hops[0].switch]
    name = task.parts[0].hops[0].switch
    wanted, meters = set(entry.flows), set(entry.meters)
    lost, altered = sorted(entry.flows, key=str)[:2]
    entry.flows -= {lost, altered}
    entry.flows |= {replace(altered, out_port=99), Flow(lost.cookie, (("in_port", 77),), 1)}
    entry.meters = {meter._replace(rate_kbps=1) for meter in entry.meters}
    service.synchronise()
    assert entry.flows == wanted
    assert entry.meters == meters
    (counted,) = (one for one in service.switches() if one["name"] == name)
    assert counted["repairs"] == 3 + len(meters)
    service.synchronise()
    (again,) = (one for one in service.switches() if one["name"] == name)
    assert (again["checks"], again["repairs"]) == (counted["checks"] + 1, counted["repairs"])


def test_differences_leave_alone_what_is_right() -> None:
    flow = Flow(1, (("in_port", 1), ("eth_type", 2048)), 3, meter_id=7)
    turned = Flow(1, (("eth_type", 2048), ("in_port", 1)), 3, meter_id=7)
    meter = Meter(7, 100, 25)
    assert difference(Rules((meter,), (turned,)), Rules((meter,), (flow,))).count == 0
    gone = difference(Rules((meter,), (flow,)), Rules())
    assert (gone.remove_flows, gone.remove_meters) == ((flow,), (meter,))
    # A switch removes the flows of a meter that it loses: a flow that stays, without it, is told again.
    bare = replace(flow, meter_id=None)
    assert difference(Rules((meter,), (flow,)), Rules((), (bare,))).add_flows == (bare,)


def test_no_task_is_left_when_ports_run_out(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    service, tables = network
    monkeypatch.setattr("slicewright.enforcement.sdn.service.LAST_PORT", 20_000)
    with pytest.raises(EnforcementError, match="ports"):
        service.submit([request(service), request(service, access_point="ap4")])
    assert service.tasks() == []
    assert not any(table.flows for table in tables.values())
    assert isinstance(submitted(service), Running)
    assert TASK
