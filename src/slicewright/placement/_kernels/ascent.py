"""How prices climb: a subgradient that remembers its last direction, in steps that shrink where they lead nowhere."""

from __future__ import annotations

from slicewright.compiled import inlined

SHRINK = 0.6  # of a step, once it has led nowhere often enough


@inlined
def next_direction(excess, previous, price, memory):
    """Where a price goes: by what is asked for too much, and a part of the way it went before; never below 0."""
    d = excess + memory * previous
    return 0.0 if price <= 0.0 and d < 0.0 else d


@inlined
def next_scale(bound, best, noticed, scale, waiting, patience, smallest):
    """(size of the next step, steps that found nothing better): the size is 0 once it would be below ``smallest``.

    A bound is better if it exceeds the best before it by the part ``noticed``; steps shrink after ``patience`` without.
    """
    waiting = 0 if bound > best + noticed * abs(best) else waiting + 1
    if waiting < patience:
        return scale, waiting
    scale *= SHRINK
    return (scale if scale >= smallest else 0.0), 0
