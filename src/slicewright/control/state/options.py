"""Settings of an orchestrator and its managers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from slicewright.errors import InvalidOptionError

_FEW_DEVICES = 50


@dataclass(frozen=True)
class ControlOptions:
    """Settings; times in s.

    Attributes:
        epoch_s: decisions that nobody waits for (measurements, a slice that came back) are made this often.
        on_demand: decide as soon as requests arrive; otherwise they too wait for the epoch.
        deadline_s: time for one decision by the active method; then the fallback chain goes on.
        rounds: of search per decision about up to 50 devices, fewer for more, see :meth:`for_devices`. No clock
            limits the search, so a replay repeats it bit for bit. Devices that stay cost more than a short search:
            with ``keep_ratio`` 100 rounds leave 0.018 % on the average, 40 leave 0.019 % in half the time.
        seed: of the methods.
        keep_ratio: devices stay where they are while that costs at most this part more; see ``settlement.decide``.
        ack_timeout_s: a slice that has not answered a grant for so long is not waited for: decisions leave it as it is.
        away_after_s: so is one that has sent no status for so long.
        heartbeat_s: a manager sends its status at least this often.
        refusal_retry_s: a slice that refused is tried again after this.
        rebalance_ratio: SP2 alone is run when a reported share differs by more than this.
        checkpoint_every: records between checkpoints in the journal.
        most_devices: requests beyond this are refused.
        shares: how managers share (SP1), a name of ``sharing.rules.SHARE_RULES``.
        share_limit_s: a learned model's shares that take longer are not used.
        most_failures: so many decisions in a row without an answer of the active method roll it back.
    """

    epoch_s: float = 1.0
    on_demand: bool = True
    deadline_s: float = 0.25
    rounds: int = 40
    seed: int = 0
    keep_ratio: float = 0.002
    ack_timeout_s: float = 1.0
    away_after_s: float = 3.5
    heartbeat_s: float = 1.0
    refusal_retry_s: float = 5.0
    rebalance_ratio: float = 0.02
    checkpoint_every: int = 2000
    most_devices: int = 20_000
    most_failures: int = 5
    shares: str = "closed-form"
    share_limit_s: float = 0.02

    def __post_init__(self) -> None:
        for name in (
            "epoch_s",
            "deadline_s",
            "ack_timeout_s",
            "away_after_s",
            "heartbeat_s",
            "share_limit_s",
        ):
            if not getattr(self, name) > 0:
                raise InvalidOptionError(name, "must be positive", value=getattr(self, name))
        for name in ("rounds", "seed", "checkpoint_every", "most_devices", "most_failures"):
            if getattr(self, name) < 0:
                raise InvalidOptionError(name, "must not be negative", value=getattr(self, name))

    def for_devices(self, count: int) -> ControlOptions:
        """Settings of a decision about so many devices: a round takes longer the more there are, so fewer are made."""
        rounds = self.rounds if count <= _FEW_DEVICES else -(-self.rounds * _FEW_DEVICES // count)
        return self if rounds == self.rounds else replace(self, rounds=rounds)


DEFAULTS = ControlOptions()
