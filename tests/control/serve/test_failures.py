"""Crashes, partitions and full disks, with real processes and traffic."""

from __future__ import annotations

import random
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from slicewright.control.journal.sqlite.logs import read_log
from slicewright.control.journal.sqlite.segments import segments
from slicewright.control.state.device import devices_of
from slicewright.control.views.replay import replay_log
from slicewright.network.scenario_file import save_scenario
from tests.control.support.load import Load, assert_nothing_lost_or_doubled, assert_plan_obeys, read
from tests.control.support.local_http import local_http
from tests.control.support.processes import Served, nats_server, needs_nats, over_nats
from tests.control.support.scenes import as_body, scenario_of
from tests.waiting import PATIENCE_S, wait_for

SCENARIO = scenario_of(10, 3)
BODY = as_body(devices_of(SCENARIO)[0])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    """Starts processes and ends them all."""
    made: list[Served] = []

    def start(*arguments: str) -> Served:
        one = Served((*arguments, "--epoch", "200ms", "--rounds", "10"), tmp_path / f"{len(made)}.log")
        one.start()
        made.append(one)
        return one

    yield start
    for one in made:
        one.stop()


def test_kill_9_under_load_in_one_process(served: Any, tmp_path: Path) -> None:
    scenario, store = save_scenario(SCENARIO, tmp_path / "s.json"), tmp_path / "journal.db"
    one = served(str(scenario), "--store", str(store), "--store-segment", "100kB")
    wait_for(lambda: one.get("/readyz"), "ready")
    chance = random.Random(1)
    with Load([one], BODY) as load:
        for _ in range(3):
            time.sleep(chance.uniform(0.2, 1.2))
            one.kill()
            one.start()
            wait_for(lambda: one.get("/readyz"), "ready again")
        wait_for(lambda: len(load.promised) >= 3 and len(segments(store)) > 1, "three promises, two files")
    assert_nothing_lost_or_doubled(one.url, load.promised)
    wait_for(lambda: all(s["state"] == "active" for s in one.get("/v1/slices")["slices"]), "settled")
    assert_plan_obeys(one.url)
    one.stop()
    report = replay_log(read_log(store))
    assert report.differences == ()
    assert report.decisions > 3
    assert len(segments(store)) > 1, "killed while the journal rotates"


@needs_nats
def test_kill_9_of_each_role_over_nats(served: Any, tmp_path: Path) -> None:
    scenario = str(save_scenario(SCENARIO, tmp_path / "s.json"))
    with nats_server(tmp_path) as url:
        common = over_nats(url)
        first = served(scenario, *common, "--role", "sro", "--instance", "first")
        wait_for(lambda: first.get("/readyz"), "first orchestrator")
        second = served(*common, "--role", "sro", "--instance", "second")
        managers = [
            served(*common, "--role", "slice-manager", "--slice", f"s{n}", "--instance", f"m{n}")
            for n in range(3)
        ]

        def settled() -> bool:
            answers = [o.get("/v1/slices") for o in (first, second) if (o.get("/livez") or {}).get("leading")]
            return bool(answers) and all(
                s["state"] == "active" and s["held_revision"] for s in answers[0]["slices"]
            )

        wait_for(settled, "all slices active")
        with Load([first, second], BODY) as load:
            chance = random.Random(2)
            for victim in (first, managers[1], second, managers[0]):
                time.sleep(chance.uniform(0.3, 1.0))
                victim.kill()
                time.sleep(chance.uniform(0.0, 0.5))
                victim.start()
                wait_for(settled, "settled again")
                count = len(load.promised)
                wait_for(lambda: len(load.promised) > count, "requests are served again")  # noqa: B023
        leader = next(o for o in (first, second) if (o.get("/livez") or {}).get("leading"))
        assert_nothing_lost_or_doubled(leader.url, load.promised)
        wait_for(settled, "settled at the end")
        assert_plan_obeys(leader.url)
        lines = read(f"{leader.url}/v1/log").text
        (tmp_path / "log.jsonl").write_text(lines)
        report = replay_log(read_log(tmp_path / "log.jsonl"))
        assert report.differences == ()


