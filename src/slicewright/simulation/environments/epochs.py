"""What all environments are made of: a run, cut into epochs, in which somebody else decides."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.network.scenario import Scenario
from slicewright.simulation.movement.mobility import Walk, Walkers
from slicewright.simulation.settings import Settings
from slicewright.simulation.simulation import Simulation
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.slicing.plan import Plan
from slicewright.slicing.shares import Shares
from slicewright.types import FloatArray, IntArray

MOST_WAITING = 1_000_000
"""Tasks of a device that an observation counts at most."""


@dataclass(frozen=True)
class Reward:
    """What a reward is made of: weights of its terms, which all count against it.

    Attributes:
        waiting: for each task that is inside on average: by Little's law, the delay of what arrives in a second.
        late: for each offloaded task that took longer on the node than its device would have taken (13b).
        lost: for each task that its device could not send before it left.
        moved: for each device that changed access point, node or slice.

    Raises:
        InvalidOptionError: a weight is negative.
    """

    waiting: float = 1.0
    late: float = 0.0
    lost: float = 1.0
    moved: float = 0.0

    def __post_init__(self) -> None:
        for name, weight in asdict(self).items():
            if not 0.0 <= weight < np.inf:
                raise InvalidOptionError(name, "must be 0 or more", value=weight)


@dataclass(frozen=True)
class EpochOutcome:
    """What an epoch brought.

    Attributes:
        waiting: tasks inside, mean over the epoch.
        late: offloaded tasks that took longer on the node than on their device.
        lost: tasks that their device had not sent when it left.
        moved: devices that changed access point, node or slice.
        refused: devices whose choice does not exist (out of reach, no capacity): they compute themselves.
        done: tasks that were executed.
        completion_s: s, mean of the tasks done; not a number without any.
    """

    waiting: float
    late: int
    lost: int
    moved: int
    refused: int
    done: int
    completion_s: float

    def terms(self, reward: Reward) -> dict[str, float]:
        """Terms of the reward by name; their sum is the reward."""
        return {name: -weight * float(getattr(self, name)) for name, weight in asdict(reward).items()}


def choices(scenario: Scenario) -> int:
    """How many choices a device has: local, or a triple of access point, node and slice."""
    return 1 + scenario.n_access_points * scenario.n_nodes * scenario.n_slices


def decisions_of(scenario: Scenario, choice: IntArray) -> Decisions:
    """Decisions from numbers: 0 is local, ``1 + (a * J + j) * N + n`` a triple."""
    local, place = choice == 0, choice - 1
    a = np.where(local, LOCAL, place // (scenario.n_nodes * scenario.n_slices))
    j = np.where(local, LOCAL, place // scenario.n_slices % scenario.n_nodes)
    n = np.where(local, LOCAL, place % scenario.n_slices)
    return Decisions.trusted(a, j, n)


def choice_of(scenario: Scenario, decisions: Decisions) -> IntArray:
    """Numbers from decisions, as :func:`decisions_of` reads them."""
    place = (decisions.access_point * scenario.n_nodes + decisions.node) * scenario.n_slices + decisions.slice
    return np.asarray(np.where(decisions.local, 0, place + 1))


def highest_rate_bps(scenario: Scenario) -> float:
    """bit/s. More than any link of a device that walks can carry: nothing between it and the access point."""
    radio, sites = scenario.radio, scenario.sites
    if radio is None or sites.tx_power_w is None:
        raise InvalidOptionError("scenario", "must have positions, powers and a radio model")
    noise_w_hz = 10.0 ** ((dict(radio.parameters).get("noise_dbm_hz", -174.0) - 30.0) / 10.0)
    bandwidth = np.array(scenario.bandwidth_hz)
    # Shadowing of six sigma and Rayleigh fading may add to the signal at 1 m; 60 dB are more than both.
    ratio = 1e6 * float(np.max(sites.tx_power_w)) / (noise_w_hz * bandwidth)
    return float((bandwidth * np.log2(1.0 + ratio)).max())


class Epochs:
    """A run that is begun again and again."""

    def __init__(
        self, scenario: Scenario, settings: Settings, walk: Walk | None, *, epoch_s: float, horizon_s: float
    ) -> None:
        """Not begun yet.

        Args:
            scenario: the network and its devices at first.
            settings: of every run; the seed is replaced.
            walk: how devices move; None for standing still.
            epoch_s: s between two decisions.
            horizon_s: s, length of an episode.
        """
        if not 0.0 < epoch_s <= horizon_s < np.inf:
            raise InvalidOptionError("epoch_s", "must be positive and at most horizon_s", value=epoch_s)
        self.scenario, self.settings, self.walk = scenario, settings, walk
        self.epoch_s, self.horizon_s = epoch_s, horizon_s
        self._simulation: Simulation | None = None

    @property
    def run(self) -> Simulation:
        """The run of this episode.

        Raises:
            InvalidOptionError: nothing has begun.
        """
        if self._simulation is None:
            raise InvalidOptionError("reset", "must be called before the first step")
        return self._simulation

    def begin(self, seed: int) -> None:
        """A new episode, everybody local."""
        scenario = self.scenario
        movement = None if self.walk is None else Walkers(scenario, self.walk, seed=seed)
        nothing = Plan(scenario, Decisions.all_local(scenario.n_devices), Shares.none(scenario))
        self._simulation = Simulation(nothing, replace(self.settings, seed=seed), movement=movement)

    @property
    def over(self) -> bool:
        """Whether the episode has its length."""
        return self.run.now_s >= self.horizon_s * (1.0 - 1e-9)

    def step(self, choice: IntArray) -> EpochOutcome:
        """Put choices in force and go on for an epoch.

        Args:
            choice: (I,) as :func:`decisions_of` reads them.
        """
        run, moves_before = self.run, self.run.counts.moves
        refused, lost_now = run.impose(decisions_of(self.scenario, choice))
        inside: list[int] = []
        tasks = run.advance(run.now_s + self.epoch_s, on_tick=lambda r: inside.append(r.queues.n_inside))
        done = ~tasks.lost
        times = (tasks.done_s - tasks.arrived_s)[done]
        execution = (tasks.done_s - tasks.transmitted_s)[done]
        local_s = self.scenario.local_time_s[tasks.device[done]]
        return EpochOutcome(
            waiting=float(np.mean(inside)) if inside else float(run.queues.n_inside),
            late=int(((execution > local_s) & (tasks.place[done] >= 0)).sum()),
            lost=int(tasks.lost.sum()) + len(lost_now),
            moved=run.counts.moves - moves_before,
            refused=refused,
            done=int(done.sum()),
            completion_s=float(times.mean()) if times.size else float("nan"),
        )

    def rates_bps(self) -> FloatArray:
        """(I, A) bit/s; 0 out of reach, and where a device is not there."""
        run, scenario = self.run, self.scenario
        rates = np.zeros((scenario.n_devices, scenario.n_access_points))
        problem, devices = run.scenario_now()
        rates[devices] = np.asarray(problem.rate_bps)
        return rates
