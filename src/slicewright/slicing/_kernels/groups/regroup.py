"""Moves of whole groups, one kind after the other: for variant "device", in which groups are independent."""

from __future__ import annotations

from typing import Any, NamedTuple

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.slicing._kernels.groups.division import divide_each, make_division
from slicewright.slicing._kernels.groups.reassignment import make_deal, reassign
from slicewright.slicing._kernels.groups.selection import make_selection, select_each
from slicewright.slicing._kernels.local_search.exchange import local_search
from slicewright.slicing._kernels.problem import LOCAL


class Regrouping(NamedTuple):
    """What the three kinds of moves write into; see there."""

    deal: Any
    division: Any
    selection: Any


@kernel
def make_regrouping(problem):
    """Allocate."""
    return Regrouping(make_deal(problem), make_division(problem), make_selection(problem))


@inlined
def mark_all(regrouping):
    """Every group is worth a look."""
    for g in range(regrouping.division.dirty.size):
        regrouping.division.dirty[g] = True


@outlined
def mark_changed(state, regrouping, group):
    """Groups are worth a look whose devices are not those of another plan."""
    dirty = regrouping.division.dirty
    for g in range(dirty.size):
        dirty[g] = False
    for i in range(group.size):
        if state.group[i] != group[i]:
            if state.group[i] != LOCAL:
                dirty[state.group[i]] = True
            if group[i] != LOCAL:
                dirty[group[i]] = True


@outlined
def regroup(problem, state, regrouping, random, order, near, scratch, deadline):
    """Reassign, select, divide and search locally, in turn, until nothing helps."""
    division = regrouping.division
    while now_ns() < deadline:
        saved = reassign(problem, state, regrouping.deal, random)
        if saved > 0.0:
            mark_all(regrouping)
        saved += select_each(problem, state, regrouping.selection, random, division.dirty, deadline)
        saved += divide_each(problem, state, division, random, deadline)
        if saved <= 0.0:
            return
        local_search(problem, state, order, near, scratch, deadline)
