"""When each slice was heard of, sent to and refused: who can be changed now, and who cannot. A value of one term."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from slicewright.control.messages.status import Status
from slicewright.control.state.grants import GrantAccount
from slicewright.control.state.options import ControlOptions

Accounts = Mapping[str, GrantAccount]
Times = Mapping[str, float]
"""Slice to a time of the clock that never goes back, s."""


@dataclass(frozen=True)
class Liveness:
    """Times of one leader's term; a new term starts with everybody in good standing.

    Attributes:
        known_s: since when a slice is known in this term; it counts as heard of then.
        sent_s: when a new grant was last sent. published_s: when one was last put where the manager watches.
        refused_s: since when a slice refuses.
    """

    known_s: Times = field(default_factory=dict)
    sent_s: Times = field(default_factory=dict)
    published_s: Times = field(default_factory=dict)
    refused_s: Times = field(default_factory=dict)

    @classmethod
    def at_start(cls, accounts: Accounts, now_s: float) -> Liveness:
        """The beginning of a term."""
        waiting = {name: now_s for name, account in accounts.items() if account.sent is not None}
        return cls(dict.fromkeys(accounts, now_s), waiting)

    def seen(self, accounts: Accounts, now_s: float) -> Liveness:
        """With slices that are new, and refusals that are new or over."""
        known = {**dict.fromkeys(accounts, now_s), **self.known_s}
        refusing = [name for name, account in accounts.items() if account.refusal is not None]
        return replace(self, known_s=known, refused_s={n: self.refused_s.get(n, now_s) for n in refusing})

    def sent(self, names: Iterable[str], now_s: float) -> Liveness:
        """With new grants on their way."""
        return replace(self, sent_s={**self.sent_s, **dict.fromkeys(names, now_s)})

    def published(self, names: Iterable[str], now_s: float) -> Liveness:
        """With grants put where managers watch, perhaps again."""
        return replace(self, published_s={**self.published_s, **dict.fromkeys(names, now_s)})

    def heard_s(self, name: str, heard_s: Times) -> float:
        """When a slice was last heard of, s; a term begins as if everybody had just spoken."""
        known = self.known_s[name]
        return max(known, heard_s.get(name, known))

    def quiet(self, heard_s: Times, now_s: float, options: ControlOptions) -> list[str]:
        """Slices without a new status for two heartbeats."""
        return [n for n in self.known_s if now_s - self.heard_s(n, heard_s) > 2 * options.heartbeat_s]

    def away(
        self, accounts: Accounts, heard_s: Times, now_s: float, options: ControlOptions
    ) -> frozenset[str]:
        """Slices that cannot be changed now: silent, late with an answer, or shortly after a refusal.

        Args:
            accounts: of all slices, each :meth:`seen` before.
            heard_s: slice to the time of its newest status.
            now_s: the time.
            options: how long is too long.
        """
        out = set()
        for name, account in accounts.items():
            silent = now_s - self.heard_s(name, heard_s) > options.away_after_s
            late = account.sent is not None and now_s - self.sent_s.get(name, now_s) > options.ack_timeout_s
            refused_s = self.refused_s.get(name)
            if silent or late or (refused_s is not None and now_s - refused_s < options.refusal_retry_s):
                out.add(name)
        return frozenset(out)

    def without_newest(
        self,
        accounts: Accounts,
        statuses: Mapping[str, Status],
        now_s: float,
        options: ControlOptions,
        *,
        unplaced: Collection[str] = (),
    ) -> list[str]:
        """Slices to put the newest grant of again, some time after it was put.

        Their manager has said that it knows nothing of it, or the transport did not take it at the begin of the term.
        """
        out = []
        for name, account in accounts.items():
            status = statuses.get(name)
            newest = (account.newest).revision
            missing = status is not None and max(status.applied, status.refused or 0) < newest
            if (missing or name in unplaced) and now_s - self.published_s.get(
                name, 0.0
            ) > options.ack_timeout_s:
                out.append(name)
        return out
