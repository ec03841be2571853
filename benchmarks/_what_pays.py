"""Which parts of the size-free network pay: rounds, learning, decoding, losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

import slicewright as sw
from slicewright.models.slicing.decoding import decode_soft, most_probable, repaired, soft_choices
from slicewright.models.slicing.session import load_model

Soft = tuple[np.ndarray, np.ndarray]


def print_decodings(scenarios: Sequence[sw.Scenario], best: np.ndarray) -> None:
    """Raw gap by decoding, for the shipped network and for what it is without learning."""
    import torch

    from slicewright.learning.slicing.networks.bipartite import Bipartite, BipartiteDesign
    from slicewright.learning.slicing.scoring import soft_decisions

    shipped, published = load_model("bipartite"), load_model("deepsets-s")
    plain = Bipartite(BipartiteDesign(**shipped.card.settings["design"])).eval()
    with torch.no_grad():
        for name, weight in plain.named_parameters():
            if not name.endswith(("sharpness", "step")):
                weight.zero_()
    sources: dict[str, Callable[[sw.Scenario], Soft]] = {
        "bipartite, as shipped": lambda s: _pair(shipped.run(s)),
        "deepsets-s": lambda s: soft_choices(s, published.run(s)[0]),
        "bipartite without learning": lambda s: soft_decisions(plain, s),
        "nothing expected of others": _nothing,
    }
    counts = (1, 8, 32)
    print("\nraw gap by decoding, %: mean (p95); each device by itself, or in order of certainty")
    heads = "".join(f"{f'best of {k}':>18s}" for k in counts)
    print(f"{'soft decisions':30s} {'most probable':>18s}{heads}")
    for name, source in sources.items():
        soft = [source(s) for s in scenarios]
        cells = [_cell(scenarios, best, lambda s, x: most_probable(s, *x), soft)]
        for k in counts:
            cells.append(_cell(scenarios, best, partial(_decoded, count=k), soft))
        print(f"{name:30s}" + "".join(f"{cell:>18s}" for cell in cells))


def print_losses(labels: int, *, epochs: int) -> None:
    """Labels, expected cost without labels, and labels then cost, at equal numbers of epochs."""
    from slicewright.learning.common.batching import similar_sizes
    from slicewright.learning.common.training import Schedule, Task, fit
    from slicewright.learning.slicing.batches import network_key
    from slicewright.learning.slicing.networks.bipartite import Bipartite, BipartiteDesign, BipartiteLoss
    from slicewright.learning.slicing.scoring import decoded, score, test_set
    from slicewright.learning.slicing.scoring import most_probable as alone_decoded
    from slicewright.learning.slicing.size_free.network_items import collate_networks, network_item
    from slicewright.learning.slicing.solved_scenarios import draw, solve

    items = [network_item(x) for x in solve(draw("paper", labels))]
    test = test_set(60, rounds=2000)
    imitate, descend = BipartiteLoss(imitation=1.0), BipartiteLoss(imitation=0.0, cost=1.0)
    half = max(1, epochs // 2)
    plans = {
        "labels only": [(imitate, epochs)],
        "expected cost only (no labels)": [(descend, epochs)],
        "labels, then cost": [(imitate, half), (descend, epochs - half)],
    }
    print(f"\nwhat the losses are worth: {labels} scenarios, {epochs} epochs each")
    heads = f"{'local/offload':>14s} {'most probable':>14s} {'decoded once':>13s} {'best of 32':>11s}"
    print(f"{'trained on':32s} {heads}")
    for name, stages in plans.items():
        model = Bipartite(BipartiteDesign())
        for stage, (loss, count) in enumerate(stages):
            schedule = Schedule(epochs=count, learning_rate=5e-3 if stage == 0 else 1e-3)
            task = Task(model, loss, collate_networks, similar_sizes(lambda item: network_key(item[0])))
            fit(task, items[labels // 10 :], items[: labels // 10], schedule=schedule)
        alone, once, many = (
            score(how, test) for how in (alone_decoded(model), decoded(model, 1), decoded(model, 32))
        )
        print(
            f"{name:32s} {alone['acc_bin']:14.4f} {alone['gap_mean_%']:13.3f}% {once['gap_mean_%']:12.3f}% "
            f"{many['gap_mean_%']:10.3f}%"
        )


def _pair(answers: Sequence[np.ndarray]) -> Soft:
    radio_p, group_p = answers
    return radio_p, group_p


def _nothing(scenario: sw.Scenario) -> Soft:
    """No expectation: each device decides on what is decided already."""
    groups = (scenario.n_devices, scenario.n_slices, scenario.n_nodes)
    return np.zeros((scenario.n_devices, scenario.n_access_points)), np.zeros(groups)


def _decoded(scenario: sw.Scenario, soft: Soft, count: int) -> sw.Decisions:
    return decode_soft(scenario, *soft, count=count)


def _cell(
    scenarios: Sequence[sw.Scenario],
    best: np.ndarray,
    decode: Callable[[sw.Scenario, Soft], sw.Decisions],
    soft: Sequence[Soft],
) -> str:
    costs = [
        sw.Plan(s, *repaired(s, decode(s, x)), method="decoded").cost_s
        for s, x in zip(scenarios, soft, strict=True)
    ]
    gap = 100 * (np.array(costs) / best - 1)
    return f"{gap.mean():.3f} ({np.quantile(gap, 0.95):.2f})"
