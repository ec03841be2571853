"""Lists of members, linked in both directions through arrays: who is in a group, who lists a resource.

``lists`` is a named tuple with three of these arrays: ``head[k]`` is the first member of list k, ``after[i]`` and
``before[i]`` are the neighbours of member i; NOBODY ends a list. k is a number, or (node, slice) where ``head`` has two
dimensions. Joining and leaving cost the same whatever a list's length.
"""

from __future__ import annotations

from slicewright.compiled import inlined

NOBODY = -1


@inlined
def link_in(lists, k, i):
    """Put i, which is in no list of these, at the head of list k."""
    first = lists.head[k]
    lists.after[i], lists.before[i], lists.head[k] = first, NOBODY, i
    if first != NOBODY:
        lists.before[first] = i


@inlined
def unlink(lists, k, i):
    """Take i out of list k, which it is in."""
    before, after = lists.before[i], lists.after[i]
    if before == NOBODY:
        lists.head[k] = after
    else:
        lists.after[before] = after
    if after != NOBODY:
        lists.before[after] = before


@inlined
def has(lists, k, fewest):
    """Whether list k has at least so many members."""
    size, member = 0, lists.head[k]
    while member != NOBODY and size < fewest:
        size += 1
        member = lists.after[member]
    return size >= fewest
