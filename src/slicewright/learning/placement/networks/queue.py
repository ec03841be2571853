"""The size-free network: tasks on one side, nodes on the other, fees for queues in between. Needs torch.

Every round computes the queues that the current soft assignment causes, hears from each node what its expected users
need, lets each node answer with a state, and turns the state into a fee per task and node. Costs, fees and what is
left of the limits give the next soft assignment. No width depends on the number of tasks, nodes or options.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

PAIR, TASK, NODE = 4, 4, 2


@dataclass(frozen=True)
class QueueDesign:
    """Widths: of the states, and how many rounds."""

    width: int = 24
    rounds: int = 4


class QueueTensors(NamedTuple):
    """B problems as the network reads them.

    Attributes:
        cost, limit, pair, task, node: as in :class:`slicewright.models.placement.queue_inputs.QueueInputs`, with a
            leading batch axis.
        first, second: likewise, shared by all problems of a batch.
        mask: (B, K) 0 for padded tasks, which change nothing.
    """

    cost: Tensor
    limit: Tensor
    pair: Tensor
    task: Tensor
    node: Tensor
    first: Tensor
    second: Tensor
    mask: Tensor


class Round(nn.Module):
    """One exchange between tasks and nodes."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.used = nn.Parameter(torch.randn(width) / width**0.5)
        self.loaded = nn.Linear(1, width)
        self.answer = nn.Linear(2 * width + 1, width)
        self.update = nn.Linear(width, width)
        self.price = nn.Linear(width, width)
        self.weights = nn.Parameter(torch.tensor([2.0, 0.5, 1.0]))

    def forward(
        self, base: Tensor, state: Tensor, use: Tensor, load: Tensor, per_node: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """New node state (B, J, H), fees (B, K, J), and the weights of cost, of spare room, of lateness (3,).

        Args:
            base: (B, J, K, H) what is known of each task at each node.
            state: (B, J, H) of the nodes.
            use: (B, J, K) probability that a task uses a node; 0 for padded tasks.
            load: (B, J, 1) expected arrivals over an even load.
            per_node: (B, 1, 1) nodes over twice the tasks: makes sums over tasks free of both counts.
        """
        at_node = state + self.loaded(load)
        hidden = torch.relu(base + use[..., None] * self.used + at_node[:, :, None])
        heard = ((use * per_node)[:, :, None] @ hidden)[:, :, 0]
        told = torch.cat([heard, state, load], dim=-1)
        state = state + self.update(torch.relu(self.answer(told)))
        fee = (hidden @ self.price(state)[..., None])[..., 0]
        return state, fee.transpose(1, 2), softplus(self.weights)


class QueueNetwork(nn.Module):
    """Soft assignment -> Lambda per node against its limits -> fees -> corrected softmax, a few times."""

    def __init__(self, design: QueueDesign) -> None:
        super().__init__()
        self.design = design
        self.pair, self.task, self.node = (nn.Linear(n, design.width) for n in (PAIR, TASK, NODE))
        self.rounds = nn.ModuleList([Round(design.width) for _ in range(design.rounds)])
        self.sharpness = nn.Parameter(torch.tensor(3.0))

    def forward(self, *tensors: Tensor) -> Tensor:
        """(B, K, O) log-probabilities of the options after the last round, from the fields of :class:`QueueTensors`."""
        return torch.log_softmax(self.trace(QueueTensors(*tensors))[-1], dim=-1)

    def trace(self, tensors: QueueTensors) -> list[Tensor]:
        """Logits after every round, each (B, K, O)."""
        cost, limit, pair, task, node, first, second, mask = tensors
        both = first + second
        at_task = (self.task(task) + self.pair.bias)[:, None]
        base = pair.transpose(1, 2) @ self.pair.weight.T + at_task + self.node(node)[:, :, None]
        per_node = (node.shape[1] / (2.0 * mask.sum(dim=1)))[:, None, None]
        rate = (task[:, :, 3] * mask)[..., None] * per_node
        near, far = limit[..., 0], limit[..., 1]
        state = torch.zeros_like(base[:, :, 0])
        logits = -self.sharpness * cost
        answers = []
        for step in self.rounds:
            use = ((torch.softmax(logits, dim=-1) @ both) * mask[..., None]).transpose(1, 2)
            load = use @ rate
            state, fee, weights = step(base, state, use, load, per_node)
            room = torch.minimum(near - (first @ load).transpose(1, 2), far - (second @ load).transpose(1, 2))
            like, spare, late = weights
            logits = -like * cost - fee @ both.T - torch.relu(spare - late * room)
            answers.append(logits)
        return answers
