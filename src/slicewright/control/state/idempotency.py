"""Idempotency-Keys: what each stood for, for a day, and never more of them than fit into little memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

KEY_LIFE_S = 86_400.0
"""A key is remembered for so long, s."""
MOST_KEYS = 10_000
"""So many are, the oldest forgotten first."""
MOST_NAMED = 100_000
"""Requests of many devices, taken together, are remembered up to so many ids."""
_FEW = 10
"""Requests of no more devices than this are not counted: all keys together name ``MOST_KEYS`` times as many at most."""


@dataclass(frozen=True)
class Remembered:
    """What an Idempotency-Key stood for.

    Attributes:
        request_digest: of the request's body. devices: that were admitted.
        asked_s: wall clock of the orchestrator that took the request, s since 1970; 0 for keys of before they expired.
    """

    request_digest: str
    devices: tuple[str, ...]
    asked_s: float = 0.0

    def expired(self, now_s: float) -> bool:
        """Whether the key may stand for something else by now."""
        return 0.0 < self.asked_s < now_s - KEY_LIFE_S


def with_key(keys: Mapping[str, Remembered], key: str, new: Remembered) -> Mapping[str, Remembered]:
    """Keys, oldest first, with one more, without those that are too old or too many.

    Keys from before there were times get that of the first key with one: they are there for a day from then on.
    """
    kept = dict(keys)
    kept.pop(key, None)
    if new.asked_s > 0.0 and kept and next(iter(kept.values())).asked_s == 0.0:
        kept = {
            name: known if known.asked_s > 0.0 else replace(known, asked_s=new.asked_s)
            for name, known in kept.items()
        }
    named = sum(len(known.devices) for known in kept.values()) if len(new.devices) > _FEW else 0
    gone: list[str] = []
    for name, known in kept.items():
        too_many = len(kept) - len(gone) >= MOST_KEYS or named + len(new.devices) > MOST_NAMED
        if not too_many and not known.expired(new.asked_s):
            break
        gone.append(name)
        named -= len(known.devices)
    for name in gone:
        del kept[name]
    kept[key] = new
    return kept
