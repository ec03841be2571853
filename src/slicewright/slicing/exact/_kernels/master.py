"""The master problem: a linear programme over sets of devices, by a primal simplex of its own.

Columns are "this resource serves this set" and "this device stays local". Rows: every device is served by an access
point (rows 0..I-1) and by a node (I..2I-1) at least once, every resource takes at most one set (2I..). The
dual values are the prices at which :mod:`pricing` looks for better sets. Nothing that is proven depends on the
accuracy of this programme: the bound is computed from prices alone, wherever they come from.

Right-hand sides are moved a little, each by its own amount, so that no basis is degenerate.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined

SHIFT = 1e-6  # scale of the perturbation of the right-hand sides
OPTIMAL = 1e-9  # reduced costs above minus this part of the largest cost count as 0
PIVOT = 1e-8  # smallest pivot element
REFACTOR_EVERY = 400
N_COLUMNS, N_ENTRIES, N_PIVOTS, NEXT_COLUMN = range(4)
BLOCK = 256  # columns that are looked at for one to enter
BY_SLACK = -1


class Master(NamedTuple):
    """Columns so far and the present basis."""

    count: Any  # (4,) int64: columns, their entries, pivots since the last refactorisation, the column to look at next
    first: Any  # (C + 1,) int64, entries of column c are first[c]:first[c + 1]
    row: Any  # (entries,) int32
    cost: Any  # (C,) s, with a penalty where the present part of the search tree forbids the column
    true_cost: Any  # (C,) s
    resource: Any  # (C,) int64, access points, then nodes, then -1 - i for device i that stays local
    option: Any  # (entries,) int32, slice of the member, 0 on access points
    basic: Any  # (m,) int64, column, or BY_SLACK - row
    inverse: Any  # (m, m)
    work: Any  # (m, 2 m), room to invert in
    value: Any  # (m,) of the basic variables
    price: Any  # (m,) dual values
    right: Any  # (m,) right-hand sides
    entering: Any  # (m,)


@kernel
def make_master(n_devices, n_resources, most_columns, most_entries):
    """Allocate; no columns yet."""
    m = 2 * n_devices + n_resources
    right = np.empty(m)
    for r in range(m):
        spread = (0.6180339887498949 * (r + 1)) % 1.0
        right[r] = 1.0 + SHIFT * (1.0 + spread if r < 2 * n_devices else 3.0 + spread)
    return Master(
        np.zeros(4, np.int64), np.zeros(most_columns + 1, np.int64), np.empty(most_entries, np.int32),
        np.empty(most_columns), np.empty(most_columns), np.empty(most_columns, np.int64),
        np.empty(most_entries, np.int32),
        np.empty(m, np.int64), np.empty((m, m)), np.empty((m, 2 * m)), np.empty(m), np.empty(m), right, np.empty(m),
    )  # fmt: skip


@inlined
def has_room(master, entries):
    """Whether a column with so many entries still fits."""
    return (
        master.count[N_COLUMNS] + 1 < master.first.size
        and master.count[N_ENTRIES] + entries <= master.row.size
    )


@inlined
def add_entry(master, row, option):
    master.row[master.count[N_ENTRIES]] = row
    master.option[master.count[N_ENTRIES]] = option
    master.count[N_ENTRIES] += 1


@inlined
def close_column(master, cost, resource):
    """Entries added since the last call become a column; returns its number."""
    c = master.count[N_COLUMNS]
    master.cost[c], master.true_cost[c], master.resource[c] = cost, cost, resource
    master.count[N_COLUMNS] = c + 1
    master.first[c + 1] = master.count[N_ENTRIES]
    return c


@inlined
def reduced_cost(master, c):
    asked = master.cost[c]
    for e in range(master.first[c], master.first[c + 1]):
        asked -= master.price[master.row[e]]
    return asked


@outlined
def start_basis(master, columns, count, n_cover):
    """Basis of a plan: its columns, each for the row of its members that is moved most, and slacks elsewhere."""
    for r in range(master.basic.size):
        master.basic[r] = BY_SLACK - r
    for k in range(count):
        c = columns[k]
        widest = master.row[master.first[c]]
        for e in range(master.first[c], master.first[c + 1]):
            r = master.row[e]
            if r < n_cover and master.right[r] > master.right[widest]:
                widest = r
        master.basic[widest] = c


@outlined
def invert(master, n_cover):
    """Inverse of the basis by Gauss-Jordan, and the values of its variables; False if it is singular."""
    m, work = master.basic.size, master.work
    for r in range(m):
        for k in range(2 * m):
            work[r, k] = 0.0
        work[r, m + r] = 1.0
    for k in range(m):
        c = master.basic[k]
        if c < 0:
            r = BY_SLACK - c
            work[r, k] = -1.0 if r < n_cover else 1.0
        else:
            for e in range(master.first[c], master.first[c + 1]):
                work[master.row[e], k] = 1.0
    for k in range(m):
        pivot = k
        for r in range(k + 1, m):
            if abs(work[r, k]) > abs(work[pivot, k]):
                pivot = r
        if abs(work[pivot, k]) < PIVOT:
            return False
        if pivot != k:
            for p in range(2 * m):
                work[k, p], work[pivot, p] = work[pivot, p], work[k, p]
        scale = 1.0 / work[k, k]
        for p in range(2 * m):
            work[k, p] *= scale
        for r in range(m):
            factor = work[r, k]
            if r != k and factor != 0.0:
                for p in range(2 * m):
                    work[r, p] -= factor * work[k, p]
    for r in range(m):
        total = 0.0
        for k in range(m):
            master.inverse[r, k] = work[r, m + k]
            total += work[r, m + k] * master.right[k]
        master.value[r] = total
    master.count[N_PIVOTS] = 0
    return True


@inlined
def basic_cost(master, k):
    c = master.basic[k]
    return master.cost[c] if c >= 0 else 0.0


@outlined
def set_prices(master):
    """Dual values of the present basis; returns its objective."""
    m, total = master.basic.size, 0.0
    for r in range(m):
        master.price[r] = 0.0
    for k in range(m):
        cost = basic_cost(master, k)
        total += cost * master.value[k]
        if cost != 0.0:
            for r in range(m):
                master.price[r] += cost * master.inverse[k, r]
    return total


@outlined
def choose_entering(master, n_cover, tolerance):
    """A variable of negative reduced cost: column, BY_SLACK - row, or a number past the columns if none, and that cost.

    Columns are looked at block by block, from where the last call ended, until a block has one.
    """
    least, choice = -tolerance, master.first.size
    for r in range(master.price.size):
        asked = master.price[r] if r < n_cover else -master.price[r]
        if asked < least:
            least, choice = asked, BY_SLACK - r
    c = master.count[NEXT_COLUMN]
    for done in range(master.count[N_COLUMNS]):
        if c >= master.count[N_COLUMNS]:
            c = 0
        asked = reduced_cost(master, c)
        if asked < least:
            least, choice = asked, c
        c += 1
        if done % BLOCK == BLOCK - 1 and choice != master.first.size:
            break
    master.count[NEXT_COLUMN] = c
    return choice, least


@outlined
def pivot_in(master, c, n_cover):
    """Bring a variable into the basis; its row, or -1 if no variable leaves or the pivot is too small."""
    m, inverse, column = master.basic.size, master.inverse, master.entering
    for k in range(m):
        column[k] = 0.0
    if c < 0:
        r = BY_SLACK - c
        sign = -1.0 if r < n_cover else 1.0
        for k in range(m):
            column[k] = sign * inverse[k, r]
    else:
        for k in range(m):
            total = 0.0
            for e in range(master.first[c], master.first[c + 1]):
                total += inverse[k, master.row[e]]
            column[k] = total
    least, leaving = np.inf, -1
    for k in range(m):
        if column[k] > PIVOT:
            ratio = max(0.0, master.value[k]) / column[k]
            if ratio < least or (ratio == least and column[k] > column[leaving]):
                least, leaving = ratio, k
    if leaving < 0:
        return leaving
    scale = 1.0 / column[leaving]
    for r in range(m):
        inverse[leaving, r] *= scale
    for k in range(m):
        if k != leaving and column[k] != 0.0:
            factor = column[k]
            for r in range(m):
                inverse[k, r] -= factor * inverse[leaving, r]
            master.value[k] -= factor * least
    master.value[leaving] = least
    master.basic[leaving] = c
    master.count[N_PIVOTS] += 1
    return leaving


@outlined
def solve_master(master, n_cover, tolerance, most_pivots, deadline):
    """Simplex to the end, for ``most_pivots`` or to the deadline: (objective, whether all went well), prices set."""
    objective = set_prices(master)
    for _ in range(most_pivots):
        c, asked = choose_entering(master, n_cover, tolerance)
        if c == master.first.size:
            return objective, True
        leaving = pivot_in(master, c, n_cover)
        if leaving < 0:
            return objective, False
        if master.count[N_PIVOTS] >= REFACTOR_EVERY:
            if not invert(master, n_cover):
                return objective, False
            objective = set_prices(master)
        else:
            objective += asked * master.value[leaving]
            for r in range(master.price.size):
                master.price[r] += asked * master.inverse[leaving, r]
        if now_ns() > deadline:
            break
    return objective, True
