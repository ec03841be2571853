"""Where items are measured: scale, seed, folders, cores, progress, and the data of items that are done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from slicewright.errors import InvalidInputError, InvalidOptionError, MissingExtraError
from slicewright.evaluation.reproduction.engine.measured import Measured
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.files.documents import read_document, write_document

Given = TypeVar("Given")
Made = TypeVar("Made")
SCHEMA = "slicewright/reproduction/v1"
EXECUTORS = ("processes", "ray")


class InvalidMeasurementError(InvalidInputError):
    """A stored measurement cannot be read."""


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

    def __post_init__(self) -> None:
        if self.executor not in EXECUTORS:
            raise InvalidOptionError(
                "--executor", f"must be one of {', '.join(EXECUTORS)}", value=self.executor
            )

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
            return _on_ray(function, arguments, self.address)
        if self.jobs == 1 or len(arguments) == 1:
            return [function(*each) for each in arguments]
        from joblib import Parallel, delayed, parallel_config

        with parallel_config(backend="loky", n_jobs=self.jobs, inner_max_num_threads=1):
            return list(Parallel()(delayed(function)(*each) for each in arguments))

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

    def stored(self, item: str, revision: int) -> Measured | None:
        """An item's measurements if they are there and were made the same way, by the same revision."""
        file = self.data_file(item)
        if not file.exists():
            return None
        document = read_document(file, InvalidMeasurementError)
        same = document.get("schema") == SCHEMA and document.get("made") == self._made(revision)
        return dict(document["data"]) if same else None

    def store(self, item: str, revision: int, data: Measured, seconds: float) -> None:
        """Write the item's measurements."""
        document = {
            "schema": SCHEMA, "item": item, "made": self._made(revision), "seconds": round(seconds, 1), "data": data,
        }  # fmt: skip
        write_document(document, self.data_file(item))

    def seconds_of(self, item: str) -> float:
        """s that an item's measurements took."""
        return float(read_document(self.data_file(item), InvalidMeasurementError)["seconds"])

    def _made(self, revision: int) -> dict[str, object]:
        return {"scale": self.scale.name, "seed": self.seed, "revision": revision}


def _on_ray(
    function: Callable[..., Made], arguments: Sequence[tuple[object, ...]], address: str | None
) -> list[Made]:
    """The function of each tuple as tasks of one processor each; a cluster that is already joined is used."""
    try:
        import ray
    except ImportError:
        raise MissingExtraError("the executor 'ray'", "ray") from None
    mine = not ray.is_initialized()
    if mine:
        ray.init(address=address, log_to_driver=False, configure_logging=False, include_dashboard=False)
    try:
        task: Any = ray.remote(num_cpus=1)(_called)
        return list(ray.get([task.remote(function, each) for each in arguments]))
    finally:
        if mine:
            ray.shutdown()


def _called(function: Callable[..., Made], arguments: tuple[object, ...]) -> Made:
    return function(*arguments)
