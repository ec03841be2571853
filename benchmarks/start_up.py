"""How long an orchestrator takes to go on from a long journal: from opening the file until the state is known.

The journal is made as the control plane writes it, record by record with its hash, a checkpoint every 2,000 records;
devices come and change, and a checkpoint has all of them. What is measured is a process of its own that opens it, and
then the same with a file that has only state and tail, as retention leaves it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import slicewright as sw
from slicewright.control.journal.records import GENESIS
from slicewright.control.state.device import devices_of
from slicewright.control.state.events import EVENT, Checkpoint, DevicesAdmitted, NetworkSet, TookOver
from slicewright.control.state.fold import fold
from slicewright.control.state.network import Network
from slicewright.control.state.options import DEFAULTS
from slicewright.control.state.state import OrchestratorState, dump

DEVICES = 200
LONGEST_S = 5.0
"""What going on from ten million records may take."""
_COLUMNS = "(sequence INTEGER PRIMARY KEY, checkpoint INTEGER NOT NULL, line TEXT NOT NULL) STRICT"


def main(scale: str) -> None:
    """Print the table.

    Args:
        scale: ``quick`` makes 200,000 records, ``full`` ten million.
    """
    count = 200_000 if scale == "quick" else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        whole, tail = Path(folder) / "whole.db", Path(folder) / "tail.db"
        began = time.perf_counter()
        make_journal(whole, count)
        size = whole.stat().st_size / 1e6
        print(
            f"made in {time.perf_counter() - began:.0f} s, {size:,.0f} MB; a process of its own goes on from it"
        )
        leave_tail(whole, tail)
        for what, file in (("everything kept", whole), ("state and tail", tail)):
            ran = subprocess.run(
                [sys.executable, "-m", "benchmarks._open_journal", str(file)],
                capture_output=True,
                text=True,
                check=True,
            )
            told = ran.stdout.strip()
            kept = float(told.rpartition("devices: ")[2].partition(" s")[0]) <= LONGEST_S
            print(f"{what:<16} {told}; target {LONGEST_S:g} s {'kept' if kept else 'MISSED'}", flush=True)


def smoke() -> None:
    """Some hundred records, opened in this process."""
    from benchmarks._open_journal import opened

    with tempfile.TemporaryDirectory() as folder:
        whole, tail = Path(folder) / "whole.db", Path(folder) / "tail.db"
        make_journal(whole, 2 * DEFAULTS.checkpoint_every + DEVICES)
        leave_tail(whole, tail)
        for file in (whole, tail):
            print(asyncio.run(opened(str(file))))


def make_journal(path: Path, count: int) -> None:
    """A journal of so many records, as many after its last checkpoint as there can be."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=OFF")  # the benchmark's own disk time is not of interest
    database.execute(f"CREATE TABLE journal {_COLUMNS}")
    database.execute("CREATE INDEX checkpoints ON journal (sequence) WHERE checkpoint = 1")
    with database:
        database.executemany("INSERT INTO journal VALUES (?, ?, ?)", _rows(count))
    database.close()


def _rows(count: int) -> Iterator[tuple[int, int, str]]:
    previous, every = GENESIS, DEFAULTS.checkpoint_every
    for sequence, (text, checkpoint) in enumerate(_events(count, every), 1):
        digest = hashlib.sha256(f"{previous} {sequence} 1.5 ".encode() + text.encode()).hexdigest()
        head = f'{{"sequence": {sequence}, "time_s": 1.5, "event": {text}'
        line = f'{head}, "previous": "{previous}", "hash": "{digest}"}}'
        yield sequence, checkpoint, line
        previous = digest


def _events(count: int, every: int) -> Iterator[tuple[str, int]]:
    """Events as they are written, and whether they are checkpoints: the same devices over and over."""
    scenario = sw.preset("paper-slicing", devices=DEVICES)
    devices = devices_of(scenario)
    begun = (
        TookOver("made", 1),
        NetworkSet(Network.of(scenario).document),
        DevicesAdmitted(devices, generation=1),
    )
    state = OrchestratorState()
    for event in begun:
        state = fold(state, event)
        yield EVENT.dump_json(event, by_alias=True).decode(), 0
    changed = [EVENT.dump_json(DevicesAdmitted((device,), generation=2)).decode() for device in devices]
    for device in devices:
        state = fold(state, DevicesAdmitted((device,), generation=2))
    checkpoint = EVENT.dump_json(Checkpoint(json.loads(json.dumps(dump(state))))).decode()
    for k in range(len(begun), count):
        # The last checkpoint is as far from the end as it ever is.
        due = (count - k) % every == 0
        yield (checkpoint, 1) if due else (changed[k % DEVICES], 0)


def leave_tail(whole: Path, tail: Path) -> None:
    """What retention leaves of it: the newest checkpoint and what follows."""
    database = sqlite3.connect(whole)
    database.execute("ATTACH ? AS kept", (str(tail),))
    database.execute(f"CREATE TABLE kept.journal {_COLUMNS}")
    with database:
        database.execute(
            "INSERT INTO kept.journal SELECT * FROM journal WHERE sequence >="
            " (SELECT MAX(sequence) FROM journal WHERE checkpoint = 1)"
        )
    database.close()
