"""A lower bound by splitting every task into copies, one per node it may use, priced by fees.

A task that uses node j in a way that bears at most ``limit`` there pays the fee of that limit's class; the
node collects the fees of the tasks it chooses. With the fees fixed the two sides separate: each task takes
its cheapest option, each node picks a level, serves only tasks whose limit is at least that level, and of
those the ones that pay most, up to an arrival rate of the level. For equal arrival rates that is the
convex hull of what the node can do, so the bound is far above the linear relaxation. For unequal rates the
last task is taken in part, which can only lower the bound. Fees rise where more copies pay than are served
and fall where fewer do: a deflected subgradient with Polyak's step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slicewright.compiled import inlined, kernel, now_ns, outlined
from slicewright.placement._kernels.ascent import next_direction, next_scale
from slicewright.placement._kernels.earnings import CLASSES, LEVELS, earn_at_levels, new_earnings
from slicewright.placement._kernels.problem import REJECTED

MEMORY = 0.8  # of the last direction in the next
NOTICED = 1e-5  # relative: a bound that is better by this much
PATIENCE = 10  # iterations without a better bound before the step shrinks
SMALLEST_STEP = 0.01
NOISE = 1e-9  # 1/s relative: limits this near count as equal


class Copies(NamedTuple):
    """Classes of limits and levels of nodes."""

    label: Any  # (K, C, 2) int64, class of either side of a candidate
    classes: Any  # (K, J + 1) int64
    rank: Any  # (K, J + 1, CLASSES) int64, the highest level of the node that the class bears
    levels: Any  # (J,) int64
    floor: Any  # (J, LEVELS) 1/s, the least limit that a level serves, ascending
    capacity: Any  # (J, LEVELS) 1/s, what may arrive at a level, ascending


class Work(NamedTuple):
    """Working arrays, allocated once; the order outlives a call, and is nearly right for fees that changed a little."""

    order: Any  # (J, K * CLASSES) int64, items (task * CLASSES + class) by falling fee per arrival rate
    items: Any  # (J,) int64
    value: Any  # (K * CLASSES,)
    stamp: Any  # (K,) int64, the last count under which a task was taken
    counter: Any  # (1,) int64
    last: Any  # (J,) int64, the level chosen last time, -1 for none
    earnings: Any  # of one node at a time


@kernel
def usable_limits(problem):
    """(K, C, 2) 1/s. Limits, cut to what can arrive and, for equal rates, to whole numbers of tasks."""
    rate, most = problem.arrival[0], problem.arrival.sum()
    equal = (problem.arrival == rate).all()
    usable = np.empty(problem.limit.shape)
    for k in range(problem.count.size):
        for c in range(problem.count[k]):
            for side in range(2):
                limit = min(problem.limit[k, c, side], most)
                usable[k, c, side] = rate * np.floor(limit / rate * (1.0 + NOISE)) if equal else limit
    return usable


@kernel
def make_copies(problem, limit):
    """Sort out classes and levels; ``limit`` is that of :func:`usable_limits`."""
    n_tasks, nodes = problem.count.size, problem.n_nodes
    label = np.zeros(limit.shape, dtype=np.int64)
    classes = np.zeros((n_tasks, nodes + 1), dtype=np.int64)
    top = np.zeros((n_tasks, nodes + 1, CLASSES))
    for k in range(n_tasks):
        for c in range(problem.count[k]):
            for side in range(2):
                j = problem.node[k, c, side]
                if j < nodes:
                    label[k, c, side] = classify(classes, top, limit[k, c, side], k, j)
    rank = np.zeros((n_tasks, nodes + 1, CLASSES), dtype=np.int64)
    levels = np.zeros(nodes, dtype=np.int64)
    floor, capacity = np.zeros((nodes, LEVELS)), np.zeros((nodes, LEVELS))
    values = np.empty(n_tasks * CLASSES)
    for j in range(nodes):
        n = 0
        for k in range(n_tasks):
            for q in range(classes[k, j]):
                values[n] = top[k, j, q]
                n += 1
        distinct = sort_distinct(values[:n])
        count = distinct.size
        group = max(1, (count + LEVELS - 1) // LEVELS)
        at = 0
        while at < count:
            end = min(at + group, count)
            floor[j, levels[j]], capacity[j, levels[j]] = distinct[at], distinct[end - 1]
            levels[j] += 1
            at = end
        for k in range(n_tasks):
            for q in range(classes[k, j]):
                rank[k, j, q] = last_at_most(floor, levels, top[k, j, q], j)
    return Copies(label, classes, rank, levels, floor, capacity)


@inlined
def last_at_most(floor, levels, limit, j):
    """The highest level of node j that a limit bears."""
    low, high = 0, levels[j]
    while high - low > 1:
        middle = (low + high) // 2
        if floor[j, middle] <= limit:
            low = middle
        else:
            high = middle
    return low


@kernel
def sort_distinct(values):
    """(n,) ascending, without repetitions."""
    ordered = np.sort(values)
    count = 0
    for value in ordered:
        if count == 0 or ordered[count - 1] != value:
            ordered[count] = value
            count += 1
    return ordered[:count]


@outlined
def classify(classes, top, limit, k, j):
    """The class of a limit of task k at node j, a new one while there is room."""
    for q in range(classes[k, j]):
        if abs(top[k, j, q] - limit) <= NOISE * limit:
            top[k, j, q] = max(top[k, j, q], limit)
            return q
    if classes[k, j] < CLASSES:
        classes[k, j] += 1
        top[k, j, classes[k, j] - 1] = limit
    else:
        top[k, j, CLASSES - 1] = max(top[k, j, CLASSES - 1], limit)
    return classes[k, j] - 1


@outlined
def sort_items(problem, fee, work, j):
    """Items of node j by falling fee per arrival rate; returns how many pay, and those stand in front."""
    order, value = work.order[j], work.value
    paying = 0
    for i in range(work.items[j]):
        item = order[i]
        k, q = item // CLASSES, item % CLASSES
        value[item] = fee[k, j, q] / problem.arrival[k]
        if value[item] > 0.0:
            order[i], order[paying] = order[paying], item
            paying += 1
    sort_falling(order, value, paying)
    return paying


@outlined
def sort_falling(order, value, count):
    """The first ``count`` items of ``order`` by falling value: Shell's sort, quick where they nearly are."""
    gap = 1
    while 9 * gap < 2 * count:
        gap = (9 * gap + 9) // 4
    while gap > 0:
        for i in range(gap, count):
            item, at = order[i], i - gap
            key = value[item]
            while at >= 0 and value[order[at]] < key:
                order[at + gap] = order[at]
                at -= gap
            order[at + gap] = item
        gap = (4 * gap - 5) // 9 if gap > 1 else 0


