"""A city that is followed: what was answered is there after a restart, and records hold differences."""

from __future__ import annotations

import asyncio
import json
import math
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import slicewright as sw
from slicewright.control.city.app import create_city_app
from slicewright.control.city.followed import Change, FollowedCity
from slicewright.control.city.service import CityControl
from slicewright.control.journal.base import JournalError
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.journal.records import BrokenChainError, Record
from slicewright.control.journal.sqlite.journal import SqliteJournal
from slicewright.control.requests.commands import UnknownDeviceError
from slicewright.control.requests.owners import ForeignDeviceError
from slicewright.control.state.clock import SystemClock
from slicewright.control.state.device import devices_of
from slicewright.control.state.errors import ControlError
from slicewright.control.state.events.city import CityChanged, CityDevice, CityProven
from slicewright.errors import InvalidScenarioError
from slicewright.slicing.judge import evaluate
from tests.waiting import PATIENCE_S

CITY = sw.preset("city/paper", devices=150, seed=3)
REALISTIC = sw.preset("city/realistic", devices=80, seed=4)
OTHERS = devices_of(sw.preset("city/paper", devices=150, seed=3, hotspot_part=0.5))


def _run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(_awaited(work))


async def _awaited(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def _some_change(city: FollowedCity, rng: np.random.Generator) -> Change:
    new, names = OTHERS[int(rng.integers(len(OTHERS)))], sorted(city.slots)
    someone = names[int(rng.integers(len(names)))]
    kind = rng.integers(5)
    if kind == 0:
        return Change(admitted=(CityDevice(replace(new, id=f"new-{rng.integers(10**9)}")),))
    if kind == 1:
        return Change(withdrawn=(someone,))
    if kind == 2:
        node = int(rng.integers(CITY.n_nodes))
        capacity = rng.uniform(0.0, 1.0) * CITY.node_capacity_hz[node]
        return Change(capacity_hz={CITY.nodes[node]: tuple(capacity.tolist())})
    return Change(admitted=(CityDevice(replace(new, id=someone)),))


def _everything(city: FollowedCity) -> tuple[Any, ...]:
    slots = sorted(city.names)
    where = np.nan_to_num(city.position_m[slots], nan=-1.0).tolist()
    return city.places(slots), city.live.cost_s, city.owners, dict(city.keys), where


@pytest.mark.parametrize("save_every", [10**9, 15])
@pytest.mark.parametrize("damaged", [False, True])
def test_a_restart_goes_on_where_the_journal_ends(tmp_path: Path, save_every: int, damaged: bool) -> None:
    store = tmp_path / "journal.db"

    async def work() -> None:
        rng = np.random.default_rng(0)
        before: tuple[Any, ...] | None = None
        for _ in range(3):
            control = CityControl(
                CITY,
                SqliteJournal(store),
                clock=SystemClock(),
                saves=store,
                save_every=save_every,
                idle_s=math.inf,
            )
            await control.start()
            city = await control.read()
            assert before is None or _everything(city) == before
            for _ in range(20):
                await control.submit(_some_change(city, rng))
            before = _everything(city)
            if damaged:
                for file in tmp_path.glob("*.npz"):
                    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
            _, violations = evaluate(city.live.snapshot(), city.live.decisions(), city.live.shares())
            assert violations.feasible, violations.explain()
            await control.stop()
        assert len(list(tmp_path.glob("*.npz"))) == (2 if save_every == 15 else 1)
        other = CityControl(sw.preset("city/paper", devices=20), SqliteJournal(store), clock=SystemClock())
        with pytest.raises(ControlError, match="another scenario"):
            await other.start()
        await other.journal.close()

    _run(work)


def test_a_record_holds_the_difference_and_no_more() -> None:
    async def work() -> None:
        journal = MemoryJournal()
        control = CityControl(CITY, journal, clock=SystemClock(), idle_s=math.inf)
        await control.start()
        city, rng = await control.read(), np.random.default_rng(1)
        places = city.places(sorted(city.names))
        for _ in range(40):
            change = _some_change(city, rng)
            answer = await control.submit(change)
            assert answer.event is not None
            for name in change.withdrawn:
                del places[name]
            places.update(answer.event.places)
            assert places == city.places(sorted(city.names))
        records = await journal.read()
        assert [r.sequence for r in records] == list(range(1, 42))
        assert all(len(r.text) < 5_000 for r in records if isinstance(r.event, CityChanged))
        assert np.median([len(r.text) for r in records]) < 2_000
        await control.stop()

    _run(work)


class _Full(MemoryJournal):
    """Refuses while it is full."""

    full = False

    async def append(self, records: Sequence[Record]) -> None:
        if self.full:
            raise JournalError("the disk is full")
        await super().append(records)


def test_what_could_not_be_written_has_not_happened() -> None:
    async def work() -> None:
        journal = _Full()
        control = CityControl(CITY, journal, clock=SystemClock(), idle_s=math.inf)
        await control.start()
        await control.submit(Change(admitted=(CityDevice(replace(OTHERS[0], id="kept")),)))
        before = _everything(await control.read())
        journal.full = True
        with pytest.raises(JournalError):
            await control.submit(Change(admitted=(CityDevice(replace(OTHERS[1], id="lost")),)))
        journal.full = False
        await control.submit(Change(withdrawn=("device-1",)))
        await control.submit(Change(admitted=(CityDevice(devices_of(CITY)[1]),)))
        after = _everything(await control.read())
        assert "lost" not in after[0]
        assert after[0].keys() == before[0].keys()
        await control.stop()

    _run(work)


def test_refused_changes_change_nothing() -> None:
    city = FollowedCity(CITY)
    city.apply(Change(admitted=(CityDevice(replace(OTHERS[0], id="hers")),), by="her"))
    before = _everything(city)
    ok, bad = CityDevice(OTHERS[1]), CityDevice(replace(OTHERS[2], slice_cycles={"nothing": 1.0}))
    for change, error in (
        (Change(admitted=(ok, bad)), InvalidScenarioError),
        (Change(admitted=(ok, ok)), InvalidScenarioError),
        (Change(admitted=(replace(ok, nodes=("nowhere",)),)), InvalidScenarioError),
        (Change(withdrawn=("nobody",)), UnknownDeviceError),
        (Change(withdrawn=("hers",), by="him"), ForeignDeviceError),
        (Change(capacity_hz={"nowhere": (1.0,)}), InvalidScenarioError),
    ):
        with pytest.raises(error):
            city.apply(change)
        assert _everything(city) == before


def test_what_is_refused_leaves_nothing_to_look_at_in_idle_time() -> None:
    async def work() -> None:
        control = CityControl(CITY, MemoryJournal(), clock=SystemClock(), idle_s=math.inf)
        await control.start()
        before = control._changed_s
        with pytest.raises(UnknownDeviceError):
            await control.submit(Change(withdrawn=("nobody",)))
        assert control._changed_s == before
        await control.submit(Change(withdrawn=("device-0",)))
        assert control._changed_s > before
        await control.stop()

    _run(work)


def test_requests_are_answered_with_their_decision_over_http() -> None:
    async def work() -> None:
        control = CityControl(CITY, MemoryJournal(), clock=SystemClock(), idle_s=0.05)
        app = create_city_app(control)
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
        ):
            device = OTHERS[7]
            body = {
                "id": "phone", "task_bits": device.task_bits, "local_cycles": device.local_cycles,
                "local_capacity_hz": device.local_capacity_hz, "arrival_rate_hz": device.arrival_rate_hz,
                "slice_cycles": dict(device.slice_cycles), "position_m": list(device.position_m or ()),
                "tx_power_w": device.tx_power_w, "rate_bps": device.rate_bps,
            }  # fmt: skip
            asked: dict[str, Any] = {"json": {"devices": [body]}, "headers": {"Idempotency-Key": "once"}}
            answer = await client.post("/v1/requests", **asked)
            assert answer.status_code == 201, answer.text
            told = answer.json()
            assert told["lower_bound_s"] <= told["cost_s"]
            assert (await client.get("/v1/requests/phone")).json() == told["devices"][0]
            again = await client.post("/v1/requests", **asked)
            assert (again.status_code, again.json()["sequence"]) == (200, told["sequence"])
            node = CITY.nodes[0]
            lost = await client.put(f"/v1/nodes/{node}", json={"capacity_hz": [0.0] * CITY.n_slices})
            assert lost.status_code == 200, lost.text
            assert all(place is None or place["node"] != node for place in lost.json()["moved"].values())
            assert (await client.delete("/v1/requests/phone")).status_code == 200
            assert (await client.get("/v1/requests/phone")).status_code == 404
            for wrong in ({**body, "nodes": ["nowhere"]}, {**body, "rate_bps": {"nowhere": 1.0}}):
                assert (await client.post("/v1/requests", json={"devices": [wrong]})).status_code == 422
            lines = (await client.get("/v1/log")).text.splitlines()
            kinds = [json.loads(line)["event"]["kind"] for line in lines]
            assert kinds[0] == "city-began"
            assert kinds.count("city-changed") == 3
            plan = (await client.get("/v1/plan")).json()
            assert plan["devices"] == CITY.n_devices
            assert (await client.get("/livez")).json()["ok"]
            assert (await client.get("/readyz")).status_code == 200

    _run(work)


