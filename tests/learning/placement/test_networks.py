"""What every network must be: blind to the order of tasks and to padding; dense convolution = GCNConv."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slicewright.learning.placement.solved_runs import solve_run
from slicewright.models.placement.features import (
    ALONE,
    EXECUTOR,
    INGRESS,
    NEAREST,
    SHARED,
    SPARSE,
    adjacency,
    task_rows,
)
from slicewright.models.placement.queue_inputs import queue_inputs
from slicewright.placement import Tasks, placement_preset
from slicewright.types import FloatArray
from tests.placement.problems import small_tasks

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from slicewright.learning.placement.batches import as_tensors, stack  # noqa: E402
from slicewright.learning.placement.metrics import distinct_answers  # noqa: E402
from slicewright.learning.placement.networks.classifier import Classifier, ClassifierDesign, mixing  # noqa: E402
from slicewright.learning.placement.networks.queue import QueueDesign, QueueNetwork  # noqa: E402

few = settings(max_examples=20, deadline=None)


@pytest.fixture(scope="module")
def queue_network() -> QueueNetwork:
    torch.manual_seed(0)
    return QueueNetwork(QueueDesign()).eval()


def _log_p(network: QueueNetwork, tasks: Tasks) -> FloatArray:
    with torch.no_grad():
        return np.asarray(network(*as_tensors(queue_inputs(tasks)))[0], dtype=np.float64)


@few
@given(tasks=small_tasks(most_tasks=7), shuffle=st.randoms(use_true_random=False))
def test_the_order_of_tasks_changes_nothing(
    queue_network: QueueNetwork, tasks: Tasks, shuffle: random.Random
) -> None:
    order = list(range(tasks.n_tasks))
    shuffle.shuffle(order)
    expected = _log_p(queue_network, tasks)[order]
    assert _log_p(queue_network, tasks.take(np.array(order))) == pytest.approx(expected, rel=1e-3, abs=1e-3)


@few
@given(tasks=small_tasks(most_tasks=7))
def test_probabilities_sum_to_one_and_shun_what_is_always_late(
    queue_network: QueueNetwork, tasks: Tasks
) -> None:
    chance = np.exp(_log_p(queue_network, tasks))
    assert chance.sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    limit = tasks.options.limit
    alone = np.all(limit >= tasks.arrival_rate_hz[:, None, None], axis=2)
    some = np.any(alone, axis=1)
    assert (chance[some][~alone[some]] < 1e-6).all()


def test_units_change_nothing(queue_network: QueueNetwork) -> None:
    tasks = placement_preset(tasks=12, seed=2)
    bytes_ = tasks.with_(size_bits=tasks.size_bits / 8)
    assert _log_p(queue_network, bytes_) == pytest.approx(_log_p(queue_network, tasks), abs=1e-4)


def test_padded_tasks_change_nothing(queue_network: QueueNetwork) -> None:
    runs = [solve_run(placement_preset(tasks=k, seed=k)) for k in (9, 14)]
    batch = stack(runs)
    with torch.no_grad():
        together = queue_network(*batch.tensors).numpy()
    assert together.shape[:2] == (2, 14)
    assert together[0, :9] == pytest.approx(_log_p(queue_network, runs[0].tasks), abs=1e-4)


@pytest.mark.parametrize("self_loops", [True, False])
def test_dense_convolution_is_gcn_conv(self_loops: bool) -> None:
    geometric = pytest.importorskip("torch_geometric.nn")
    torch.manual_seed(1)
    tasks = placement_preset(tasks=30, seed=1, access_points=8)
    joined = torch.tensor(adjacency(tasks, INGRESS), dtype=torch.float32)
    joined[0], joined[:, 0] = 0.0, 0.0  # one task without neighbours
    model = Classifier(ClassifierDesign(self_loops=self_loops))
    rows = torch.tensor(task_rows(tasks), dtype=torch.float32)
    model.standardise(rows)
    edges = joined.nonzero().T
    if not self_loops:  # what is isolated keeps its own embedding (14)
        edges = torch.cat([edges, torch.tensor([[0], [0]])], dim=1)
    hidden = torch.relu(model.embed((rows - model.mean) / model.deviation))
    for layer in model.layers:
        conv = geometric.GCNConv(layer.in_features, layer.out_features, add_self_loops=self_loops)
        conv.lin.weight.data, conv.bias.data = layer.weight.data, layer.bias.data
        hidden = torch.relu(conv(hidden, edges))
    assert torch.allclose(model(rows, joined), model.answer(hidden), atol=1e-4)
    sparse = mixing(joined, self_loops=self_loops).to_sparse()
    assert torch.allclose(model(rows, joined), model.mixed(rows, sparse), atol=1e-4)


def test_graphs_join_whom_they_say() -> None:
    run = solve_run(placement_preset(tasks=25, seed=4))
    same = adjacency(run.tasks, INGRESS)
    k, other = map(int, np.argwhere(same)[0])
    assert run.tasks.access_point[k] == run.tasks.access_point[other]
    nodes = run.tasks.options.nodes
    k, other = map(int, np.argwhere(adjacency(run.tasks, EXECUTOR, run.choice))[0])
    assert run.choice[k] == run.choice[other]
    k, other = map(int, np.argwhere(adjacency(run.tasks, SHARED, run.choice))[0])
    assert set(nodes[run.choice[k]].tolist()) & set(nodes[run.choice[other]].tolist()) - {-1}
    assert not adjacency(run.tasks, ALONE).any()
    few_edges = adjacency(run.tasks, SPARSE)
    assert (few_edges <= same).all()
    assert (few_edges == few_edges.T).all()
    assert (few_edges.sum(axis=1) >= np.minimum(same.sum(axis=1), NEAREST)).all()
    assert task_rows(run.tasks).shape == (25, 27)


@pytest.mark.parametrize(
    ("graph", "self_loops", "own", "alike"),
    [(INGRESS, True, False, True), (INGRESS, False, True, False), (SPARSE, True, False, False)],
)
def test_cliques_with_self_loops_give_an_ingress_one_answer(
    graph: str, self_loops: bool, own: bool, alike: bool
) -> None:
    torch.manual_seed(2)
    tasks = placement_preset(tasks=40, seed=3)
    model = Classifier(ClassifierDesign(graph=graph, self_loops=self_loops, own_transform=own))
    rows = torch.tensor(task_rows(tasks), dtype=torch.float32)
    model.standardise(rows)
    with torch.no_grad():
        logits = model(rows, torch.tensor(adjacency(tasks, graph), dtype=torch.float32))
    found = distinct_answers(torch.log_softmax(logits, dim=-1).double().numpy(), tasks.access_point)
    there = {a: int((tasks.access_point == a).sum()) for a in found}
    if alike:
        assert set(found.values()) == {1}
    else:
        assert all(found[a] > 1 for a, count in there.items() if count > NEAREST + 1)
        assert all(found[a] <= count for a, count in there.items())


def test_a_transform_of_ones_own_leaves_the_published_weights_as_they_were() -> None:
    torch.manual_seed(4)
    plain = Classifier(ClassifierDesign())
    torch.manual_seed(4)
    wider = Classifier(ClassifierDesign(own_transform=True))
    for name, weight in plain.state_dict().items():
        assert torch.equal(weight, wider.state_dict()[name])
    assert not any(name.startswith("own") for name in plain.state_dict())
