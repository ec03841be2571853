"""Where items are measured: scale, seed, folders, cores, progress, and the data of items that are done."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from slicewright.errors import InvalidInputError, InvalidOptionError, MissingExtraError
from slicewright.evaluation.reproduction.engine.measured import Measured
from slicewright.evaluation.reproduction.engine.origin import commit, origin
from slicewright.evaluation.reproduction.engine.scale import Scale, at_least
from slicewright.evaluation.reproduction.engine.timing import CoreSeconds
from slicewright.files.documents import read_document, write_document
from slicewright.ray_cluster import join
from slicewright.types import Document

Given = TypeVar("Given")
Made = TypeVar("Made")
SCHEMA = "slicewright/reproduction/v1"
EXECUTORS = ("processes", "ray")


class InvalidMeasurementError(InvalidInputError):
    """A stored measurement cannot be read."""


@dataclass(frozen=True)
class Record:
    """A stored measurement.

    Attributes:
        data: what was measured.
        scale: name of the scale it was measured at.
        seconds, core_s: s that it took by the clock and of processors; None where that was not recorded.
        origin: commit, command, date and host, as far as they were recorded.
    """

    data: Measured
    scale: str
    seconds: float
    core_s: float | None
    origin: Document


@dataclass(frozen=True)
class Workshop:
    """Everything that items need of their surroundings.

    Attributes:
        scale: how much to do.
        output: folder of the report; data in ``data``, models and checkpoints in ``work``.
        seed: of everything random.
        jobs: threads or processes.
        report: told in a few words what is going on.
        executor: where trainings run: ``processes`` on this machine, or ``ray`` on a cluster whose nodes share the
            output folder.
        address: of the Ray cluster; by default what the environment says, else a local one.
        command: what was typed, for the record.
        spent: processor time of the item that is being measured.

    Raises:
        InvalidOptionError: no such executor.
    """

    scale: Scale
    output: Path
    seed: int = 0
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    report: Callable[[str], None] = lambda line: None
    executor: str = "processes"
    address: str | None = None
    command: str = ""
    spent: CoreSeconds = field(default_factory=CoreSeconds)

    def __post_init__(self) -> None:
        if self.executor not in EXECUTORS:
            raise InvalidOptionError(
                "--executor", f"must be one of {', '.join(EXECUTORS)}", value=self.executor
            )
        commit()  # what is measured is of now, whatever the checkout is when it is written

    @property
    def work(self) -> Path:
        """Models and checkpoints: needed to resume, not to read the report."""
        return self.output / "work" / self.scale.name

    def each(self, function: Callable[[Given], Made], given: Iterable[Given]) -> list[Made]:
        """The function of each in threads, in order; kernels and solvers release the interpreter lock."""
        with ThreadPoolExecutor(max_workers=self.jobs) as pool:
            return list(pool.map(function, given))

    def separately(
        self, function: Callable[..., Made], arguments: Sequence[tuple[object, ...]]
    ) -> list[Made]:
        """The function of each tuple in processes of one thread each, for work that holds the interpreter lock.

        Raises:
            MissingExtraError: ``ray`` is asked for and not installed.
        """
        if self.executor == "ray":
            timed = _on_ray(function, arguments, self.address)
        elif self.jobs == 1 or len(arguments) == 1:
            return [function(*each) for each in arguments]
        else:
            from joblib import Parallel, delayed, parallel_config

            with parallel_config(backend="loky", n_jobs=self.jobs, inner_max_num_threads=1):
                timed = list(Parallel()(delayed(_timed)(function, each) for each in arguments))
        self.spent.elsewhere += sum(core_s for _, core_s in timed)
        return [made for made, _ in timed]

    def data_file(self, item: str) -> Path:
        """Where an item's measurements are."""
        return self.output / "data" / f"{item}.json"

    def data_of(self, item: str) -> Measured:
        """What an item measured before.

        Raises:
            InvalidOptionError: it has not been measured.
        """
        file = self.data_file(item)
        if not file.exists():
            raise InvalidOptionError("--only", f"needs {item} first", fix=f"add {item}")
        return dict(read_document(file, InvalidMeasurementError)["data"])

    def record(self, item: str, revision: int, *, smaller: bool = False) -> Record | None:
        """An item's measurement, if the same revision made it from the same seed at this scale or a larger one.

        With ``smaller`` at any scale: to be reported as what it is, where nobody asks for it to be measured.
        """
        document = self._document(item)
        made = document.get("made")
        if document.get("schema") != SCHEMA or not isinstance(made, dict):
            return None
        if made.get("seed") != self.seed or made.get("revision") != revision:
            return None
        if not smaller and not at_least(str(made.get("scale")), self.scale.name):
            return None
        return Record(
            dict(document["data"]),
            str(made["scale"]),
            float(document["seconds"]),
            document.get("core_seconds"),
            document.get("origin", {}),
        )

    def scale_of(self, item: str) -> str:
        """Name of the scale that an item's data were measured at; this workshop's where there are none."""
        made = self._document(item).get("made", {})
        return str(made.get("scale", self.scale.name))

    def measured_core_s(self, item: str) -> tuple[str, float] | None:
        """Scale and s of processors of an item's last measurement; None where they were not recorded."""
        document = self._document(item)
        core_s = document.get("core_seconds")
        return None if core_s is None else (str(document["made"]["scale"]), float(core_s))

    def _document(self, item: str) -> Document:
        file = self.data_file(item)
        return read_document(file, InvalidMeasurementError) if file.exists() else {}

    def stored(self, item: str, revision: int) -> Measured | None:
        """The data of :meth:`record`."""
        found = self.record(item, revision)
        return None if found is None else found.data

    def store(
        self, item: str, revision: int, data: Measured, seconds: float, *, scale: str | None = None
    ) -> None:
        """Write the item's measurements.

        Args:
            item, revision: of the item.
            data: what was measured.
            seconds: s that it took.
            scale: that it was measured at, if it is made of data of another one.
        """
        document = {
            "schema": SCHEMA, "item": item,
            "made": {"scale": scale or self.scale.name, "seed": self.seed, "revision": revision},
            "seconds": round(seconds, 1), "core_seconds": round(self.spent.total(), 1),
            "origin": origin(self.command, jobs=self.jobs), "data": data,
        }  # fmt: skip
        write_document(document, self.data_file(item))


def _on_ray(
    function: Callable[..., Made], arguments: Sequence[tuple[object, ...]], address: str | None
) -> list[tuple[Made, float]]:
    """The function of each tuple as tasks of one processor each; a cluster that is already joined is used."""
    try:
        import ray
    except ImportError:
        raise MissingExtraError("the executor 'ray'", "ray") from None
    mine = join(ray, address)
    try:
        task: Any = ray.remote(num_cpus=1)(_timed)
        return list(ray.get([task.remote(function, each) for each in arguments]))
    finally:
        if mine:
            ray.shutdown()


def _timed(function: Callable[..., Made], arguments: tuple[object, ...]) -> tuple[Made, float]:
    """What a function makes, and its processor time, s."""
    began = time.process_time()
    return function(*arguments), time.process_time() - began
