"""Parts of the search tree: what devices may still do there, and how a part is split in two."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from slicewright.slicing._kernels.bound import times_alone
from slicewright.slicing._kernels.problem import Problem
from slicewright.slicing.decisions import LOCAL
from slicewright.slicing.exact._kernels.master import Master
from slicewright.slicing.exact._kernels.pricing import Choices
from slicewright.slicing.exact._kernels.solution import weigh
from slicewright.types import FloatArray, IntArray

Kind = Literal["home", "link", "group"]
WHOLE = 1e-4
"""Weights this near to 0 or 1 count as such."""
URGENCY: dict[Kind, float] = {"home": 4.0, "link": 2.0, "group": 1.0}
"""Staying local or not decides most, then the access point."""


class Split(NamedTuple):
    """One device has to (``only``) or must not do one thing.

    Attributes:
        device: its index.
        kind: stay local, use an access point, use a group.
        what: the access point or the group; 0 for ``home``.
        only: whether it has to.
    """

    device: int
    kind: Kind
    what: int
    only: bool


class Weights(NamedTuple):
    """What a solution of the master does with each device: (I,), (A, I) and (I, N * J), in [0, 1]."""

    home: FloatArray
    link: FloatArray
    group: FloatArray


def all_choices(problem: Problem) -> Choices:
    """Everything a device could do if it were alone."""
    n_devices = problem.local_time.size
    links = np.full((problem.n_access_points, n_devices), LOCAL)
    owner = np.repeat(np.arange(n_devices), np.diff(problem.start))
    links[problem.access_point, owner] = np.arange(owner.size)
    return Choices(links, times_alone(problem), np.ones(n_devices, dtype=np.bool_))


def restricted(root: Choices, splits: tuple[Split, ...]) -> Choices:
    """The choices left after some splits."""
    links, alone, home = (array.copy() for array in root)
    for i, kind, what, only in splits:
        if kind == "home":
            if only:
                links[:, i], alone[i] = LOCAL, np.inf
            home[i] = only
            continue
        table, nothing = (links[:, i], LOCAL) if kind == "link" else (alone[i], np.inf)
        if only:
            kept = table[what]
            table[:], home[i] = nothing, False
            table[what] = kept
        else:
            table[what] = nothing
    return Choices(links, alone, home)


def choose_split(choices: Choices, weights: Weights) -> Split | None:
    """The most undecided choice; where all weights are whole, any choice that is left; else nothing."""
    may_leave = _may_leave(choices)
    open_home = (choices.home & may_leave)[None]
    open_link, open_group = choices.links != LOCAL, np.isfinite(choices.alone).T
    best, found = WHOLE, None
    tables: tuple[tuple[Kind, FloatArray, np.ndarray], ...] = (
        ("home", weights.home[None], open_home),
        ("link", weights.link, open_link),
        ("group", weights.group.T, open_group),
    )
    for kind, weight, is_open in tables:
        score = np.where(is_open, URGENCY[kind] * np.minimum(weight, 1.0 - weight), 0.0)
        what, device = np.unravel_index(int(np.argmax(score)), score.shape)
        if score[what, device] > best:
            best, found = float(score[what, device]), Split(int(device), kind, int(what), True)
    if found is not None:
        return found
    several: tuple[tuple[Kind, np.ndarray], ...] = (
        ("home", open_home),
        ("link", open_link & (open_link.sum(axis=0) > 1) & may_leave),
        ("group", open_group & (open_group.sum(axis=0) > 1) & may_leave),
    )
    for kind, is_open in several:
        if is_open.any():
            what, device = np.argwhere(is_open)[0]
            return Split(int(device), kind, int(what), True)
    return None


def weights_of(problem: Problem, choices: Choices, master: Master) -> Weights:
    """The present solution of the master, by what devices do in it."""
    weights = Weights(
        np.empty(choices.home.size), np.empty(choices.links.shape), np.empty(choices.alone.shape)
    )
    weigh(problem, master, *weights)
    return weights


def rounded(choices: Choices, weights: Weights) -> tuple[IntArray, IntArray]:
    """Each device's heaviest option that is open, as (link, group)."""
    link_weight = np.where(choices.links != LOCAL, weights.link, -1.0)
    group_weight = np.where(np.isfinite(choices.alone), weights.group, -1.0)
    device = np.arange(choices.home.size)
    link = choices.links[link_weight.argmax(axis=0), device]
    group = group_weight.argmax(axis=1)
    stays = (choices.home & (weights.home >= 0.5)) | ~_may_leave(choices)
    return np.where(stays, LOCAL, link), np.where(stays, LOCAL, group)


def _may_leave(choices: Choices) -> np.ndarray:
    """(I,) whether a device could offload at all."""
    return np.asarray((choices.links != LOCAL).any(axis=0) & np.isfinite(choices.alone).any(axis=1))
