"""Shapes of the networks that families of tasks are placed on: which names are linked, and how far apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from slicewright.placement.problem.topology import Link

SHAPES = ("layered", "line", "tree", "mesh")


def family_links(
    shape: str,
    *,
    lower: Sequence[str],
    upper: Sequence[str],
    mecs: Sequence[str],
    access_points: Sequence[str],
    length: float,
    mec_length: float,
) -> list[Link]:
    """The links of a network; access point i hangs on lower COIN i, counted round.

    ``layered``: upper COINs fully meshed and linked to every MEC, each lower COIN to two neighbouring upper ones.
    ``line``: all COINs in a row, the lower ones first, with the MECs behind the last.
    ``tree``: a binary tree filled from its root, the upper COINs first, with the MECs above the root.
    ``mesh``: a grid as square as can be, upper COINs spread evenly over it and each linked to every MEC.

    Args:
        shape: one of ``SHAPES``.
        lower, upper, mecs, access_points: names.
        length: of all links but those to MECs.
        mec_length: of links to MECs.
    """
    draw = {"layered": _layered, "line": _line, "tree": _tree, "mesh": _mesh}[shape]
    pairs, to_mec = draw(lower, upper)
    links = [Link(u, v, length) for u, v in pairs]
    links += [Link(u, m, mec_length) for u in to_mec for m in mecs]
    return links + [Link(lower[i % len(lower)], name, length) for i, name in enumerate(access_points)]


Pairs = list[tuple[str, str]]


def _layered(lower: Sequence[str], upper: Sequence[str]) -> tuple[Pairs, Sequence[str]]:
    pairs = [(u, v) for i, u in enumerate(upper) for v in upper[i + 1 :]]
    for i, name in enumerate(lower):
        below = i * len(upper) // len(lower)
        pairs += [(upper[g], name) for g in sorted({below, (below + 1) % len(upper)})]
    return pairs, upper


def _line(lower: Sequence[str], upper: Sequence[str]) -> tuple[Pairs, Sequence[str]]:
    row = [*lower, *upper]
    return list(pairwise(row)), row[-1:]


def _tree(lower: Sequence[str], upper: Sequence[str]) -> tuple[Pairs, Sequence[str]]:
    down = [*upper, *lower]
    return [(down[(i - 1) // 2], down[i]) for i in range(1, len(down))], down[:1]


def _mesh(lower: Sequence[str], upper: Sequence[str]) -> tuple[Pairs, Sequence[str]]:
    count = len(lower) + len(upper)
    raised = {(2 * i + 1) * count // (2 * len(upper)): name for i, name in enumerate(upper)}
    rest = iter(lower)
    cells = [raised[i] if i in raised else next(rest) for i in range(count)]
    width = math.ceil(math.sqrt(count))
    pairs = [(cells[i], cells[i + 1]) for i in range(count - 1) if (i + 1) % width]
    return pairs + [(cells[i], cells[i + width]) for i in range(count - width)], upper
