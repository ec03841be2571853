"""The size-free network: tasks on one side, nodes on the other, fees for queues in between. Needs torch.

Every round computes the queues that the current soft assignment causes, hears from each node what its expected users
need, lets each node answer with a state, and turns the state into a fee per task and node. Costs, fees and what is
left of the limits give the next soft assignment. No width depends on the number of tasks, nodes or options.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

PAIR, TASK, NODE = 4, 4, 2
LATE = 1e-4
"""Slack below which the penalty of a limit is taken; smooths nothing, avoids log of zero."""


@dataclass(frozen=True)
class QueueDesign:
    """Widths: of the states, and how many rounds."""

    width: int = 24
    rounds: int = 4


class Round(nn.Module):
    """One exchange between tasks and nodes."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hear = nn.Linear(2, width)
        self.answer = nn.Linear(2 * width + 1, width)
        self.update = nn.Linear(width, width)
        self.fee = nn.Linear(width, 1, bias=False)
        self.weights = nn.Parameter(torch.tensor([2.0, 1.0, 3.0, 0.0]))

    def forward(
        self, base: Tensor, state: Tensor, use: Tensor, load: Tensor, per_node: Tensor
    ) -> tuple[Tensor, Tensor]:
        """New node state (B, J, H) and fees (B, K, J).

        Args:
            base: (B, K, J, H) what is known of each task at each node.
            state: (B, J, H) of the nodes.
            use: (B, K, J) probability that a task uses a node.
            load: (B, J) expected arrivals over an even load.
            per_node: (B, 1, 1) nodes over twice the tasks: makes sums over tasks free of both counts.
        """
        seen = torch.stack([use, load[:, None].expand_as(use)], dim=-1)
        near = base + self.hear(seen)
        heard = torch.einsum("bkj,bkjh->bjh", use * per_node, torch.relu(near + state[:, None]))
        told = torch.cat([heard, state, load[..., None]], dim=-1)
        state = state + self.update(torch.relu(self.answer(told)))
        return state, self.fee(torch.relu(near + state[:, None])).squeeze(-1)


class QueueNetwork(nn.Module):
    """Soft assignment -> Lambda per node against its limits -> fees -> corrected softmax, a few times."""

    def __init__(self, design: QueueDesign) -> None:
        super().__init__()
        self.design = design
        self.pair, self.task, self.node = (nn.Linear(n, design.width) for n in (PAIR, TASK, NODE))
        self.rounds = nn.ModuleList([Round(design.width) for _ in range(design.rounds)])
        self.sharpness = nn.Parameter(torch.tensor(3.0))

    def forward(
        self,
        cost: Tensor,
        limit: Tensor,
        pair: Tensor,
        task: Tensor,
        node: Tensor,
        first: Tensor,
        second: Tensor,
        mask: Tensor,
    ) -> Tensor:
        """(B, K, O) log-probabilities of the options after the last round.

        Args as :class:`slicewright.learning.placement.network_inputs.NetworkInputs` with a batch axis, except that
        ``first`` and ``second`` are shared; ``mask`` (B, K) is 0 for padded tasks, which change nothing.
        """
        return self.trace(cost, limit, pair, task, node, first, second, mask)[-1]

    def trace(
        self,
        cost: Tensor,
        limit: Tensor,
        pair: Tensor,
        task: Tensor,
        node: Tensor,
        first: Tensor,
        second: Tensor,
        mask: Tensor,
    ) -> list[Tensor]:
        """Log-probabilities after every round, the last first axis free of meaning: one entry per round."""
        both = first + second
        base = self.pair(pair) + self.task(task)[:, :, None] + self.node(node)[:, None]
        count = mask.sum(dim=1)
        per_node = (node.shape[1] / (2.0 * count))[:, None, None]
        rate = task[:, :, 3] * mask
        chance = torch.softmax(-self.sharpness * cost, dim=-1) * mask[..., None]
        state = torch.zeros_like(base[:, 0])
        answers = []
        for step in self.rounds:
            use = chance @ both
            load = torch.einsum("bk,bkj->bj", rate, use) * per_node[:, 0]
            state, fee = step(base, state, use, load, per_node)
            room = torch.minimum(
                limit[..., 0] - (load @ first.T)[:, None], limit[..., 1] - (load @ second.T)[:, None]
            )
            w = step.weights
            late = softplus(-w[2] * room + w[3])
            logits = -softplus(w[0]) * cost - fee @ both.T - softplus(w[1]) * late
            answers.append(torch.log_softmax(logits, dim=-1))
            chance = torch.exp(answers[-1]) * mask[..., None]
        return answers
