"""What an orchestrator remembers while it leads, besides its state: a value that the next leader begins anew."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from slicewright.control.orchestrator.turn.instructions import Basis, Inform, Instruction, Publish
from slicewright.control.orchestrator.turn.liveness import Accounts, Liveness, Times
from slicewright.control.state.options import ControlOptions
from slicewright.control.state.state import OrchestratorState

_SHORTEST_PAUSE_S = 0.01


@dataclass(frozen=True)
class Term:
    """Memory of one term; times are of the clock that never goes back.

    Attributes:
        liveness: when each slice was heard of, sent to and refused.
        next_epoch_s: when decisions are due that nobody waits for.
        failures: decisions in a row without an answer of the active method.
        waiting: requests in the journal that wait for a decision.
        told: slice to what its manager's details were made from.
        unheard: slices whose managers have not spoken in this term. Nothing new is sent to anybody until they have, or
            are away: if the journal has lost records, only they know what they hold.
        unplaced: slices whose grant has not been put in this term. Something else may lie where their managers look
            when they come back, so being away does not free the others.
    """

    liveness: Liveness = field(default_factory=Liveness)
    next_epoch_s: float = 0.0
    failures: int = 0
    waiting: tuple[int, ...] = ()
    told: Mapping[str, Basis] = field(default_factory=dict)
    unheard: frozenset[str] = frozenset()
    unplaced: frozenset[str] = frozenset()

    @classmethod
    def begin(cls, state: OrchestratorState, now_s: float) -> tuple[Term, tuple[Instruction, ...]]:
        """A new term, and what it starts with: every slice's newest grant is published, perhaps again."""
        publish = tuple(Publish(account.newest, again=True) for account in state.accounts.values())
        names = frozenset(state.accounts)
        return cls(Liveness.at_start(state.accounts, now_s), unheard=names, unplaced=names), publish

    def heard(self, accounts: Accounts, heard_s: Times, away: frozenset[str]) -> Term:
        """Without those that have spoken in this term, are away, or no longer there."""
        known_s = self.liveness.known_s
        silent = {n for n in self.unheard if n in accounts and heard_s.get(n, -math.inf) < known_s[n]}
        unplaced = self.unplaced & set(accounts)
        return replace(self, unheard=frozenset(silent - (away - unplaced)), unplaced=unplaced)

    def carried_out(self, item: Instruction, now_s: float, *, reached: bool = True) -> Term:
        """With something done at a time.

        A grant counts as sent even if the transport did not take it: its slice is late from then on. Details do not.
        """
        match item:
            case Publish(grant, again):
                liveness = self.liveness if again else self.liveness.sent((grant.slice,), now_s)
                unplaced = self.unplaced - {grant.slice} if reached else self.unplaced
                return replace(self, liveness=liveness.published((grant.slice,), now_s), unplaced=unplaced)
            case Inform(name, _, basis) if reached:
                return replace(self, told={**self.told, name: basis})
            case _:
                return self

    def pause_s(self, now_s: float, options: ControlOptions) -> float:
        """Until the next epoch, or until somebody may have become late, s."""
        return max(_SHORTEST_PAUSE_S, min(self.next_epoch_s - now_s, options.ack_timeout_s / 4))
