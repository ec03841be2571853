"""Moves of whole groups, one kind after the other: for variant "device", in which groups are independent."""

from __future__ import annotations

from typing import Any, NamedTuple

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.slicing._kernels.best_response import local_search
from slicewright.slicing._kernels.groups.division import divide_each, make_division, note_changes
from slicewright.slicing._kernels.groups.reassignment import make_deal, reassign
from slicewright.slicing._kernels.groups.selection import make_selection, select_each


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


@inlined
def mark_changed(state, regrouping, group):
    """Groups are worth a look whose devices are not those of another plan, which was regrouped."""
    note_changes(state, group, regrouping.division.dirty)


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
