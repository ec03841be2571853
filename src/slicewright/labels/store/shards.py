"""A folder of labels: Parquet shards that are complete or absent, and a journal of what came since the last one.

A killed build leaves at most a half-written message at the end of the journal; whatever stands before it becomes a
shard when the build is resumed.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from slicewright.errors import InvalidOptionError
from slicewright.files.documents import write_atomically
from slicewright.labels.store.manifest import Manifest, ShardEntry, load_manifest, sha256
from slicewright.labels.store.table import LabelTable, arrow, schema

if TYPE_CHECKING:
    import pyarrow as pa

SMALL_STORE = Path(__file__).parents[2] / "data" / "labels-small"
"""Ships with the package: 200 proven optima of preset ``paper-slicing``, 5 to 20 devices, for tests and examples."""
JOURNAL = "journal.arrows"
LOCK = ".lock"


def read_labels(folder: str | Path) -> LabelTable:
    """All labels of a store, finished or still being built, in the order of their seeds.

    Raises:
        InvalidOptionError: the folder is no store.
        MissingExtraError: pyarrow is not installed.
    """
    place = Path(folder)
    load_manifest(place)
    pa = arrow()
    tables = [read_shard(path) for path in shard_paths(place)]
    sealed = {seed for table in tables for seed in table.column("seed").to_pylist()}
    late = read_journal(place)
    fresh = [seed not in sealed for seed in late.column("seed").to_pylist()]
    return LabelTable(pa.concat_tables([*tables, late.filter(pa.array(fresh, pa.bool_()))]).sort_by("seed"))


def shard_paths(folder: Path) -> list[Path]:
    """The shards, oldest first."""
    return sorted(folder.glob("shard-*.parquet"))


def read_shard(path: Path) -> pa.Table:
    """One shard.

    Raises:
        InvalidOptionError: not a shard of labels, or damaged.
    """
    arrow()
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
        return table.select(schema().names).cast(schema())
    except (pyarrow.ArrowException, KeyError, OSError) as broken:
        raise InvalidOptionError(str(path), f"is not a readable shard of labels: {broken}") from None


def read_journal(folder: Path) -> pa.Table:
    """The complete batches of the journal; what a kill cut off is left out."""
    pa = arrow()
    batches: list[Any] = []
    path = folder / JOURNAL
    if path.is_file() and path.stat().st_size:
        try:
            with pa.ipc.open_stream(path.read_bytes()) as stream:
                for batch in stream:
                    batches.append(batch)  # one by one, to keep those before the damage
        except (pa.ArrowException, EOFError, OSError):
            pass  # the tail that was being written when the build was killed
    return pa.Table.from_batches(batches, schema=schema())


class StoreWriter:
    """The one process that writes a store. Use as a context; the lock falls with the process, however it ends.

    Args:
        folder: of the store, made if absent.
        shard_size: labels per shard.

    Raises:
        InvalidOptionError: another build writes here.
    """

    def __init__(self, folder: Path, *, shard_size: int) -> None:
        self.folder, self.shard_size = folder, shard_size
        folder.mkdir(parents=True, exist_ok=True)
        self._lock: IO[str] = (folder / LOCK).open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise InvalidOptionError(
                "store", "is being written by another build", value=str(folder)
            ) from None
        self._journal: IO[bytes] | None = None
        self._pending = 0
        self.manifest: Manifest | None = None

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin(self, manifest: Manifest, *, forget_failed: bool = False) -> set[int]:
        """Take over what an earlier build left. Returns the seeds that have their label.

        Args:
            manifest: of this build; its shards are those found in the folder.
            forget_failed: drop the failed labels, so that their instances are tried again.
        """
        seeds: set[int] = set()
        shards = []
        for path in shard_paths(self.folder):
            table = read_shard(path)
            if forget_failed:
                table = _rewritten_without_failed(path, table)
            if table.num_rows:
                seeds.update(table.column("seed").to_pylist())
                shards.append(_entry(path, table))
        self.manifest = manifest.with_(shards=tuple(shards), complete=False)
        late = read_journal(self.folder)
        self._seal(late.filter(_not_failed(late)) if forget_failed else late, seeds)
        self._manifest.save(self.folder)
        return seeds

    def append(self, batch: bytes, count: int) -> None:
        """Keep a batch of labels: once this returns, killing the process does not lose it."""
        if self._journal is None:
            self._journal = (self.folder / JOURNAL).open("wb", buffering=0)
            self._journal.write(schema().serialize().to_pybytes())
        self._journal.write(batch)
        self._pending += count
        if self._pending >= self.shard_size:
            self.seal()

    def seal(self) -> None:
        """Turn the journal into a shard."""
        self._close_journal()
        self._seal(read_journal(self.folder), set())

    def note(self, incident: str) -> None:
        """Record that a worker died or hung."""
        self.manifest = self._manifest.with_(incidents=(*self._manifest.incidents, incident))
        self._manifest.save(self.folder)

    def finish(self) -> Manifest:
        """Every seed has its label."""
        self.seal()
        self.manifest = self._manifest.with_(complete=True)
        self._manifest.save(self.folder)
        return self._manifest

    def close(self) -> None:
        """Release the store; what is in the journal stays there for the next build."""
        self._close_journal()
        self._lock.close()

    @property
    def _manifest(self) -> Manifest:
        if self.manifest is None:
            raise InvalidOptionError("store", "is used before begin() was called", value=str(self.folder))
        return self.manifest

    def _close_journal(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        self._pending = 0

    def _seal(self, table: pa.Table, known: set[int]) -> None:
        """Write a shard of the labels that are not in one yet, enter it in the manifest, drop the journal."""
        pa = arrow()
        fresh = [seed not in known for seed in table.column("seed").to_pylist()]
        table = table.filter(pa.array(fresh, pa.bool_()))
        if table.num_rows:
            path = self.folder / f"shard-{self._next_number():05d}.parquet"
            table = table.sort_by("seed")
            write_atomically(path, _parquet(table))
            known.update(table.column("seed").to_pylist())
            self.manifest = self._manifest.with_(shards=(*self._manifest.shards, _entry(path, table)))
            self._manifest.save(self.folder)
        (self.folder / JOURNAL).unlink(missing_ok=True)

    def _next_number(self) -> int:
        paths = shard_paths(self.folder)
        return 1 + int(paths[-1].stem.removeprefix("shard-")) if paths else 0


def _entry(path: Path, table: pa.Table) -> ShardEntry:
    seeds = table.column("seed").to_pylist()
    return ShardEntry(path.name, len(seeds), min(seeds), max(seeds), sha256(path))


def _not_failed(table: pa.Table) -> pa.Array:
    return arrow().array(
        [status != "failed" for status in table.column("status").to_pylist()], arrow().bool_()
    )


def _rewritten_without_failed(path: Path, table: pa.Table) -> pa.Table:
    kept = table.filter(_not_failed(table))
    if kept.num_rows == 0:
        path.unlink()
    elif kept.num_rows < table.num_rows:
        write_atomically(path, _parquet(kept))
    return kept


def _parquet(table: pa.Table) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet

    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink, compression="zstd")
    data: bytes = sink.getvalue().to_pybytes()
    return data
