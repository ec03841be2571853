"""The most profitable set of a node that serves many devices: branch and bound over tangents.

With Q, W sums of roots and work, Lambda of arrivals, a slice costs (13b can only add to it)

    Q^2 / (F - Lambda W)  >=  2 rho Q - rho^2 (F - Lambda W)          for every rho,

and with V = sum over slices of rho^2 W and any reference (Lambda0, V0)

    Lambda V  =  Lambda0 V + Lambda V0 - Lambda0 V0 + (Lambda - Lambda0) (V - V0).

What is linear charges each device by itself, so that the best of its options can be taken. The product is at least
-Lambda0 V0 / 4 times D^2, D the difference of the relative deviations of Lambda and V; every device adds its own
part to D, and pays its reduced cost for it, which bounds what D can bring. In variant "device" queues are linear
and there is no product. Branching settles a device's option; rho then moves to where the tangent is tight again.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, now_ns, outlined
from slicewright.slicing.exact._kernels.sets import (
    MOST_DEPTH,
    NONE,
    change,
    keep_if_better,
    sort_items,
    value_at,
)

FIRST_ROUNDS, LATER_ROUNDS = 3, 1  # rounds of balancing prices, at the root and below
HALVINGS = 12
TINY = 1e-30
DEVICE, OPTION, CHILDREN = range(3)


@outlined
def charge_devices(problem, j, price, scratch, depth):
    """Fill ``charges``: price less tangent charge by slice, minus infinity where closed."""
    arrivals, steepness = scratch.reference[depth, 0], scratch.reference[depth, 1]
    for n in range(problem.work.shape[1]):
        charge_slice(problem, price, scratch, depth, arrivals, steepness, n)


@inlined
def worth_in(problem, price, arrivals, steepness, rho, i, n):
    """Price of a device less what the tangent charges it in slice n."""
    if problem.shared_queue:
        charged = rho * (2.0 * problem.work_root[i, n] + rho * arrivals * problem.work[i, n])
        return price[i] - charged - problem.arrival[i] * steepness
    return price[i] - rho * (2.0 * problem.work_root[i, n] + rho * problem.arrival[i] * problem.work[i, n])


@inlined
def charge_slice(problem, price, scratch, depth, arrivals, steepness, n):
    for i in range(price.size):
        is_open = scratch.open[depth, i] >> n & 1
        worth = worth_in(problem, price, arrivals, steepness, scratch.rho[depth, n], i, n)
        scratch.charges[i, n] = worth if is_open else -np.inf


@outlined
def balance_price(problem, j, price, scratch, depth, n):
    """Bisect the price of slice n until the devices it attracts cause that price; other slices stay as they are."""
    n_slices = problem.work.shape[1]
    arrivals, steepness = scratch.reference[depth, 0], scratch.reference[depth, 1]
    size, rho = problem.capacity[n * problem.n_nodes + j], scratch.rho[depth, n]
    low, high = 0.0, rho
    for i in range(price.size):
        other = 0.0 if scratch.open[depth, i] >> n_slices & 1 else -np.inf
        for m in range(n_slices):
            if m != n:
                other = max(other, scratch.charges[i, m])
        scratch.paid[i] = other
        if scratch.open[depth, i] >> n & 1:
            high = max(high, price[i] / problem.work_root[i, n])
    if not 0.0 < rho < high:
        rho = 0.5 * high
    for _ in range(HALVINGS):
        slope = size * rho
        for i in range(price.size):
            if scratch.open[depth, i] >> n & 1:
                root, work = problem.work_root[i, n], problem.work[i, n]
                if worth_in(problem, price, arrivals, steepness, rho, i, n) > scratch.paid[i]:
                    slope -= root + rho * work * (arrivals if problem.shared_queue else problem.arrival[i])
        if slope > 0.0:
            high = rho
        else:
            low = rho
        rho = 0.5 * (low + high)
    scratch.rho[depth, n] = rho
    charge_slice(problem, price, scratch, depth, arrivals, steepness, n)


@inlined
def deviation(problem, scratch, depth, i, option):
    """What a device in an option adds to D."""
    if option == NONE:
        return 0.0
    rho = scratch.rho[depth, option]
    arrivals, steepness = scratch.reference[depth, 0], scratch.reference[depth, 1]
    return problem.arrival[i] / arrivals - rho * rho * problem.work[i, option] / steepness


@inlined
def is_open_to(scratch, depth, i, option):
    bit = option if option != NONE else scratch.charges.shape[1]
    return (scratch.open[depth, i] >> bit & 1) == 1


@inlined
def worth_of(scratch, i, option):
    return scratch.charges[i, option] if option != NONE else 0.0


@outlined
def most_from_product(problem, scratch, depth, start, sign):
    """Largest value of Lambda0 V0 / 4 D^2 less the reduced costs paid for D, D on one side of 0.

    The least reduced cost at which D reaches a value is convex and piecewise linear (fractional knapsack), so the
    largest value is at one of its kinks. Each device counts with its widest deviation at its best ratio.
    """
    count = 0
    for i in range(scratch.trial.size):
        base = scratch.trial[i]
        worth, now = worth_of(scratch, i, base), deviation(problem, scratch, depth, i, base)
        widest, ratio = 0.0, np.inf
        for option in range(NONE, scratch.charges.shape[1]):
            if option != base and is_open_to(scratch, depth, i, option):
                d = sign * (deviation(problem, scratch, depth, i, option) - now)
                if d > 0.0:
                    widest, ratio = max(widest, d), min(ratio, (worth - worth_of(scratch, i, option)) / d)
        if widest > 0.0:
            scratch.key[count], scratch.slack[count] = ratio, widest
            count += 1
    sort_items(scratch, count)
    bend = 0.25 * scratch.reference[depth, 0] * scratch.reference[depth, 1]
    spent, reached = 0.0, start
    most = bend * start * start
    for k in range(count):
        spent += scratch.key[k] * scratch.slack[k]
        reached += scratch.slack[k]
        most = max(most, bend * reached * reached - spent)
    return most


@outlined
def choose_branch(problem, j, scratch, depth):
    """The device whose second best option costs least against what the tangent loses by mixing it with the best."""
    n_nodes, n_slices = problem.n_nodes, problem.work.shape[1]
    best = -np.inf
    scratch.branch[depth, DEVICE] = NONE
    for i in range(scratch.trial.size):
        base = scratch.trial[i]
        loss, worth = 0.0, worth_of(scratch, i, base)
        if base != NONE:
            loss = problem.work[i, base] / problem.capacity[base * n_nodes + j]
        for option in range(NONE, n_slices):
            if option != base and is_open_to(scratch, depth, i, option):
                score = loss + worth_of(scratch, i, option) - worth
                if option != NONE:
                    score += problem.work[i, option] / problem.capacity[option * n_nodes + j]
                if score > best:
                    best = score
                    scratch.branch[depth, DEVICE], scratch.branch[depth, OPTION] = i, base


@outlined
def bound_part(problem, j, price, offer, scratch, depth, best):
    """Bound the gain of all sets that are open at a depth and choose where to branch; returns the best gain found."""
    n_nodes, n_slices = problem.n_nodes, problem.work.shape[1]
    reference, rho, trial, sums = scratch.reference, scratch.rho, scratch.trial, scratch.sums
    charge_devices(problem, j, price, scratch, depth)
    for _ in range(FIRST_ROUNDS if depth == 0 else LATER_ROUNDS):
        for n in range(n_slices):
            balance_price(problem, j, price, scratch, depth, n)
    bound, arrivals, steepness = 0.0, 0.0, 0.0
    for row in range(sums.shape[0]):
        sums[row, 0] = 0.0
    for i in range(price.size):
        most, trial[i] = -np.inf, NONE
        if is_open_to(scratch, depth, i, NONE):
            most = 0.0
        for n in range(n_slices):
            if scratch.charges[i, n] > most:
                most, trial[i] = scratch.charges[i, n], n
        bound += most
        if trial[i] != NONE:
            arrivals += problem.arrival[i]
            steepness += rho[depth, trial[i]] * rho[depth, trial[i]] * problem.work[i, trial[i]]
            change(problem, price, sums, 0, i, trial[i], 1.0)
    for n in range(n_slices):
        bound += rho[depth, n] * rho[depth, n] * problem.capacity[n * n_nodes + j]
    if value_at(problem, j, sums, 0) > best:
        best = keep_if_better(problem, j, price, trial, offer, best)
    if problem.shared_queue:
        bound += reference[depth, 0] * reference[depth, 1]
        start = arrivals / reference[depth, 0] - steepness / reference[depth, 1]
        product = 0.0
        for sign in (1.0, -1.0):
            product = max(product, most_from_product(problem, scratch, depth, max(0.0, sign * start), sign))
        bound += product
    scratch.reach[depth] = min(bound, scratch.reach[depth - 1]) if depth > 0 else bound
    choose_branch(problem, j, scratch, depth)
    scratch.branch[depth, CHILDREN] = 0
    if depth + 1 < MOST_DEPTH:
        for n in range(n_slices):
            rho[depth + 1, n] = rho[depth, n]
        reference[depth + 1, 0] = arrivals if arrivals > 0.0 else reference[depth, 0]
        reference[depth + 1, 1] = steepness if steepness > 0.0 else reference[depth, 1]
    return best


@outlined
def open_root(problem, j, alone, price, place, scratch):
    """Everything that may pay is open; the tangent touches at ``place``."""
    n_nodes, n_slices = problem.n_nodes, problem.work.shape[1]
    arrivals, steepness = TINY, TINY
    for i in range(price.size):
        scratch.open[0, i] = 1 << n_slices
        for n in range(n_slices):
            if alone[i, n * n_nodes + j] < price[i]:
                scratch.open[0, i] |= 1 << n
        if place[i] != NONE:
            arrivals += problem.arrival[i]
    for n in range(n_slices):
        root, work, own = 0.0, 0.0, 0.0
        for i in range(price.size):
            if place[i] == n:
                root += problem.work_root[i, n]
                work += problem.work[i, n]
                own += problem.arrival[i] * problem.work[i, n]
        load = arrivals * work if problem.shared_queue else own
        rho = root / (problem.capacity[n * n_nodes + j] - load)
        scratch.rho[0, n] = rho
        steepness += rho * rho * work
    scratch.reference[0, 0], scratch.reference[0, 1] = arrivals, steepness


@outlined
def search_many(problem, j, alone, price, offer, scratch, best, allowed, tolerance, most_parts, deadline):  # fmt: skip
    """An upper bound of the largest gain: no more than ``allowed`` or the gain of ``offer``, unless parts ran out."""
    open_root(problem, j, alone, price, offer.place, scratch)
    depth, parts, is_new = 0, 0, True
    while depth >= 0:
        if is_new:
            best = bound_part(problem, j, price, offer, scratch, depth, best)
            parts, is_new = parts + 1, False
        least = max(best, allowed) + tolerance
        branch = scratch.branch[depth]
        if branch[CHILDREN] == 2 or branch[DEVICE] == NONE or scratch.reach[depth] <= least:
            depth -= 1
            continue
        late = (parts & 63) == 0 and now_ns() > deadline
        if late or parts >= most_parts or depth + 1 == MOST_DEPTH:
            for d in range(depth + 1):
                if scratch.branch[d, CHILDREN] < 2:
                    least = max(least, scratch.reach[d])
            return least
        for i in range(price.size):
            scratch.open[depth + 1, i] = scratch.open[depth, i]
        bit = branch[OPTION] if branch[OPTION] != NONE else problem.work.shape[1]
        if branch[CHILDREN] == 0:
            scratch.open[depth + 1, branch[DEVICE]] = 1 << bit
        else:
            scratch.open[depth + 1, branch[DEVICE]] &= ~(1 << bit)
        branch[CHILDREN] += 1
        depth, is_new = depth + 1, True
    return max(best, allowed) + tolerance