@needs_nats
def test_partition_of_a_manager_and_its_healing(served: Any, tmp_path: Path) -> None:
    """A stopped process neither hears nor answers, and goes on where it was: like one behind a cut cable."""
    scenario = str(save_scenario(SCENARIO, tmp_path / "s.json"))
    with nats_server(tmp_path) as url:
        sro = served(scenario, *over_nats(url), "--role", "sro")
        managers = [served(*over_nats(url), "--role", "slice-manager", "--slice", f"s{n}") for n in range(3)]

        def states() -> dict[str, str]:
            return {s["name"]: s["state"] for s in (sro.get("/v1/slices") or {"slices": []})["slices"]}

        everybody = dict.fromkeys(("s0", "s1", "s2"), "active")
        wait_for(lambda: states() == everybody, "all active")
        held = {s["name"]: s for s in sro.get("/v1/slices")["slices"]}["s1"]
        managers[1].signal(signal.SIGSTOP)
        body = {"devices": [{**BODY, "id": f"new-{k}"} for k in range(6)]}
        assert local_http().post(f"{sro.url}/v1/requests", json=body).status_code == 201
        wait_for(lambda: states()["s1"] == "away", "s1 is away")
        assert local_http().delete(f"{sro.url}/v1/requests/new-0").status_code == 204
        now = {s["name"]: s for s in sro.get("/v1/slices")["slices"]}["s1"]
        for point, share in held["bandwidth_share"].items():
            others = [
                s["bandwidth_share"].get(point, 0.0)
                for s in sro.get("/v1/slices")["slices"]
                if s["name"] != "s1"
            ]
            assert sum(others) + share <= 1 + 1e-6
        assert now["held_revision"] >= held["held_revision"]
        reasons = {d["reason"] for d in sro.get("/v1/devices")["devices"] if d["state"] == "local"}
        assert reasons <= {
            "slice-manager-away",
            "local-is-cheaper",
            "moving-between-slices",
            "no-capacity-left",
        }
        assert_plan_obeys(sro.url)
        managers[1].signal(signal.SIGCONT)
        wait_for(lambda: states() == everybody, "healed")
        wait_for(lambda: not sro.get("/v1/overview")["managers"][1]["detail"], "planned with s1 again")
        assert_plan_obeys(sro.url)


def test_a_full_disk_refuses_requests_and_keeps_the_plan(served: Any, tmp_path: Path) -> None:
    scenario, store = save_scenario(SCENARIO, tmp_path / "s.json"), tmp_path / "journal.db"
    one = served(str(scenario), "--store", str(store))
    wait_for(lambda: one.get("/readyz"), "ready")
    plan = one.get("/v1/plan?view=desired")["decisions"]
    assert one.process is not None
    full = max(file.stat().st_size for file in tmp_path.glob("journal.db*"))
    resource.prlimit(one.process.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
    with httpx.Client(base_url=one.url, timeout=PATIENCE_S) as client:
        codes = [
            client.post("/v1/requests", json={"devices": [{**BODY, "id": f"x{k}"}]}).status_code
            for k in range(3)
        ]
        assert codes[-1] == 507
        kept = [f"x{k}" for k, code in enumerate(codes) if code == 201]
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "journal" in answer.json()["faults"][0]
        if not kept:
            assert client.get("/v1/plan?view=desired").json()["decisions"] == plan
        assert client.get("/v1/requests/x2").status_code == 404
        resource.prlimit(
            one.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )
        wait_for(lambda: one.get("/readyz"), "ready again by itself")
        assert client.post("/v1/requests", json={"devices": [{**BODY, "id": "x9"}]}).status_code == 201
    one.kill()
    report = replay_log(read_log(store))
    assert report.differences == ()
