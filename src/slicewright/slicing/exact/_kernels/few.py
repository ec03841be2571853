"""The most profitable set of a node that serves few devices at a time: depth-first search over sets."""

from __future__ import annotations

from slicewright.compiled import inlined, outlined
from slicewright.slicing.exact._kernels.sets import (
    change,
    clear,
    copy_sums,
    keep_if_better,
    sort_items,
    value_at,
)

MOST_SETS = 500


@inlined
def promised(problem, j, alone, price, sums, depth, i):
    """At most what device i adds to the gain of the set at ``depth``; the longer queue of other slices not counted."""
    n_slices = problem.work.shape[1]
    alpha = problem.arrival[i]
    most = 0.0
    for n in range(n_slices):
        g = n * problem.n_nodes + j
        if alone[i, g] < price[i]:
            q, size = sums[n, depth], problem.capacity[g]
            if problem.shared_queue:
                arrivals, work = sums[3 * n_slices, depth], sums[n_slices + n, depth]
                before = size - arrivals * work
                after = size - (arrivals + alpha) * (work + problem.work[i, n])
            else:
                before = size - sums[2 * n_slices + n, depth]
                after = before - alpha * problem.work[i, n]
            if after > 0.0:
                more = q + problem.work_root[i, n]
                most = max(most, price[i] - more * more / after + q * q / before)
    return most


@outlined
def search_few(problem, j, alone, price, offer, scratch, best, tolerance):
    """An upper bound of the largest gain, exact unless there are too many sets; ``offer`` is improved.

    Cost without 13b is a function of sums (of roots, work, arrivals) whose second derivatives are all positive, so
    what a device adds to it only grows with the set: the gains that devices promise now bound what they bring
    later. A device that does not pay now is left out for good. That stays right under 13b: floors leave less to
    the others, which makes it dearer for them to give up capacity to a newcomer.
    """
    n_slices = problem.work.shape[1]
    key, device, stack, sums = scratch.key, scratch.device, scratch.stack, scratch.sums
    most, values = scratch.paid, scratch.slack  # by depth: bound of the gain, gain without 13b
    for row in range(sums.shape[0]):
        sums[row, 0] = 0.0
    count = 0
    for i in range(price.size):
        gain = promised(problem, j, alone, price, sums, 0, i)
        if gain > 0.0:
            device[count], key[count] = i, -gain
            count += 1
    sort_items(scratch, count)
    most[0] = 0.0
    for k in range(count):
        most[0] -= key[k]
    depth, steps = 0, 0
    stack[0], values[0] = -1, 0.0
    top = most[0]
    while depth >= 0:
        stack[depth] += 1
        option = stack[depth]
        if depth == count or option > n_slices or most[depth] <= best + tolerance:
            depth -= 1
            continue
        i = device[depth]
        copy_sums(sums, depth, depth + 1)
        if option == n_slices:
            values[depth + 1] = values[depth]
            most[depth + 1] = most[depth] - promised(problem, j, alone, price, sums, depth, i)
        else:
            if alone[i, option * problem.n_nodes + j] >= price[i]:
                continue
            change(problem, price, sums, depth + 1, i, option, 1.0)
            value = value_at(problem, j, sums, depth + 1)
            if value <= values[depth]:
                continue
            steps += 1
            if steps > MOST_SETS:
                return max(top, best)
            if value > best:
                clear(scratch.trial)
                for p in range(depth + 1):
                    if stack[p] < n_slices:
                        scratch.trial[device[p]] = stack[p]
                best = keep_if_better(problem, j, price, scratch.trial, offer, best)
            reach = value
            for k in range(depth + 1, count):
                reach += promised(problem, j, alone, price, sums, depth + 1, device[k])
            values[depth + 1], most[depth + 1] = value, reach
        depth += 1
        stack[depth] = -1
    return best + tolerance
