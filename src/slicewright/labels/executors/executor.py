"""What an executor is: something that labels chunks of seeds elsewhere and survives the loss of a worker."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

Seeds = tuple[int, ...]


@dataclass(frozen=True)
class Finished:
    """A chunk that came back.

    Attributes:
        seeds: of the chunk.
        batch: its labels, as :func:`slicewright.labels.executors.label_chunk.label_chunk` encodes them.
        time_s: s between handing it out and having it.
    """

    seeds: Seeds
    batch: bytes
    time_s: float


@dataclass(frozen=True)
class Lost:
    """A chunk that will not come back: its worker died or hung.

    Attributes:
        seeds: of the chunk.
        reason: one sentence.
        suspect: whether one of the instances may be the cause; not so when a whole machine is gone.
    """

    seeds: Seeds
    reason: str
    suspect: bool = True


class Executor(Protocol):
    """Runs chunks. The build hands out chunks while there is a free worker and collects what happened to them."""

    @property
    def free(self) -> int:
        """How many more chunks can be handed out now."""
        ...

    @property
    def busy(self) -> int:
        """How many chunks are out."""
        ...

    def submit(self, seeds: Seeds) -> None:
        """Hand out a chunk; only while ``free`` is positive."""
        ...

    def wait(self, timeout_s: float) -> list[Finished | Lost]:
        """What came back or was lost; empty if nothing did within the time.

        Raises:
            WorkerError: no worker can be started.
        """
        ...

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every worker."""
        ...
