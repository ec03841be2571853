"""Who lists a resource, while devices come and go: the entries of each resource side by side in memory.

A resource that thousands of devices list is read from one end to the other at every event there, which a chain of
links through memory would make slow: each step would wait for the one before it. So the entries of a resource lie in
one stretch of a pool, in no particular order; who leaves is replaced by the last one. A stretch that is full moves to
the end of the pool with twice the room, and where the pool has no end left everything is laid out anew.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel

LEAST_ROOM = 8
POOL = 1.5
"""Size of the pool, in parts of all entries that there can be."""


class Listings(NamedTuple):
    """Entries of the devices' own lists by resource; that of device i are ``i * width`` to ``(i + 1) * width``."""

    first: Any  # (items,) int64, where the stretch of a resource begins in the pool
    count: Any  # (items,) int64, entries in it
    room: Any  # (items,) int64, entries that it can hold
    pool: Any  # (pool,) int64, entries
    place: Any  # (entries,) int64, where an entry is in the pool
    used: Any  # (1,) int64, the end of the last stretch
    width: int  # entries of each device


@kernel
def make_listings(start, end, items, n_items, width):
    """Listings of given candidates, with room for ``width`` entries of each device."""
    size = int(POOL * items.size) + 2 * LEAST_ROOM * n_items
    listings = Listings(
        np.zeros(n_items, np.int64), np.zeros(n_items, np.int64), np.zeros(n_items, np.int64),
        np.zeros(size, np.int64), np.zeros(items.size, np.int64), np.zeros(1, np.int64), width,
    )  # fmt: skip
    for i in range(start.size):
        for entry in range(start[i], end[i]):
            listings.room[items[entry]] += 1
    at = 0
    for k in range(n_items):
        listings.first[k] = at
        listings.room[k] += LEAST_ROOM + listings.room[k] // 4
        at += listings.room[k]
    listings.used[0] = at
    for i in range(start.size):
        for entry in range(start[i], end[i]):
            enter_listing(listings, items[entry], entry)
    return listings


@kernel
def lay_out_anew(listings):
    """Put all stretches side by side again, each with a little room."""
    before = listings.pool.copy()
    at = 0
    for k in range(listings.first.size):
        first, count = listings.first[k], listings.count[k]
        for offset in range(count):
            entry = before[first + offset]
            listings.pool[at + offset], listings.place[entry] = entry, at + offset
        listings.first[k], listings.room[k] = at, count + LEAST_ROOM
        at += count + LEAST_ROOM
    listings.used[0] = at


@kernel
def widen_list(listings, k):
    """Let the full stretch of resource k hold more. It allocates, so only a kernel may call it."""
    first, count, at = listings.first[k], listings.count[k], listings.used[0]
    room = 2 * count + LEAST_ROOM
    if at + room > listings.pool.size:
        lay_out_anew(listings)
        return
    for offset in range(count):
        entry = listings.pool[first + offset]
        listings.pool[at + offset], listings.place[entry] = entry, at + offset
    listings.first[k], listings.room[k], listings.used[0] = at, room, at + room


@inlined
def is_full(listings, k):
    """Whether the stretch of resource k needs room before another entry may enter."""
    return listings.count[k] == listings.room[k]


@inlined
def enter_listing(listings, k, entry):
    """Put an entry that is in no stretch at the end of that of resource k, which has room (:func:`is_full`)."""
    at = listings.first[k] + listings.count[k]
    listings.pool[at], listings.place[entry] = entry, at
    listings.count[k] += 1


@inlined
def leave_listing(listings, k, entry):
    """Take an entry out of the stretch of resource k, which it is in."""
    at, last = listings.place[entry], listings.first[k] + listings.count[k] - 1
    listings.pool[at] = listings.pool[last]
    listings.place[listings.pool[at]] = at
    listings.count[k] -= 1


@inlined
def stretch(listings, k):
    """(Begin, end) of the entries of resource k in the pool."""
    return listings.first[k], listings.first[k] + listings.count[k]
