"""The bound of a live city as sums that follow events: what is added for a device can be taken off again.

At fixed multipliers the gain of a node at an end of an interval is a constant and one term for each device that lists
it (``_kernels/interval.py``), so that an event costs two terms for each node and interval that it touches, whatever the
size of the city. Old numbers stay valid whatever happens: they only become less good.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel
from slicewright.slicing.city._kernels.bound import is_used
from slicewright.slicing.city._kernels.interval import alone_time, asked_at_ends, constant_gain
from slicewright.slicing.city._kernels.listings import stretch

PAID, GAINED, RADIO, COST = range(4)
THIRDS = 9
"""Steps of the search for a newcomer's price: to 3 % of its local time."""
LEAST_PRICE = 1e-6
NEAR = 0.03
"""Part of an access point's congestion by which the bound's may be off."""
SLACK = 1e-10
ROOM = 1.05
"""The longest queue of a node is allowed for with so much to spare, so that few arrivals move it."""


class Ledger(NamedTuple):
    """What the value of the bound is made of, and the cost of the plan beside it."""

    gains: Any  # (J, K, 2) s, by node, interval and end of it
    most: Any  # (J,) s, the largest of a node's, at least 0
    paid: Any  # (I,) s, min(tau_i, way + p_i)
    way: Any  # (I,) s, what a device pays for radio: the least 2 rho_a sqrt(T_ia)
    usable: Any  # (J,) 1/s, arrivals of those who may use the node
    longest: Any  # (J,) 1/s, at least the longest queue that one of them bears
    totals: Any  # (4,) sums: paid, most, rho^2, and the cost of the plan


@inlined
def terms(problem, t, i, j, k, price):
    """What device i adds at a price to the gains of node j at both ends of its interval k."""
    worth = price - t.interval[j, k, 0] * problem.arrival[i]
    if worth <= 0.0:
        return 0.0, 0.0
    at_low, _, at_high, _ = asked_at_ends(problem, t, i, j, k, worth)
    return worth - at_low, worth - at_high


@inlined
def count_device(problem, t, ledger, i, j, sign):
    """Add device i to the gains of node j, or take it off."""
    for k in range(t.edges.shape[1] - 1):
        low, high = terms(problem, t, i, j, k, t.compute[i])
        ledger.gains[j, k, 0] += sign * low
        ledger.gains[j, k, 1] += sign * high


@inlined
def renew_most(problem, t, ledger, j):
    """The largest gain of a node anew."""
    most = 0.0
    for k in range(t.edges.shape[1] - 1):
        if is_used(problem, t, j, k):
            most = max(most, ledger.gains[j, k, 0], ledger.gains[j, k, 1])
    ledger.totals[GAINED] += most - ledger.most[j]
    ledger.most[j] = most


@inlined
def cheapest_way(problem, t, i):
    """What device i pays for radio at the bound's congestion."""
    way = np.inf
    for link in range(problem.link_start[i], problem.link_end[i]):
        way = min(way, 2.0 * t.radio[problem.access_point[link]] * problem.link_root[link])
    return way


@inlined
def pay_way(problem, t, ledger, i, way):
    """Let device i pay that for radio, and count what it pays in all."""
    paid = min(problem.local_time[i], way + t.compute[i])
    ledger.totals[PAID] += paid - ledger.paid[i]
    ledger.paid[i], ledger.way[i] = paid, way


@inlined
def allow_queue(problem, t, ledger, i, j, sign):
    """Count device i among those who may make the queue of node j, and let the last interval reach that far."""
    longest = 0.0
    for n in range(problem.capacity.shape[1]):
        if alone_time(problem, i, j, n, problem.arrival[i]) < np.inf:
            longest = max(longest, problem.capacity[j, n] / problem.work[i, n])
    if longest == 0.0:
        return
    ledger.usable[j] += sign * problem.arrival[i]
    ledger.longest[j] = max(ledger.longest[j], longest)
    # No queue is longer than all arrivals, nor than the longest that a usable device bears: whichever is less.
    last = t.edges.shape[1] - 1
    reached, needed = t.edges[j, last], min(ledger.usable[j], ledger.longest[j])
    if needed * (1.0 + SLACK) > reached:
        t.edges[j, last] = ROOM * needed
        ledger.gains[j, last - 1, 1] += t.interval[j, last - 1, 0] * (t.edges[j, last] - reached)


@kernel
def enter_device(problem, t, ledger, i):
    """Add a device's terms at its price."""
    for pair in range(problem.node_start[i], problem.node_end[i]):
        j = problem.node[pair]
        if problem.shared_queue:
            allow_queue(problem, t, ledger, i, j, 1.0)
        count_device(problem, t, ledger, i, j, 1.0)
        renew_most(problem, t, ledger, j)
    pay_way(problem, t, ledger, i, cheapest_way(problem, t, i))


