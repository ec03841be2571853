"""Finished tasks as Parquet, one row each, written while a run goes on."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from slicewright.errors import MissingExtraError
from slicewright.files.documents import begin_beside, put_in_place
from slicewright.network.scenario import Scenario
from slicewright.simulation._kernels import state as kernels
from slicewright.simulation.tasks.queues import FinishedTasks

COLUMNS = {
    "device": "index of the device",
    "access_point": "index, -1 where the device computed itself",
    "node": "index, or -1",
    "slice": "index, or -1",
    "size": "bits over the device's task_bits",
    "work": "cycles over the device's mean",
    "arrived_s": "s",
    "sent_from_s": "s, begin of the transmission",
    "transmitted_s": "s, when the node had it",
    "served_from_s": "s, begin of the execution",
    "done_s": "s, end of the execution; null where lost",
    "lost": "the device left before it was sent",
}
"""Columns of the file and what they hold."""
_BATCH = 65536


class TaskLog:
    """Writes finished tasks to a Parquet file, which is there when it is closed; a context manager.

    Until then it grows under a hidden name beside its place, so that nobody reads half of it.
    """

    def __init__(self, scenario: Scenario, path: str | Path) -> None:
        """Open the file.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError:
            raise MissingExtraError("an event log in Parquet", "simulation") from None
        self._pa, self._scenario, self._waiting = pa, scenario, list[FinishedTasks]()
        types = {"device": pa.int32(), "lost": pa.bool_()} | {
            name: pa.int16() for name in ("access_point", "node", "slice")
        }
        self._schema = pa.schema(
            [
                pa.field(name, types.get(name, pa.float64()), metadata={"is": COLUMNS[name]})
                for name in COLUMNS
            ]
        )
        self._file = self._growing = Path(path)
        if self._file.is_file() or not self._file.exists():  # a pipe or a device is written to
            self._growing = begin_beside(self._file)
        self._writer: Any = parquet.ParquetWriter(self._growing, self._schema, compression="zstd")

    def write(self, tasks: FinishedTasks) -> None:
        """Add tasks; they reach the file in batches."""
        self._waiting.append(tasks)
        if sum(len(part) for part in self._waiting) >= _BATCH:
            self._flush()

    def close(self) -> None:
        """Write what is left, and put the file in its place."""
        self._flush()
        self._writer.close()
        if self._growing != self._file:
            put_in_place(self._growing, self._file)

    def discard(self) -> None:
        """Leave no file, and an older one as it was."""
        self._writer.close()
        if self._growing != self._file:
            self._growing.unlink(missing_ok=True)

    def __enter__(self) -> TaskLog:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; discard what was written if something went wrong."""
        if kind is None:
            self.close()
        else:
            self.discard()

    def _flush(self) -> None:
        tasks = FinishedTasks.joined(self._waiting)
        self._waiting = []
        if not len(tasks):
            return
        nodes, slices = self._scenario.n_nodes, self._scenario.n_slices
        offloaded = tasks.place >= 0

        def index(values: np.ndarray) -> np.ndarray:
            return np.where(offloaded, values, -1).astype(np.int16)

        order = np.lexsort((tasks.device, tasks.arrived_s))
        columns = {
            "device": tasks.device.astype(np.int32),
            "access_point": index(tasks.place // (nodes * slices)),
            "node": index(tasks.place // slices % nodes),
            "slice": index(tasks.place % slices),
            "size": tasks.times[:, kernels.SIZE],
            "work": tasks.times[:, kernels.WORK],
            "arrived_s": tasks.arrived_s,
            "sent_from_s": tasks.times[:, kernels.SENT_FROM],
            "transmitted_s": tasks.transmitted_s,
            "served_from_s": tasks.times[:, kernels.SERVED_FROM],
            "done_s": tasks.done_s,
            "lost": tasks.lost,
        }
        arrays = [
            self._pa.array(columns[f.name][order], type=f.type, from_pandas=f.name == "done_s")
            for f in self._schema
        ]
        self._writer.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema))