def test_a_journal_of_another_version_keeps_its_decisions(tmp_path: Path) -> None:
    """Where a record was decided otherwise than it would be now, what it tells counts, and the city goes on."""

    async def work() -> None:
        store, rng = tmp_path / "journal.db", np.random.default_rng(4)
        control = CityControl(CITY, SqliteJournal(store), clock=SystemClock(), saves=store, idle_s=math.inf)
        await control.start()
        city = await control.read()
        for _ in range(30):
            await control.submit(_some_change(city, rng))
            city.live.moving_price_s *= 0.7  # as a version would that has other prices
        before = _everything(city)
        await control.stop()
        again = CityControl(CITY, SqliteJournal(store), clock=SystemClock(), saves=store, idle_s=math.inf)
        await again.start()
        after = _everything(await again.read())
        assert after[0] == before[0] and after[2:] == before[2:]
        assert after[1] == pytest.approx(before[1], rel=1e-9)
        await again.stop()

    _run(work)


def test_a_better_plan_of_idle_time_is_in_the_journal_and_there_after_a_restart(tmp_path: Path) -> None:
    async def work() -> None:
        store, rng = tmp_path / "journal.db", np.random.default_rng(5)
        devices = devices_of(REALISTIC)

        def city_of(idle_s: float) -> CityControl:
            journal = SqliteJournal(store)
            return CityControl(REALISTIC, journal, clock=SystemClock(), saves=store, idle_s=idle_s)

        async def changed(control: CityControl, number: int) -> None:
            new = devices[int(rng.integers(len(devices)))]
            await control.submit(Change(admitted=(CityDevice(replace(new, id=f"new-{number}")),)))

        async def proven(control: CityControl) -> list[CityProven]:
            return [r.event for r in await control.journal.read() if isinstance(r.event, CityProven)]

        busy = city_of(math.inf)
        await busy.start()
        for k in range(24):
            await changed(busy, k % 5)
        assert not await proven(busy)
        await busy.stop()
        idle = city_of(0.05)
        await idle.start()
        await changed(idle, 4)  # there is idle time after a change, once: nothing comes after what it finds
        async with asyncio.timeout(PATIENCE_S):
            while not (found := await proven(idle)):
                await asyncio.sleep(0.05)
        city = await idle.read()
        assert [event.cost_s for event in found] == [city.live.cost_s]
        before = _everything(city)
        await idle.stop()
        again = city_of(math.inf)
        await again.start()
        assert _everything(await again.read()) == before
        await again.stop()

    _run(work)


