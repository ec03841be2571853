"""What a machine holds of a plan: its own part only, under names that stay whoever comes or goes."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import slicewright as sw
from slicewright.cli.main import app
from slicewright.enforcement.linux import (
    Compute,
    ControlPlaneSource,
    FileSource,
    FollowedPlan,
    Htb,
    Keeper,
    Limit,
    Machine,
    cpu_speeds_hz,
    from_files,
    uplink_rates_bps,
)
from slicewright.errors import EnforcementError, InvalidOptionError, InvalidPlanError
from slicewright.network.scenario_file import scenario_to_dict
from tests.enforcement.kernel import NETWORK, needs, pair_of_hosts
from tests.enforcement.test_keep import Place

PLAN = sw.plan(sw.preset("paper-slicing", devices=12, seed=3), rounds=20)
DEVICES = tuple(f"device-{i}" for i in range(12))
ADDRESSES = {name: f"10.9.1.{k + 1}" for k, name in enumerate(reversed(DEVICES))}
CELL = int(np.bincount(PLAN.decisions.access_point[~PLAN.decisions.local]).argmax())
NODE = int(np.bincount(PLAN.decisions.node[~PLAN.decisions.local]).argmax())


def _machine(cell: Place, node: Place) -> Machine:
    s = PLAN.scenario
    return Machine({s.access_points[CELL]: cell}, Compute(s.nodes[NODE], node, 4.0), ADDRESSES)


def _leaves(place: Place) -> dict[str, Limit]:
    parents = {limit.parent for limit in place.held.values()}
    return {key: limit for key, limit in place.held.items() if key not in parents}


def test_a_machine_holds_its_own_part_of_a_plan() -> None:
    cell, node = Place(), Place()
    keeper = Keeper(lambda: _machine(cell, node).kept(FollowedPlan(PLAN, DEVICES)))
    keeper.round()
    assert not keeper.failures, keeper.last_error
    d, s = PLAN.decisions, PLAN.scenario
    here = np.flatnonzero(d.access_point == CELL)
    granted = {limit.match: limit.amount for limit in _leaves(cell).values()}
    assert granted == {ADDRESSES[DEVICES[i]]: int(uplink_rates_bps(PLAN)[i] // 1000) for i in here}
    seated = np.flatnonzero(d.node == NODE)
    cpus = {key.rpartition("/")[2]: limit.amount / 1e6 for key, limit in _leaves(node).items()}
    wanted = cpu_speeds_hz(PLAN)[seated] * 4.0 / s.node_capacity_hz[NODE].sum()
    assert cpus == pytest.approx(dict(zip([DEVICES[i] for i in seated], wanted, strict=True)), abs=1e-5)
    assert sum(cpus.values()) <= 4.0


def test_limits_of_those_who_stay_keep_their_names() -> None:
    """The first device goes: all others have another index, and their classes and groups are the same."""
    cell, node = Place(), Place()
    followed = [FollowedPlan(PLAN, DEVICES)]
    keeper = Keeper(lambda: _machine(cell, node).kept(followed[-1]))
    keeper.round()
    before = {**_leaves(cell), **_leaves(node)}
    fewer = sw.plan(sw.preset("paper-slicing", devices=11, seed=3), rounds=20)
    followed.append(FollowedPlan(fewer, DEVICES[1:]))
    keeper.round()
    assert not keeper.failures, keeper.last_error
    known = {limit.match: key for key, limit in before.items() if limit.match}
    for key, limit in _leaves(cell).items():
        assert limit.match is not None and known.get(limit.match, key) == key
    followed.append(FollowedPlan(None, ()))
    keeper.round()
    assert not cell.held and not node.held


def test_odd_machines_are_refused_in_one_sentence() -> None:
    followed = FollowedPlan(PLAN, DEVICES)
    one = ADDRESSES[DEVICES[0]]
    for make, match in (
        (lambda: Machine(addresses={"a": "10.0.0.256"}), r"addresses\.a .*must be an IPv4 address"),
        (lambda: Machine(addresses={"a": one, "b": one}), "is the address of a already"),
        (lambda: Machine(compute=Compute("node", Place(), 0.0)), "cpus .*must be positive"),
        (lambda: Machine({"nowhere": Place()}).kept(followed), "access point .*does not exist"),
        (lambda: Machine(compute=Compute("nowhere", Place(), 1.0)).kept(followed), "node .*does not exist"),
        (lambda: Machine({"nowhere": Place()}).check_names(PLAN.scenario), "access point .*does not exist"),
        (
            lambda: Machine(compute=Compute("mec9", Place(), 1.0)).check_names(PLAN.scenario),
            "node .*does not exist in the scenario.*mec0",
        ),
        (
            lambda: Machine({PLAN.scenario.access_points[CELL]: Place()}).kept(followed),
            "has no address for a device",
        ),
    ):
        with pytest.raises(InvalidOptionError, match=match):
            make()


def _documents() -> dict[str, Any]:
    listed = [{"id": name, "index": i} for i, name in enumerate(DEVICES)]
    return {
        "/v1/plan": PLAN.to_dict(),
        "/v1/scenario": scenario_to_dict(PLAN.scenario),
        "/v1/devices": {"devices": [{"id": "waiting", "index": None}, *reversed(listed)]},
    }


@contextmanager
def _served(
    documents: dict[str, Any], *, steady: bool = True, asked: list[str] | None = None
) -> Iterator[str]:
    """The documents of a control plane; unsteady: the plan is another one each time."""
    count, paths = 0, [] if asked is None else asked

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal count
            count += 1
            paths.append(self.path)
            found = documents.get(self.path)
            if (
                found is not None
                and self.headers["If-None-Match"] == f'"{documents.get("tag", 0)}"'
                and steady
            ):
                self.send_response(304)
                self.end_headers()
                return
            body = json.dumps(found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("ETag", f'"{documents.get("tag", 0) if steady else count}"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_control_plane_is_followed() -> None:
    documents = _documents()
    with _served(documents) as url:
        found = ControlPlaneSource(url).read()
        assert found.devices == DEVICES
        assert found.plan is not None and found.plan.to_dict()["decisions"] == PLAN.to_dict()["decisions"]
        documents["/v1/plan"] = {"decisions": []}
        assert ControlPlaneSource(url, "token").read() == FollowedPlan(None, ())
        del documents["/v1/plan"]
        with pytest.raises(EnforcementError, match="answers 404"):
            ControlPlaneSource(url).read()
    with pytest.raises(EnforcementError, match="cannot be read"):
        ControlPlaneSource(url).read()
    with _served(_documents(), steady=False) as url, pytest.raises(EnforcementError, match="faster than"):
        ControlPlaneSource(url).read()
    with pytest.raises(InvalidOptionError, match="must be http"):
        ControlPlaneSource("file:///etc/passwd")


def test_what_has_not_changed_is_not_read_again() -> None:
    documents, asked = _documents(), list[str]()
    with _served(documents, asked=asked) as url:
        source = ControlPlaneSource(url)
        first = source.read()
        assert source.read() is first
        assert asked == ["/v1/plan", "/v1/scenario", "/v1/devices", "/v1/plan", "/v1/plan"]
        documents["tag"] = 1
        documents["/v1/devices"] = {"devices": [{"id": f"x{i}", "index": i} for i in range(len(DEVICES))]}
        assert source.read().devices == tuple(f"x{i}" for i in range(len(DEVICES)))
        documents["tag"], documents["/v1/plan"] = 2, {"decisions": []}
        assert source.read() == source.read() == FollowedPlan(None, ())


def _age(*files: Path) -> None:
    """As if the files had been written and left alone long ago: nobody can set the time of the last change back."""
    for file in files:
        os.utime(file, ns=(1, 1))


def test_files_that_have_not_changed_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario, plan, other = (tmp_path / f"{name}.json" for name in ("scenario", "plan", "other"))
    sw.save_scenario(PLAN.scenario, scenario)
    sw.save_plan(PLAN, plan)
    later_ns = time.time_ns() + 10**10
    monkeypatch.setattr(time, "time_ns", lambda: later_ns)
    source, place = FileSource(scenario, plan), Place()
    wanted = _machine(place, Place()).followed(source.read)
    first = source.read()
    assert source.read() is first
    assert wanted() is wanted(), "and what follows from them is not worked out again"

    plan.write_bytes(plan.read_bytes())
    _age(plan)  # the same content, size and time of writing, and yet written
    second = source.read()
    assert second is not first
    assert source.read() is second
    sw.save_plan(PLAN, other)
    other.replace(plan)
    third = source.read()
    assert third is not second
    scenario.touch()
    fourth = source.read()
    assert fourth is not third
    (tmp_path / "scenario.devices.parquet").touch()  # what a scenario's columns would be
    assert source.read() is not fourth

    plan.unlink()
    with pytest.raises(FileNotFoundError):
        source.read()
    plan.write_text("{}")
    for _ in range(2):  # what is wrong is said in every round
        with pytest.raises(InvalidPlanError):
            source.read()


def test_files_in_a_folder_that_may_not_be_listed_are_read_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario, plan = tmp_path / "scenario.json", tmp_path / "plan.json"
    sw.save_scenario(PLAN.scenario, scenario)
    sw.save_plan(PLAN, plan)
    later_ns = time.time_ns() + 10**10
    monkeypatch.setattr(time, "time_ns", lambda: later_ns)

    def refuse(_: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    source = FileSource(scenario, plan)
    assert source.read() is source.read()
    monkeypatch.setattr(Path, "iterdir", refuse)
    assert source.read() is not source.read()


def test_files_that_were_just_written_may_be_written_again_within_one_tick(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    sw.save_plan(sw.plan("paper-slicing", rounds=1), plan)
    source = FileSource("paper-slicing", plan)
    assert source.read() is not source.read()


def test_enforce_shapes_an_interface_and_takes_it_back(tmp_path: Path) -> None:
    needs(*NETWORK)
    scenario, plan = tmp_path / "scenario.json", tmp_path / "plan.json"
    sw.save_scenario(PLAN.scenario, scenario)
    sw.save_plan(PLAN, plan)
    addresses, metrics = tmp_path / "addresses.json", tmp_path / "enforce.prom"
    addresses.write_text(json.dumps(ADDRESSES))
    assert from_files(scenario, plan).devices == DEVICES
    with pair_of_hosts() as (host, _):
        name = PLAN.scenario.access_points[CELL]
        where = ["--uplink", f"{name}=eth0", "--netns", host, "--addresses", str(addresses)]
        command = ["enforce", str(scenario), str(plan), *where, "--times", "2", "--every", "1ms"]
        ran = CliRunner().invoke(app, [*command, "--metrics", str(metrics)])
        assert ran.exit_code == 0, ran.output
        members = np.flatnonzero(PLAN.decisions.access_point == CELL)
        there = {limit.match for limit in Htb("eth0", netns=host).read().values() if limit.match}
        assert there == {ADDRESSES[DEVICES[i]] for i in members}
        assert "slicewright_enforce_rounds_total 2" in metrics.read_text()
        ran = CliRunner().invoke(app, ["enforce", *where, "--remove"])
        assert ran.exit_code == 0, ran.output
        assert not Htb("eth0", netns=host).read()
        addresses.write_text("{}")
        assert CliRunner().invoke(app, command).exit_code == 1
        ran = CliRunner().invoke(app, [*command[:4], "nowhere=eth0", *command[5:]])
        assert isinstance(ran.exception, InvalidOptionError), ran.output
