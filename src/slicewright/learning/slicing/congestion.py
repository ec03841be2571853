"""What soft decisions cost: sums per access point and group, marginal costs, expected system cost (model page 1.4).

Everything is in units of the mean local time (see ``features.ScenarioInputs``) and differentiable. Soft decisions are
probabilities: ``radio_p`` (B, I, A) and ``group_p`` (B, I, N, J), both summing to the probability of offloading.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

STEEP = 0.05
"""Below this free part of a group's capacity, 1 / free continues as its tangent: finite, and still increasing."""


class PreparedBatch(NamedTuple):
    """A batch of networks with their roots taken once.

    Attributes:
        time: (B, I, A) T_ia, 1 where out of reach.
        root: (B, I, A) sqrt(T_ia), 0 where out of reach.
        reach: (B, I, A) 1 where the access point is in reach.
        load: (B, I, N, J) L_in / F_j^n, 0 where the node does not serve the slice.
        load_root: (B, I, N, J) its root.
        serves: (B, 1, N, J) 1 where the node serves the slice.
        local: (B, I) tau_i, 1 where padded.
        arrival: (B, I) alpha_i.
        shared: (B, 1, 1) 1 for queueing "node".
        mask: (B, I).
    """

    time: Tensor
    root: Tensor
    reach: Tensor
    load: Tensor
    load_root: Tensor
    serves: Tensor
    local: Tensor
    arrival: Tensor
    shared: Tensor
    mask: Tensor


class Marginals(NamedTuple):
    """What each option of each device would add to the system cost, the device itself not counted among the others.

    Attributes:
        radio: (B, I, A).
        group: (B, I, N, J).
        queue: (B, N, J) part of each group's capacity that its queue takes.
        floor: (B, N, J) part of each group's capacity that 13b asks for.
        radio_sum: (B, A) sum of sqrt(T).
    """

    radio: Tensor
    group: Tensor
    queue: Tensor
    floor: Tensor
    radio_sum: Tensor


def prepare(
    radio: Tensor,
    work: Tensor,
    capacity: Tensor,
    local: Tensor,
    arrival: Tensor,
    shared: Tensor,
    mask: Tensor,
) -> PreparedBatch:
    """Inputs of the size-free network as :class:`PreparedBatch`; padding may hold anything."""
    reach = (radio > 0).to(radio.dtype) * mask.unsqueeze(-1)
    time = torch.where(reach > 0, radio, torch.ones_like(radio))
    serves = (capacity > 0).to(radio.dtype).unsqueeze(1)
    speed = torch.where(serves > 0, capacity.unsqueeze(1), torch.ones_like(serves))
    load = work.unsqueeze(-1) / speed * serves * mask[..., None, None]
    return PreparedBatch(
        time=time,
        root=time.sqrt() * reach,
        reach=reach,
        load=load,
        load_root=(load + 1e-20).sqrt() * serves * mask[..., None, None],
        serves=serves,
        local=torch.where(mask > 0, local, torch.ones_like(local)),
        arrival=arrival * mask,
        shared=shared[:, None, None],
        mask=mask,
    )


def inverse(free: Tensor) -> Tensor:
    """1 / free, continued as its tangent below :data:`STEEP`."""
    safe = free.clamp(min=STEEP)
    return 1 / safe + (safe - free) / STEEP**2


def marginals(p: PreparedBatch, radio_p: Tensor, group_p: Tensor) -> Marginals:
    """Marginal costs under soft decisions (13b not counted; model page 1.3)."""
    radio_sum = (radio_p * p.root).sum(dim=1)
    radio = p.time + 2 * p.root * (radio_sum.unsqueeze(1) - radio_p * p.root)

    arrival = p.arrival[..., None, None]
    root, load = group_p * p.load_root, group_p * p.load
    own = load * arrival
    all_root, all_load, all_own = root.sum(dim=1), load.sum(dim=1), own.sum(dim=1)
    on_node = group_p.sum(dim=2, keepdim=True) * arrival  # (B, I, 1, J)
    all_arrival = on_node.sum(dim=1)  # (B, 1, J)
    q, w, o = all_root.unsqueeze(1) - root, all_load.unsqueeze(1) - load, all_own.unsqueeze(1) - own
    rate = all_arrival.unsqueeze(1) - on_node
    shared = p.shared.unsqueeze(1)
    before = q**2 * inverse(1 - shared * rate * w - (1 - shared) * o)
    longer = q**2 * inverse(1 - shared * (rate + arrival) * w - (1 - shared) * o)
    joined = (q + p.load_root) ** 2 * inverse(
        1 - shared * (rate + arrival) * (w + p.load) - (1 - shared) * (o + arrival * p.load)
    )
    group = joined - longer + (longer - before).sum(dim=2, keepdim=True)
    queue = p.shared * all_arrival * all_load + (1 - p.shared) * all_own
    floor = (load / p.local[..., None, None]).sum(dim=1)
    return Marginals(radio, group, queue, floor, radio_sum)


def expected_cost(p: PreparedBatch, radio_p: Tensor, group_p: Tensor) -> Tensor:
    """(B,) expected system cost when every device draws its decision independently.

    Exact for radio and local; for groups the expected square of the roots over the expected free capacity. A
    multilinear function is smallest at a vertex, so its descent ends in decisions, unlike the convex relaxation's.
    """
    radio = ((radio_p * p.root).sum(dim=1) ** 2 + ((radio_p - radio_p**2) * p.root**2).sum(dim=1)).sum(dim=-1)
    square = (group_p * p.load_root).sum(dim=1) ** 2 + ((group_p - group_p**2) * p.load).sum(dim=1)
    load, arrival = group_p * p.load, p.arrival[..., None, None]
    rate = (group_p * arrival).sum(dim=(1, 2)).unsqueeze(1)
    queue = p.shared * rate * load.sum(dim=1) + (1 - p.shared) * (load * arrival).sum(dim=1)
    floor = (load / p.local[..., None, None]).sum(dim=1)
    overload = torch.relu(queue + floor - 1)  # 13b out of reach: a price, not a wall
    group = square * inverse(1 - queue) + overload
    local = ((1 - radio_p.sum(dim=-1)) * p.local * p.mask).sum(dim=-1)
    return radio + group.sum(dim=(1, 2)) + local
