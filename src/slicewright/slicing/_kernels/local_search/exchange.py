"""Exchange of links, and local search: best response and exchanges in turn.

Radio and compute meet only in "offload or not" (model page 1.4): for a fixed set of offloaded devices the choice of
access points and the choice of nodes are two separate problems, so links are exchanged without looking at nodes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.slicing._kernels.best_response import FOREVER, MOVE_LINKS, TOLERANCE, descend
from slicewright.slicing._kernels.ejection.prices import remembers
from slicewright.slicing._kernels.local_search.promises import descend_by_price
from slicewright.slicing._kernels.problem import DWARFED, LOCAL, add_roots


class Workspace(NamedTuple):
    """What local search writes its working out on: by node, by group, and by device that is offloaded, in order."""

    others: Any  # (J,) s
    growth: Any  # (2, N * J) s
    who: Any  # (I,) int64, the device
    at: Any  # (I,) int64, its access point
    own: Any  # (I,) sqrt(s), root of its link
    used: Any  # (I,) sqrt(s), sum of roots at its access point
    there: Any  # (A, I) sqrt(s), root of its link to each access point, infinite when out of reach
    filled: Any  # (A,) whether that row is filled
    mine: Any  # (A,) sqrt(s), roots of one device's links, infinite when out of reach
    rivals: Any  # prices that are kept


@kernel
def make_workspace(problem, rivals):
    """Allocate."""
    n_devices = problem.local_time.size
    by_device, n_aps = np.empty((2, n_devices)), problem.n_access_points
    return Workspace(
        np.empty(problem.n_nodes), np.empty((2, problem.capacity.size)), np.empty(n_devices, np.int64),
        np.empty(n_devices, np.int64), by_device[0], by_device[1], np.empty((n_aps, n_devices)),
        np.empty(n_aps, np.bool_), np.empty(n_aps), rivals,
    )  # fmt: skip


@inlined
def link_to(problem, i, a):
    """The link of device i to access point a, or LOCAL when out of reach."""
    first, last = problem.start[i], problem.start[i + 1]
    if first + a < last and problem.access_point[first + a] == a:  # every access point is in reach
        return first + a
    for link in range(first, last):
        if problem.access_point[link] == a:
            return link
    return LOCAL


@inlined
def write_down(problem, state, w, order, count):
    """List the offloaded devices of ``order``: (how many, how many of them are among its first ``count``)."""
    m, asked = 0, 0
    for a in range(w.filled.size):
        w.filled[a] = False
    for c in range(order.size):
        link = state.link[order[c]]
        if link != LOCAL:
            a = problem.access_point[link]
            w.who[m], w.at[m], w.own[m], w.used[m] = order[c], a, problem.link_root[link], state.radio[a]
            m += 1
            if c < count:
                asked = m
    return m, asked


@inlined
def look_from(problem, w, c, m):
    """Fill what device c of the list could have elsewhere, and what those after it could have in its place."""
    i, a = w.who[c], w.at[c]
    for b in range(w.mine.size):
        w.mine[b] = np.inf
    for link in range(problem.start[i], problem.start[i + 1]):
        w.mine[problem.access_point[link]] = problem.link_root[link]
    w.mine[a] = np.inf
    if not w.filled[a]:
        w.filled[a] = True
        for d in range(m):
            link = link_to(problem, w.who[d], a)
            w.there[a, d] = problem.link_root[link] if link != LOCAL else np.inf


@inlined
def gain_by(w, c, d):
    """What an exchange of c and d saves, and the costs that this is to be compared with."""
    sum_c = w.used[c] - w.own[c] + w.there[w.at[c], d]
    sum_d = w.used[d] - w.own[d] + w.mine[w.at[d]]
    before = w.used[c] * w.used[c] + w.used[d] * w.used[d]
    return before - sum_c * sum_c - sum_d * sum_d, before


@inlined
def any_gain(w, c, m):
    """Whether an exchange of c with a device after it saves anything. Branch-free, so that it compiles to vectors."""
    found = 0
    for d in range(c + 1, m):
        gain, before = gain_by(w, c, d)
        found += 1 if gain > TOLERANCE * before else 0
    return found > 0


@inlined
def exchange(problem, state, w, c, d, m):
    """Let c and d take each other's access points."""
    a, b = w.at[c], w.at[d]
    sum_a, sum_b = w.used[c] - w.own[c] + w.there[a, d], w.used[d] - w.own[d] + w.mine[b]
    dwarfed = min(sum_a / w.used[c], sum_b / w.used[d]) < DWARFED
    state.radio[a], state.radio[b] = sum_a, sum_b
    state.link[w.who[c]], state.link[w.who[d]] = link_to(problem, w.who[c], b), link_to(problem, w.who[d], a)
    if dwarfed:
        add_roots(problem, state, a)
        add_roots(problem, state, b)
    w.at[c], w.at[d], w.own[c], w.own[d] = b, a, w.mine[b], w.there[a, d]
    for e in range(m):
        w.used[e] = state.radio[w.at[e]]


@outlined
def swap_links(problem, state, w, order, count, deadline):
    """Exchange the access points of two devices while that saves radio cost; nodes are not touched.

    Pairs are those of the first ``count`` devices of ``order`` with every other device.
    """
    saved = 0.0
    m, asked = write_down(problem, state, w, order, count)
    for c in range(asked):
        if (c & 15) == 15 and now_ns() > deadline:
            break
        look_from(problem, w, c, m)
        if not any_gain(w, c, m):
            continue
        for d in range(c + 1, m):
            gain, before = gain_by(w, c, d)
            if gain > TOLERANCE * before:
                exchange(problem, state, w, c, d, m)
                look_from(problem, w, c, m)
                saved += gain
    return saved


@inlined
def descend_to_the_end(problem, state, order, count, scratch, keep_link, deadline):
    """Best response of the first ``count`` devices of ``order`` until nobody gains."""
    if remembers(scratch.rivals):
        descend_by_price(problem, state, scratch.rivals, order, count, scratch, keep_link, deadline)
    else:
        descend(problem, state, order, count, scratch, keep_link, FOREVER // order.size, deadline)


@outlined
def local_search(problem, state, order, count, scratch, deadline):
    """Best response and exchange of links in turn until neither helps."""
    while True:
        descend_to_the_end(problem, state, order, count, scratch, MOVE_LINKS, deadline)
        if now_ns() > deadline or swap_links(problem, state, scratch, order, count, deadline) == 0.0:
            return
