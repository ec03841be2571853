"""Training of the size-free network on labels, on the expected cost without labels, or on both in turn."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from slicewright.learning.common.batching import similar_sizes
from slicewright.learning.common.training import Schedule, Task, fit
from slicewright.learning.slicing.batches import network_key
from slicewright.learning.slicing.networks.bipartite import Bipartite, BipartiteDesign, BipartiteLoss
from slicewright.learning.slicing.size_free.network_items import collate_networks, network_item
from slicewright.learning.slicing.size_free.training import VALIDATION_PART
from slicewright.learning.slicing.solved_scenarios import Solved
from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.plan import Plan
from slicewright.slicing.shares import Shares


def unlabelled(scenario: Scenario) -> Solved:
    """A scenario as training takes it, with everybody local in place of a label.

    The expected cost is compared with the cost of that: its logarithm only shifts the loss, so nothing of an optimum
    is told.
    """
    decisions, shares = Decisions.all_local(scenario.n_devices), Shares.none(scenario)
    return Solved(scenario, decisions, shares, Plan(scenario, decisions, shares).cost_s)


def train_on(
    labelled: Sequence[Solved],
    free: Sequence[Solved],
    *,
    imitate: Schedule,
    descend: Schedule,
    design: BipartiteDesign | None = None,
) -> Bipartite:
    """Imitate labels where there are any, then lower the expected cost of scenarios without labels where there are any.

    Args:
        labelled: solved scenarios.
        free: scenarios of :func:`unlabelled`.
        imitate, descend: schedules of the two; the seed of the first fixes the weights.
        design: widths.
    """
    torch.manual_seed(imitate.seed)
    model = Bipartite(design or BipartiteDesign())
    for given, schedule, loss in (
        (labelled, imitate, BipartiteLoss(imitation=1.0, cost=0.0)),
        (free, descend, BipartiteLoss(imitation=0.0, cost=1.0)),
    ):
        if not given:
            continue
        items = [network_item(x) for x in given]
        order = torch.randperm(len(items), generator=torch.Generator().manual_seed(schedule.seed)).tolist()
        held = max(1, int(VALIDATION_PART * len(items)))
        valid, learn = [items[i] for i in order[:held]], [items[i] for i in order[held:]]
        task = Task(model, loss, collate_networks, similar_sizes(lambda item: network_key(item[0])))
        fit(task, learn, valid, schedule=schedule)
    return model.eval()