class _ReadInPieces(SqliteJournal):
    """Never gives all of its records at once."""

    async def read(self, after: int = 0) -> list[Record]:
        raise AssertionError("the whole journal was asked for")


def test_a_journal_longer_than_a_piece_is_read_in_pieces(tmp_path: Path) -> None:
    """Without a saved file, and with a line in it that nobody can read."""

    async def work() -> None:
        store, rng = tmp_path / "journal.db", np.random.default_rng(6)
        control = CityControl(CITY, SqliteJournal(store), clock=SystemClock(), idle_s=np.inf)
        await control.start()
        city = await control.read()
        for _ in range(230):
            await control.submit(_some_change(city, rng))
        before = _everything(city)
        await control.stop()
        with closing(sqlite3.connect(store)) as database, database:
            database.execute("INSERT INTO journal VALUES (232, 0, 'no record')")
        again = CityControl(CITY, _ReadInPieces(store), clock=SystemClock(), idle_s=np.inf)
        await again.start()
        assert again.sequence == 231
        assert _everything(await again.read()) == before
        await again.stop()

    _run(work)


def test_a_changed_record_is_not_followed(tmp_path: Path) -> None:
    """Neither where it is the first of a piece, nor within one, nor where what was read before it is gone."""

    async def work() -> None:
        store, rng = tmp_path / "journal.db", np.random.default_rng(7)
        control = CityControl(CITY, SqliteJournal(store), clock=SystemClock(), idle_s=np.inf)
        await control.start()
        for _ in range(205):
            await control.submit(_some_change(await control.read(), rng))
        await control.stop()
        query = "UPDATE journal SET line = replace(line, ?, ?) WHERE sequence = ?"
        for sequence, was, is_now in ((201, '"time_s": 1', '"time_s": 2'), (150, '"sequence"', '"nothing"')):
            with closing(sqlite3.connect(store)) as database, database:
                database.execute(query, (was, is_now, sequence))
            again = CityControl(CITY, SqliteJournal(store), clock=SystemClock(), idle_s=np.inf)
            with pytest.raises(BrokenChainError, match=f"record after {sequence - 1}"):
                await again.start()
            await again.journal.close()
            with closing(sqlite3.connect(store)) as database, database:
                database.execute(query, (is_now, was, sequence))

    _run(work)
