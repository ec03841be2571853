"""Goes on from a journal and says what that took: ``python -m benchmarks._open_journal FILE``."""

from __future__ import annotations

import asyncio
import resource
import sys
import time

from slicewright.control.journal.records import Position
from slicewright.control.journal.sqlite.journal import SqliteJournal
from slicewright.control.state.state import OrchestratorState


async def opened(file: str) -> str:
    """Records, devices, seconds and memory, in one line."""
    began, busy = time.perf_counter(), time.process_time()
    journal = SqliteJournal(file, exclusive=True)
    position = Position(OrchestratorState()).after(await journal.read_from_checkpoint())
    took, used = time.perf_counter() - began, time.process_time() - busy
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    await journal.close()
    return (
        f"{position.sequence:,} records, {len(position.state.devices)} devices: {took:.2f} s"
        f" ({used:.2f} s of a processor), {memory_mb:.0f} MB"
    )


if __name__ == "__main__":
    print(asyncio.run(opened(sys.argv[1])))
