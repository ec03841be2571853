"""What a run is made of besides its plan and who moves, and what is counted besides tasks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.simulation.movement.links import Air
from slicewright.simulation.tasks.demand import Arrivals, Distribution
from slicewright.simulation.tasks.queues import Disciplines


@dataclass(frozen=True)
class Settings:
    """Everything about a run that is neither the plan nor the movement.

    Attributes:
        seed: of arrivals, sizes, work and fading. With one seed a run repeats bit for bit.
        disciplines: who waits for whom.
        arrivals: how tasks arrive.
        size: of tasks, around the device's S_i; the model has it fixed.
        work: of tasks, around L_i or L_in; the model has it exponential.
        air: what happens to signals besides path loss; counts where devices move.
        tick_s: s between two measurements of positions and links.
        handover_db: dB by which another access point must be stronger before a device changes to it.
        handover_s: s, how long an uplink stands still in a handover.
        migration_s: s, how long a device's own server stands still when it moves to another node or slice.

    Raises:
        InvalidOptionError: a number out of range.
    """

    seed: int = 0
    disciplines: Disciplines = field(default_factory=Disciplines)
    arrivals: Arrivals = field(default_factory=Arrivals)
    size: Distribution = field(default_factory=lambda: Distribution("fixed"))
    work: Distribution = field(default_factory=Distribution)
    air: Air = field(default_factory=Air)
    tick_s: float = 1.0
    handover_db: float = 3.0
    handover_s: float = 0.05
    migration_s: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.tick_s < np.inf:
            raise InvalidOptionError("tick_s", "must be a positive number of seconds", value=self.tick_s)
        for name in ("handover_db", "handover_s", "migration_s"):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise InvalidOptionError(name, "must be 0 or more", value=getattr(self, name))


@dataclass
class Counts:
    """What happened so far besides tasks."""

    handovers: int = 0
    joins: int = 0
    leaves: int = 0
    moves: int = 0
    """Devices that replanning sent elsewhere."""