@kernel
def withdraw_device(problem, t, ledger, i):
    """Take a device's terms off."""
    for pair in range(problem.node_start[i], problem.node_end[i]):
        j = problem.node[pair]
        if problem.shared_queue:
            allow_queue(problem, t, ledger, i, j, -1.0)
        count_device(problem, t, ledger, i, j, -1.0)
        renew_most(problem, t, ledger, j)
    ledger.totals[PAID] -= ledger.paid[i]
    ledger.paid[i] = ledger.way[i] = 0.0


@inlined
def value_at_price(problem, t, ledger, i, way, price):
    """What a device that has no terms yet would add to the bound at a price: concave in it."""
    value = min(problem.local_time[i], way + price)
    for pair in range(problem.node_start[i], problem.node_end[i]):
        j, most = problem.node[pair], 0.0
        for k in range(t.edges.shape[1] - 1):
            if is_used(problem, t, j, k):
                at_low, at_high = ledger.gains[j, k, 0], ledger.gains[j, k, 1]
                if max(at_low, at_high) + max(price, price - t.interval[j, k, 0] * problem.arrival[i]) > most:
                    low, high = terms(problem, t, i, j, k, price)
                    most = max(most, at_low + low, at_high + high)
        value -= most - ledger.most[j]
    return value


@kernel
def price_device(problem, t, ledger, i):
    """Set the price of a device that has no terms yet to about the one that leaves the bound highest.

    Thirds: the value is concave, and nothing above what the way leaves of the local time can be better than that.
    """
    tau, way = problem.local_time[i], cheapest_way(problem, t, i)
    low = LEAST_PRICE * tau
    high = max(min(tau, tau - way), low)
    for _ in range(THIRDS):
        first, second = low + (high - low) / 3.0, high - (high - low) / 3.0
        if value_at_price(problem, t, ledger, i, way, first) < value_at_price(
            problem, t, ledger, i, way, second
        ):
            low = first
        else:
            high = second
    t.compute[i] = 0.5 * (low + high)


@inlined
def begin_node(problem, t, ledger, j):
    """The gains of a node that nobody lists."""
    for k in range(t.edges.shape[1] - 1):
        ledger.gains[j, k, 0], ledger.gains[j, k, 1] = constant_gain(problem, t, j, k)
    ledger.usable[j] = ledger.longest[j] = 0.0


@kernel
def fill_ledger(problem, t, ledger):
    """Every sum of the bound anew."""
    ledger.most[:], ledger.paid[:], ledger.way[:] = 0.0, 0.0, 0.0
    ledger.totals[PAID] = ledger.totals[GAINED] = ledger.totals[RADIO] = 0.0
    for j in range(ledger.most.size):
        begin_node(problem, t, ledger, j)
        renew_most(problem, t, ledger, j)
    for a in range(t.radio.size):
        ledger.totals[RADIO] += t.radio[a] * t.radio[a]
    for i in range(problem.local_time.size):
        if problem.local_time[i] > 0.0:
            enter_device(problem, t, ledger, i)


@kernel
def fill_node(problem, t, ledger, lists, j):
    """The sums of one node anew, from those who list it."""
    begin_node(problem, t, ledger, j)
    first, last = stretch(lists, j)
    for at in range(first, last):
        i = lists.pool[at] // lists.width
        if problem.shared_queue:
            allow_queue(problem, t, ledger, i, j, 1.0)
        count_device(problem, t, ledger, i, j, 1.0)
    renew_most(problem, t, ledger, j)


@inlined
def way_after(problem, t, ledger, i, entry, before, after):
    """What device i pays for radio once an access point that it lists by ``entry`` has another congestion.

    Its other access points are looked at only where this one was the cheapest and has become dearer.
    """
    root = problem.link_root[entry]
    if 2.0 * after * root <= ledger.way[i]:
        return 2.0 * after * root
    return ledger.way[i] if 2.0 * before * root > ledger.way[i] else cheapest_way(problem, t, i)


@kernel
def follow_congestion(problem, state, t, ledger, lists, a):
    """Let the bound's congestion of an access point be the plan's, if that raises the bound; whether it did.

    Where the two are near each other nothing is gained: what a bound loses is of the second order in the difference.
    """
    before, after = t.radio[a], state.radio[a]
    if not after > 0.0 or abs(after - before) <= NEAR * before:
        return False
    t.radio[a] = after
    change = before * before - after * after
    first, last = stretch(lists, a)
    ways = np.empty(last - first)
    for at in range(first, last):
        entry = lists.pool[at]
        i = entry // lists.width
        way = way_after(problem, t, ledger, i, entry, before, after)
        ways[at - first] = way
        change += min(problem.local_time[i], way + t.compute[i]) - ledger.paid[i]
    if change <= 0.0:
        t.radio[a] = before
        return False
    ledger.totals[RADIO] += after * after - before * before
    for at in range(first, last):
        i = lists.pool[at] // lists.width
        if ways[at - first] != ledger.way[i]:
            pay_way(problem, t, ledger, i, ways[at - first])
    return True
