"""Memory of the control plane over a simulated month of steady operation: flat, or it is a leak.

Devices come, change, are measured and leave, each request with its own Idempotency-Key; slices share, statuses come,
checkpoints are written and the journal forgets what is older, as with ``--store-keep`` or ``--nats-keep``. The code is
the real one, on a clock that passes only while nothing can be done. A row is a week: what the process has resident, how
many objects Python keeps, and what the orchestrator knows. Hashes of the newest 50,000 records are remembered, some
230 bytes each: what is resident grows by these 12 MB until they are full.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

import slicewright as sw
from slicewright.control.journal.memory import MemoryJournal
from slicewright.control.journal.records import Record
from slicewright.control.messages.keys import measurement_key
from slicewright.control.messages.measurement import MEASUREMENT, Measurement
from slicewright.control.orchestrator.journal_memory import KEPT_HASHES
from slicewright.control.orchestrator.loop import Orchestrator
from slicewright.control.requests.commands import admit, remove
from slicewright.control.slice_manager.task import SliceManager
from slicewright.control.state.clock import LoopClock, end
from slicewright.control.state.device import FIRST_LIFE, Device, devices_of
from slicewright.control.state.events import Checkpoint, NetworkSet
from slicewright.control.state.network import Network
from slicewright.control.state.options import ControlOptions
from slicewright.control.transport.memory import MemoryTransport
from tests.control.support.simulated_time import simulate

DAY_S, WEEK_S, WEEKS = 86_400.0, 604_800.0, 4
DEVICES = 15
OPTIONS = ControlOptions(
    epoch_s=1800.0,
    heartbeat_s=600.0,
    ack_timeout_s=600.0,
    away_after_s=2400.0,
    rounds=0,
    checkpoint_every=500,
)


class ForgettingJournal(MemoryJournal):
    """Keeps what follows on the newest checkpoint, and counts the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.written = self.bytes_written = 0

    async def append(self, records: Sequence[Record]) -> None:
        """Add records; a checkpoint ends what was before."""
        await super().append(records)
        self.written += len(records)
        self.bytes_written += sum(len(record.text) for record in records)
        if isinstance(records[0].event, Checkpoint):
            del self.records[: -len(records)]


def main(scale: str) -> None:
    """Print the table.

    Args:
        scale: ``quick`` or ``full``; quick asks every twenty minutes, full every two.
    """
    print(
        "week   resident MB   objects   devices   keys   events   hashes   journal: records      MB written"
    )
    simulate(partial(_month, 1200.0 if scale == "quick" else 120.0), longest_s=(WEEKS + 1) * WEEK_S)


async def _month(between_s: float) -> None:
    clock = LoopClock(1.7e9)
    transport, journal = MemoryTransport(clock, lease_s=1e9), ForgettingJournal()
    sro = Orchestrator(journal, transport, clock=clock, instance="a", options=OPTIONS, threads=False)
    managers = [
        SliceManager(f"s{n}", transport, clock=clock, instance="a", options=OPTIONS) for n in range(3)
    ]
    running = [asyncio.create_task(sro.run()), *(asyncio.create_task(m.run()) for m in managers)]
    while not sro.leading:
        await asyncio.sleep(1.0)
    scenario = sw.preset("paper-slicing", devices=DEVICES, coins=4)
    document = Network.of(scenario).document
    await sro.submit(lambda _: (NetworkSet(document),), wait=True)
    rng, kinds = np.random.default_rng(0), devices_of(scenario)
    for week in range(WEEKS):
        until_s = (week + 1) * WEEK_S
        while asyncio.get_running_loop().time() < until_s:
            await _something(sro, transport, kinds, rng)
            await asyncio.sleep(float(rng.exponential(between_s)))
        _tell(week + 1, sro, journal)
    await end(running)


async def _something(
    sro: Orchestrator, transport: MemoryTransport, kinds: Sequence[Device], rng: np.random.Generator
) -> None:
    """One device comes, goes, changes, or is measured."""
    known = list(sro.state.devices)
    name = str(rng.choice(known)) if known else ""
    what = rng.random()
    if what < 0.2 and known:
        life = sro.state.lives.get(name, FIRST_LIFE)
        told = Measurement(
            name, life.counter + 1, arrival_rate_hz=float(rng.uniform(0.3, 0.9)), generation=life.generation
        )
        await transport.put(measurement_key(name), MEASUREMENT.dump_json(told))
    elif what < 0.5 and len(known) >= DEVICES:
        await sro.submit(partial(remove, device=name), wait=True)
    else:
        kind = kinds[int(rng.integers(len(kinds)))]
        number = int(rng.integers(10**12))
        position = (float(rng.uniform(0, 500)), float(rng.uniform(0, 500)))
        new = replace(kind, id=f"d-{number}" if len(known) < DEVICES else name, position_m=position)
        change = partial(
            admit, devices=[new], most=100, key=f"k-{number}", digest=f"{number:064}", now_s=1.7e9 + _now_s()
        )
        await sro.submit(change, wait=True)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _tell(week: int, sro: Orchestrator, journal: ForgettingJournal) -> None:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    state = sro.state
    print(
        f"{week:>4}   {pages * 4096 / 1e6:>11.1f}   {len(gc.get_objects()):>7}   {len(state.devices):>7}"
        f"   {len(state.keys):>4}   {len(sro.feed._items):>6}   {min(journal.written, KEPT_HASHES):>6}"
        f"   {journal.written:>16}   {journal.bytes_written / 1e6:>13.1f}",
        flush=True,
    )
