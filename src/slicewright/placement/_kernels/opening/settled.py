"""Fees to begin with where nodes have settled on levels and prices: what keeps every task where these send it.

At fixed levels one price per node solves the programme (:mod:`..grid`). Other levels need fees that are told apart: a
task pays the node's price where its level lets it in, no more than it takes to make another way as cheap as its best
one; where the level does not let it in, it pays all that is missing to that.
"""

from __future__ import annotations

import numpy as np

from slicewright.compiled import inlined, kernel


@inlined
def lets_in(problem, copies, level, k, c, side):
    """Whether the level of a node lets task k in on that side of its candidate; nowhere lets in everybody."""
    j = problem.node[k, c, side]
    return copies.rank[k, j, copies.label[k, c, side]] >= level[j]


@inlined
def divided(missing, first, second, first_open, second_open):
    """What either side pays of what a way is to pay at least, if open sides pay no more than their price."""
    if first_open and second_open:
        part = min(1.0, missing / (first + second)) if first + second > 0.0 else 0.0
        return part * first, part * second
    if first_open:
        paid = min(missing, first)
        return paid, missing - paid
    if second_open:
        paid = min(missing, second)
        return missing - paid, paid
    return 0.5 * missing, 0.5 * missing


@kernel
def fees_of_levels(problem, copies, level, price):
    """(K, J + 1, CLASSES) fees of levels (J + 1,) and prices (J + 1,), in bit hops per arrival rate, of nodes."""
    fee = np.zeros(copies.rank.shape)
    nowhere = problem.n_nodes
    for k in range(problem.count.size):
        own, best = problem.arrival[k], problem.rejection[k]
        for c in range(problem.count[k]):
            if lets_in(problem, copies, level, k, c, 0) and lets_in(problem, copies, level, k, c, 1):
                asked = price[problem.node[k, c, 0]] + price[problem.node[k, c, 1]]
                best = min(best, problem.cost[k, c] + own * asked)
        for c in range(problem.count[k]):
            missing = best - problem.cost[k, c]
            if missing <= 0.0:
                break
            a, b = problem.node[k, c, 0], problem.node[k, c, 1]
            first, second = missing, 0.0
            if b != nowhere:
                first, second = divided(
                    missing,
                    own * price[a],
                    own * price[b],
                    lets_in(problem, copies, level, k, c, 0),
                    lets_in(problem, copies, level, k, c, 1),
                )
            for side in range(2):
                j, q = problem.node[k, c, side], copies.label[k, c, side]
                paid = first if side == 0 else second
                if j != nowhere and paid > fee[k, j, q]:
                    fee[k, j, q] = paid
    return fee
