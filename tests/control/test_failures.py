"""Crashes, partitions, full disks and slow models, with real processes where a process is what fails."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import slicewright as sw
from slicewright.control.journal.base import FencedError, JournalError
from slicewright.control.journal.logs import read_log
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.journal.records import Position, chained
from slicewright.control.journal.segments import segments
from slicewright.control.journal.sqlite import SqliteJournal
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import DevicesAdmitted, DevicesRemoved
from slicewright.control.state.state import OrchestratorState
from slicewright.control.views.replay import replay_log
from slicewright.network.scenario import Scenario
from slicewright.network.scenario_file import save_scenario
from slicewright.policies.slicing.policy import Answer, FunctionPolicy, Limit
from slicewright.policies.slicing.registry import register_policy
from slicewright.slicing import baselines
from tests.control.conftest import QUICK, running, until
from tests.control.processes import NATS, Served, free_port, nats_server, wait_for
from tests.control.support import as_body, scenario_of

needs_nats = pytest.mark.skipif(NATS is None, reason="nats-server is not installed")
SCENARIO = scenario_of(10, 3)
BODY = as_body(devices_of(SCENARIO)[0])


class Load:
    """A client that asks for devices, each with its own key, until it has an answer; notes what was promised."""

    def __init__(self, urls: list[str]) -> None:
        self.urls = urls
        self.promised: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            key = f"key-{number}"
            body = {"devices": [{k: v for k, v in BODY.items() if k != "id"}]}
            answer = self._ask(body, key, number)
            if answer is not None:
                self.promised[key] = answer
                number += 1

    def _ask(self, body: dict[str, Any], key: str, number: int) -> str | None:
        for url in self.urls:
            with contextlib.suppress(httpx.HTTPError):
                answer = httpx.post(
                    f"{url}/v1/requests", json=body, headers={"Idempotency-Key": key}, timeout=3
                )
                if answer.status_code in (200, 201, 202):
                    found: str = answer.json()["devices"][0]["id"]
                    return found
        time.sleep(0.1)
        return None


def assert_nothing_lost_or_doubled(url: str, promised: dict[str, str]) -> None:
    """Every promised device is there once; nothing is there that was never promised, but for one request in doubt."""
    listed = [d["id"] for d in httpx.get(f"{url}/v1/devices", timeout=5).json()["devices"]]
    assert len(listed) == len(set(listed))
    assert set(promised.values()) <= set(listed)
    assert len(set(promised.values())) == len(promised)
    extra = set(listed) - set(promised.values()) - {f"device-{k}" for k in range(10)}
    assert len(extra) <= 1


def assert_plan_obeys(url: str) -> None:
    """The plan in force breaks nothing."""
    for _ in range(20):  # the two documents must be of the same moment
        before = httpx.get(f"{url}/v1/plan", timeout=5)
        scenario = httpx.get(f"{url}/v1/scenario", timeout=5)
        after = httpx.get(f"{url}/v1/plan", timeout=5)
        if before.headers["etag"] == after.headers["etag"]:
            violations = sw.check(sw.load_scenario(scenario.json()), before.json())
            assert violations.feasible, violations.explain()
            return
    raise AssertionError("the plan never stood still")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    """Starts processes and ends them all."""
    made: list[Served] = []

    def start(*arguments: str, http: bool = True) -> Served:
        port = free_port() if http else 0
        extra = ("--port", str(port)) if http else ()
        one = Served(
            (*arguments, *extra, "--epoch", "200ms", "--rounds", "10"), tmp_path / f"{len(made)}.log", port
        )
        one.start()
        made.append(one)
        return one

    yield start
    for one in made:
        one.stop()


def test_kill_9_under_load_in_one_process(served: Any, tmp_path: Path) -> None:
    scenario, store = save_scenario(SCENARIO, tmp_path / "s.json"), tmp_path / "journal.db"
    one = served(str(scenario), "--store", str(store), "--store-segment", "100kB")
    wait_for(lambda: one.get("/readyz"), 40, "ready")
    chance = random.Random(1)
    with Load([one.url]) as load:
        for _ in range(3):
            time.sleep(chance.uniform(0.2, 1.2))
            one.kill()
            one.start()
            wait_for(lambda: one.get("/readyz"), 40, "ready again")
        wait_for(
            lambda: len(load.promised) >= 3 and len(segments(store)) > 1, 120, "three promises, two files"
        )
    assert_nothing_lost_or_doubled(one.url, load.promised)
    wait_for(lambda: all(s["state"] == "active" for s in one.get("/v1/slices")["slices"]), 10, "settled")
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
        common = ("--nats", url)
        first = served(scenario, *common, "--role", "sro", "--instance", "first")
        wait_for(lambda: first.get("/readyz"), 40, "first orchestrator")
        second = served(*common, "--role", "sro", "--instance", "second")
        managers = [
            served(*common, "--role", "slice-manager", "--slice", f"s{n}", "--instance", f"m{n}", http=False)
            for n in range(3)
        ]

        def settled() -> bool:
            answers = [o.get("/v1/slices") for o in (first, second) if (o.get("/livez") or {}).get("leading")]
            return bool(answers) and all(
                s["state"] == "active" and s["held_revision"] for s in answers[0]["slices"]
            )

        wait_for(settled, 40, "all slices active")
        with Load([first.url, second.url]) as load:
            chance = random.Random(2)
            for victim in (first, managers[1], second, managers[0]):
                time.sleep(chance.uniform(0.3, 1.0))
                victim.kill()
                time.sleep(chance.uniform(0.0, 0.5))
                victim.start()
                wait_for(settled, 40, "settled again")
                count = len(load.promised)
                wait_for(lambda: len(load.promised) > count, 20, "requests are served again")  # noqa: B023
        leader = next(o for o in (first, second) if (o.get("/livez") or {}).get("leading"))
        assert_nothing_lost_or_doubled(leader.url, load.promised)
        wait_for(settled, 20, "settled at the end")
        assert_plan_obeys(leader.url)
        lines = httpx.get(f"{leader.url}/v1/log", timeout=20).text
        (tmp_path / "log.jsonl").write_text(lines)
        report = replay_log(read_log(tmp_path / "log.jsonl"))
        assert report.differences == ()


@needs_nats
def test_partition_of_a_manager_and_its_healing(served: Any, tmp_path: Path) -> None:
    """A stopped process neither hears nor answers, and goes on where it was: like one behind a cut cable."""
    scenario = str(save_scenario(SCENARIO, tmp_path / "s.json"))
    with nats_server(tmp_path) as url:
        sro = served(scenario, "--nats", url, "--role", "sro")
        managers = [
            served("--nats", url, "--role", "slice-manager", "--slice", f"s{n}", http=False) for n in range(3)
        ]

        def states() -> dict[str, str]:
            return {s["name"]: s["state"] for s in (sro.get("/v1/slices") or {"slices": []})["slices"]}

        everybody = dict.fromkeys(("s0", "s1", "s2"), "active")
        wait_for(lambda: states() == everybody, 60, "all active")
        held = {s["name"]: s for s in sro.get("/v1/slices")["slices"]}["s1"]
        managers[1].signal(signal.SIGSTOP)
        body = {"devices": [{**BODY, "id": f"new-{k}"} for k in range(6)]}
        assert httpx.post(f"{sro.url}/v1/requests", json=body, timeout=10).status_code == 201
        wait_for(lambda: states()["s1"] == "away", 15, "s1 is away")
        assert httpx.delete(f"{sro.url}/v1/requests/new-0", timeout=10).status_code == 204
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
        wait_for(lambda: states() == everybody, 20, "healed")
        wait_for(lambda: not sro.get("/v1/overview")["managers"][1]["detail"], 10, "planned with s1 again")
        assert_plan_obeys(sro.url)


def test_a_full_disk_refuses_requests_and_keeps_the_plan(served: Any, tmp_path: Path) -> None:
    scenario, store = save_scenario(SCENARIO, tmp_path / "s.json"), tmp_path / "journal.db"
    one = served(str(scenario), "--store", str(store))
    wait_for(lambda: one.get("/readyz"), 40, "ready")
    plan = one.get("/v1/plan?view=desired")["decisions"]
    assert one.process is not None
    full = max(file.stat().st_size for file in tmp_path.glob("journal.db*"))
    resource.prlimit(one.process.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
    with httpx.Client(base_url=one.url, timeout=10) as client:
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
        wait_for(lambda: one.get("/readyz"), 15, "ready again by itself")
        assert client.post("/v1/requests", json={"devices": [{**BODY, "id": "x9"}]}).status_code == 201
    one.kill()
    report = replay_log(read_log(store))
    assert report.differences == ()


def test_a_slow_model_costs_quality_but_no_request() -> None:
    pace = {"sleep_s": 0.0}

    def sluggish(scenario: Scenario, limit: Limit, seed: int) -> Answer:
        time.sleep(pace["sleep_s"])
        return Answer(*baselines.all_local(scenario))

    register_policy(FunctionPolicy("sluggish", "for this test", sluggish), replace=True)
    from dataclasses import replace

    options = replace(QUICK, deadline_s=0.15, most_failures=3)

    async def story() -> None:
        async with running(SCENARIO, options=options) as (plane, client):
            switch = {"method": "sluggish", "force": True}
            assert (await client.post("/v1/methods:switch", json=switch)).status_code == 200
            ask = {"devices": [BODY]}
            await client.post("/v1/requests", json=ask)
            assert plane.orchestrator.state.last is not None
            assert plane.orchestrator.state.last.method == "sluggish"
            pace["sleep_s"] = 0.6
            paths = []
            for _ in range(5):
                began = time.perf_counter()
                answer = await client.post("/v1/requests", json=ask)
                assert answer.status_code == 201
                assert time.perf_counter() - began < 2.0
                paths.append([a.result for a in plane.orchestrator.state.last.attempts])
                assert plane.orchestrator.state.last.method != "last-good"
            assert paths[0] == ["late", "used"]
            assert ["busy", "used"] in paths
            await until(lambda: plane.orchestrator.state.methods.active == "auto")
            assert replay_log(await plane.journal.read()).differences == ()

    asyncio.run(story())


def test_a_method_that_fails_falls_back() -> None:
    def broken(scenario: Scenario, limit: Limit, seed: int) -> Answer:
        raise ZeroDivisionError("weights are missing")

    register_policy(FunctionPolicy("broken", "for this test", broken), replace=True)

    async def story() -> None:
        async with running(SCENARIO) as (plane, client):
            await client.post("/v1/methods:switch", json={"method": "broken", "force": True})
            assert (await client.post("/v1/requests", json={"devices": [BODY]})).status_code == 201
            last = plane.orchestrator.state.last
            assert last is not None
            assert [(a.method, a.result) for a in last.attempts] == [
                ("broken", "failed"),
                ("best-response", "used"),
            ]
            assert "weights are missing" in last.attempts[0].detail

    asyncio.run(story())


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_journal_takes_only_what_follows(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        journal = MemoryJournal() if kind == "memory" else SqliteJournal(tmp_path / "j.db")
        here = Position(OrchestratorState())
        records = chained(here.hash, 0, 1.0, [DevicesRemoved(("a",)), DevicesRemoved(("b",))])
        await journal.append(records)
        with pytest.raises(FencedError):
            await journal.append(records)
        more = chained(records[-1].hash, 2, 2.0, [DevicesAdmitted(devices_of(SCENARIO)[:2])])
        await journal.append(more)
        assert await journal.read(1) == [records[1], *more]
        assert await journal.read_from_checkpoint() == [*records, *more]
        await journal.close()

    asyncio.run(story())


def test_two_processes_cannot_write_one_store(tmp_path: Path) -> None:
    async def story() -> None:
        one, two = SqliteJournal(tmp_path / "j.db"), SqliteJournal(tmp_path / "j.db")
        await one.append(chained("0" * 64, 0, 1.0, [DevicesRemoved(("a",))]))
        with pytest.raises(FencedError, match="another process"):
            await two.append(chained("0" * 64, 0, 1.0, [DevicesRemoved(("b",))]))
        await one.close()
        await two.close()

    asyncio.run(story())


def test_a_store_that_is_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, " * 100)
    with pytest.raises(JournalError, match="cannot be opened"):
        SqliteJournal(file)
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE journal (sequence TEXT)")
        other.commit()


def test_what_does_not_go_together_is_refused_in_one_sentence(tmp_path: Path) -> None:
    for arguments, words in (
        (("--host", "0.0.0.0"), "--tokens"),
        (("--role", "sro"), "--nats"),
        (("--role", "boss"), "must be one of"),
        (("--role", "slice-manager", "--nats", "nats://127.0.0.1:1"), "--slice"),
        (("no-such-file.yaml",), "no file"),
        (("--method", "autoo"), "did you mean"),
        (("--shares", "deepset-s"), "did you mean"),
        (("--store-segment", "1MB"), "add --store FILE"),
        (("--store", str(tmp_path / "j.db"), "--store-segment", "large"), "such as 256MB"),
        (
            ("--role", "sro", "--nats", "nats://127.0.0.1:1", "--shares", "deepsets-s"),
            "is for slice managers",
        ),
    ):
        one = Served(("--port", "0", *arguments), tmp_path / "log", flags=())
        one.start()
        assert one.process is not None
        try:
            assert one.process.wait(20) == 2, arguments
        except subprocess.TimeoutExpired:
            one.kill()
            raise
        finally:
            text = (tmp_path / "log").read_text()
        assert words in text, (arguments, text)
        os.truncate(tmp_path / "log", 0)
