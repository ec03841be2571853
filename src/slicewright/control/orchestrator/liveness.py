"""When each slice was heard of, sent to and refused: who can be changed now, and who cannot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from slicewright.control.messages.status import Status
from slicewright.control.state.clock import Clock
from slicewright.control.state.grants import GrantAccount
from slicewright.control.state.options import ControlOptions


class Liveness:
    """Times of one leader's term; a new term starts with everybody in good standing.

    Args:
        clock: time.
        options: how long is too long.
        accounts: accounts of the slices at the start of the term.
    """

    def __init__(self, clock: Clock, options: ControlOptions, accounts: Mapping[str, GrantAccount]) -> None:
        self._clock, self._options = clock, options
        now = clock.monotonic()
        self._heard_s = dict.fromkeys(accounts, now)
        self._sent_s = {name: now for name, account in accounts.items() if account.sent is not None}
        self._published_s: dict[str, float] = {}
        self._refused_s: dict[str, float] = {}

    def heard(self, name: str) -> None:
        """A manager has sent a new status."""
        self._heard_s[name] = self._clock.monotonic()

    def sent(self, name: str) -> None:
        """A new grant is on its way."""
        self._sent_s[name] = self._clock.monotonic()

    def published(self, name: str) -> None:
        """The newest grant was put where the manager watches, perhaps again."""
        self._published_s[name] = self._clock.monotonic()

    def quiet(self) -> list[str]:
        """Slices without a new status for two heartbeats."""
        now = self._clock.monotonic()
        return [n for n, at in self._heard_s.items() if now - at > 2 * self._options.heartbeat_s]

    def away(self, accounts: Mapping[str, GrantAccount]) -> set[str]:
        """Slices that cannot be changed now: silent, late with an answer, or shortly after a refusal."""
        now = self._clock.monotonic()
        out: set[str] = set()
        for name, account in accounts.items():
            silent = now - self._heard_s.setdefault(name, now) > self._options.away_after_s
            late = (
                account.sent is not None and now - self._sent_s.get(name, now) > self._options.ack_timeout_s
            )
            if account.refusal is None:
                self._refused_s.pop(name, None)
            refused = self._refused_s.setdefault(name, now) if account.refusal is not None else -1e9
            unwilling = account.refusal is not None and now - refused < self._options.refusal_retry_s
            if silent or late or unwilling:
                out.add(name)
        return out

    def without_newest(
        self, accounts: Mapping[str, GrantAccount], statuses: Mapping[str, Status]
    ) -> Iterable[str]:
        """Slices whose manager has said that it knows nothing of the newest grant, some time after it was put."""
        now = self._clock.monotonic()
        for name, account in accounts.items():
            status = statuses.get(name)
            newest = (account.sent or account.held).revision
            missing = status is not None and max(status.applied, status.refused or 0) < newest
            if missing and now - self._published_s.get(name, 0.0) > self._options.ack_timeout_s:
                yield name