@inlined
def counts_at(copies, stamp, counter, j, level, k, q):
    """Whether class q of task k may use node j at a level and the task was not counted yet; from now on it is."""
    if copies.rank[k, j, q] < level or stamp[k] == counter[0]:
        return False
    stamp[k] = counter[0]
    return True


@outlined
def serve(problem, copies, work, j, level, paying, direction):
    """Take the shares that node j serves at a level off ``direction``."""
    room = copies.capacity[j, level]
    work.counter[0] += 1
    for i in range(paying):
        item = work.order[j, i]
        k, q = item // CLASSES, item % CLASSES
        if not counts_at(copies, work.stamp, work.counter, j, level, k, q):
            continue
        share = 1.0
        if problem.arrival[k] > room * (1.0 + NOISE):
            share = room / problem.arrival[k]
        room -= share * problem.arrival[k]
        direction[k, j, q] -= share
        if share < 1.0 or room <= 0.0:
            break


@outlined
def ask_levels(problem, copies, work, j, paying):
    """Note in ``work`` what node j earns at each level, and at which most: (that, how far rounding reaches)."""
    earnings, levels = work.earnings, copies.levels[j]
    slack = earn_at_levels(
        copies.rank,
        problem.arrival,
        copies.capacity[j],
        levels,
        work.order[j],
        work.value,
        paying,
        j,
        earnings,
    )
    best, work.last[j] = 0.0, -1
    for level in range(levels):
        if earnings.earned[level] > best:
            best, work.last[j] = earnings.earned[level], level
    return best, slack


@inlined
def cheapest(problem, copies, fee, k):
    """The option of task k that costs least with its fees: (cost, candidate)."""
    best, choice = problem.rejection[k], REJECTED
    for c in range(problem.count[k]):
        if problem.cost[k, c] >= best:
            break
        first = fee[k, problem.node[k, c, 0], copies.label[k, c, 0]]
        cost = problem.cost[k, c] + first + fee[k, problem.node[k, c, 1], copies.label[k, c, 1]]
        if cost < best:
            best, choice = cost, c
    return best, choice


