"""Who leads, and what the journal holds of the whole state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class TookOver:
    """Another orchestrator leads from here on; its append fences the one before.

    Attributes:
        instance: name of its process.
        term: written into its grants, and greater than any before, also of records that were lost; 0 in logs of before.
        fences: every manager is to confirm what it holds in this term before anybody is given more. The records behind
            grants that are still on their way may be lost, and who takes over cannot tell.
    """

    instance: str
    term: int = 0
    fences: bool = False
    kind: Literal["took-over"] = "took-over"


@dataclass(frozen=True)
class Checkpoint:
    """The whole state, so that a restart need not read everything before; see ``state.state.dump``."""

    state: dict[str, Any] = field(default_factory=dict)
    kind: Literal["checkpoint"] = "checkpoint"


@dataclass(frozen=True)
class Restored:
    """The journal had lost its end, and an orchestrator that had read it wrote down what it knew.

    Attributes:
        state: the whole state, as in a checkpoint. lost: how many records were gone.
        newest: sequence of the last of them. hash: its hash.
    """

    state: dict[str, Any]
    lost: int
    newest: int
    hash: str
    kind: Literal["restored"] = "restored"
