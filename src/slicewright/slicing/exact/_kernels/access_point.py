"""The most profitable set of devices for an access point: exact, by a tangent and the few sets near it.

The gain of a set S is the sum of its prices less Q^2, Q = sum of sqrt(T). With the tangent Q^2 = 2 rho Q - rho^2 +
(Q - rho)^2 every set falls short of the bound by the reduced costs |price - 2 rho sqrt(T)| of the devices in which
it differs from the cheapest, plus (Q - rho)^2. Only sets whose reduced costs stay within the gap are looked at.
"""

from __future__ import annotations

from slicewright.compiled import outlined
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.exact._kernels.sets import NONE, sort_items

MOST_SETS = 20_000


# Over 60 lines: the prefix, its bound and the search of the sets near it share a handful of sums.
@outlined
def price_access_point(problem, links, price, offer, scratch, tolerance):
    """Largest sum of prices - (sum of sqrt T)^2 over the devices with a link in ``links`` ((I,), or LOCAL)."""
    root, key, device, flips = problem.link_root, scratch.key, scratch.device, scratch.slack
    place = offer.place
    count = 0
    for i in range(price.size):
        place[i] = NONE
        if links[i] != LOCAL and price[i] > root[links[i]] * root[links[i]]:
            device[count], key[count] = i, -price[i] / root[links[i]]
            count += 1
    offer.cost[0] = 0.0
    if count == 0:
        return 0.0
    sort_items(scratch, count)
    total, paid, taken, rho = 0.0, 0.0, 0, 0.0
    while taken < count:
        t = root[links[device[taken]]]
        if 2.0 * (total + t) > -key[taken]:  # the whole device is too much
            rho = max(total, -0.5 * key[taken])
            break
        total += t
        paid += price[device[taken]]
        taken += 1
        rho = total
    for k in range(taken):
        place[device[k]] = 0
    best = paid - total * total  # gain of the prefix
    bound = rho * rho
    for k in range(count):
        i = device[k]
        flips[k] = root[links[i]] if k >= taken else -root[links[i]]
        bound += max(0.0, price[i] - 2.0 * rho * root[links[i]])
    # Every other set flips some devices of the prefix; flips of reduced costs beyond the gap cannot pay.
    near = 0
    for k in range(count):
        i = device[k]
        reduced = abs(price[i] - 2.0 * rho * root[links[i]])
        if reduced < bound - best - tolerance:
            key[near], device[near], flips[near] = reduced, i, flips[k]
            near += 1
    count = near
    sort_items(scratch, count)
    stack, spent, sums = scratch.stack, scratch.paid, scratch.sums
    depth, steps, winner = 0, 0, 0
    stack[0], spent[0], sums[0, 0], sums[1, 0] = -1, 0.0, total, paid
    while depth >= 0:
        stack[depth] += 1
        k = stack[depth]
        if k >= count or spent[depth] + key[k] >= bound - best - tolerance:
            depth -= 1
            continue
        i = device[k]
        depth += 1
        stack[depth] = k
        spent[depth] = spent[depth - 1] + key[k]
        sums[0, depth] = sums[0, depth - 1] + flips[k]
        sums[1, depth] = sums[1, depth - 1] + (price[i] if flips[k] > 0.0 else -price[i])
        gain = sums[1, depth] - sums[0, depth] * sums[0, depth]
        if gain > best:
            best, winner = gain, depth
            for p in range(depth):
                scratch.chosen[p] = stack[p]
        steps += 1
        if steps > MOST_SETS:
            break
    for p in range(winner):
        k = scratch.chosen[p]
        place[device[k]] = 0 if flips[k] > 0.0 else NONE
    total = 0.0
    for i in range(price.size):
        if place[i] != NONE:
            total += root[links[i]]
    offer.cost[0] = total * total
    return bound if depth >= 0 else min(bound, best + tolerance)