@outlined
def evaluate(problem, copies, fee, work, direction):
    """The bound of the given fees; ``direction`` receives a supergradient."""
    bound = 0.0
    for k in range(problem.count.size):
        for j in range(problem.n_nodes):
            for q in range(copies.classes[k, j]):
                direction[k, j, q] = 0.0
        cost, c = cheapest(problem, copies, fee, k)
        bound += cost
        if c != REJECTED:
            for side in range(2):
                direction[k, problem.node[k, c, side], copies.label[k, c, side]] += 1.0
    for j in range(problem.n_nodes):
        paying = sort_items(problem, fee, work, j)
        earned, slack = ask_levels(problem, copies, work, j, paying)
        bound -= earned + slack
        if work.last[j] >= 0:
            serve(problem, copies, work, j, work.last[j], paying, direction)
    return bound


@outlined
def ascend(problem, copies, fee, direction, previous, ahead):
    """Move the fees by a Polyak step towards ``ahead`` more bound; False if there is nowhere to go."""
    norm = 0.0
    for k in range(problem.count.size):
        for j in range(problem.n_nodes):
            for q in range(copies.classes[k, j]):
                d = next_direction(direction[k, j, q], previous[k, j, q], fee[k, j, q], MEMORY)
                previous[k, j, q] = d
                norm += d * d
    if norm <= 0.0:
        return False
    step = ahead / norm
    for k in range(problem.count.size):
        for j in range(problem.n_nodes):
            for q in range(copies.classes[k, j]):
                fee[k, j, q] = max(0.0, fee[k, j, q] + step * previous[k, j, q])
    return True


@kernel
def price(problem, copies, work, start, target, step, iterations, deadline):
    """Raise the bound until it meets ``target``, the steps get small, or iterations or time (ns) run out.

    Begins with the fees ``start`` and with the part ``step`` of Polyak's step. Returns the bound and the fees
    (K, J + 1, CLASSES) that prove it.
    """
    shape = copies.rank.shape
    fee, best_fee = start.copy(), start.copy()
    direction, previous = np.zeros(shape), np.zeros(shape)
    best, scale, waiting = -np.inf, step, 0
    for _ in range(iterations):
        bound = evaluate(problem, copies, fee, work, direction)
        scale, waiting = next_scale(bound, best, NOTICED, scale, waiting, PATIENCE, SMALLEST_STEP)
        if bound > best:
            best = bound
            best_fee[:] = fee
        if scale == 0.0 or target - best <= 1e-9 * abs(target) or now_ns() >= deadline:
            break
        if not ascend(problem, copies, fee, direction, previous, scale * (target - bound)):
            break
    return best, best_fee


@kernel
def make_work(problem, copies):
    """Every node's items in the order of the tasks."""
    n_tasks, nodes = problem.count.size, problem.n_nodes
    order = np.zeros((nodes, n_tasks * CLASSES), dtype=np.int64)
    items = np.zeros(nodes, dtype=np.int64)
    for j in range(nodes):
        for k in range(n_tasks):
            for q in range(copies.classes[k, j]):
                order[j, items[j]] = k * CLASSES + q
                items[j] += 1
    return Work(
        order,
        items,
        np.zeros(n_tasks * CLASSES),
        np.zeros(n_tasks, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.full(nodes, -1),
        new_earnings(n_tasks),
    )


@kernel
def level_regrets(problem, copies, work, fee):
    """(J, LEVELS) bit hops: what the bound would rise by at least if node j had to run at each level."""
    regret = np.full(copies.floor.shape, np.inf)
    for j in range(problem.n_nodes):
        paying = sort_items(problem, fee, work, j)
        best, slack = ask_levels(problem, copies, work, j, paying)
        for level in range(copies.levels[j]):
            regret[j, level] = max(0.0, best - slack - work.earnings.earned[level])
    return regret


@kernel
def task_regrets(problem, copies, fee):
    """What the bound would rise by at least if a task had to take each candidate (K, C), or be rejected (K,)."""
    regret, rejected = np.full(problem.cost.shape, np.inf), np.empty(problem.count.size)
    for k in range(problem.count.size):
        best, _ = cheapest(problem, copies, fee, k)
        rejected[k] = problem.rejection[k] - best
        for c in range(problem.count[k]):
            cost = problem.cost[k, c]
            for side in range(2):
                cost += fee[k, problem.node[k, c, side], copies.label[k, c, side]]
            regret[k, c] = cost - best
    return regret, rejected
