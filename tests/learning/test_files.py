from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

import slicewright as sw
from slicewright.learning.common.model_files import TrainedModel, write_model
from slicewright.learning.common.onnx_export import load_weights, with_weights
from slicewright.learning.common.training import Schedule
from slicewright.learning.slicing.networks.bipartite import Bipartite
from slicewright.learning.slicing.networks.published import DESIGNS, PublishedModel
from slicewright.learning.slicing.onnx_graphs import bipartite_onnx, published_onnx
from slicewright.learning.slicing.recipes import train
from slicewright.learning.slicing.solved_scenarios import Solved, varied_scenario
from slicewright.models.cards import BIPARTITE, PUBLISHED, Card, InvalidModelError, model_bytes, read_card
from slicewright.models.slicing.features import rows, scenario_inputs
from slicewright.network.scenario import Scenario
from tests.learning.small_models import SMALL, random_bipartite, random_published

TOLERANCE = 1e-4


def session(onnx: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])


def queue_inputs(scenario: Scenario) -> dict[str, np.ndarray]:
    seen = scenario_inputs(scenario)
    feed = {name: getattr(seen, name)[None] for name in seen.__dataclass_fields__}
    return feed | {"mask": np.ones((1, scenario.n_devices), np.float32)}


def row_inputs(scenario: Scenario) -> dict[str, np.ndarray]:
    seen = rows(scenario)
    ones = np.ones((1, scenario.n_devices), np.float32)
    return {"network": seen.network[None], "slices": seen.slices[None], "mask": ones}


@torch.no_grad()
def same(
    model: torch.nn.Module, exported: onnxruntime.InferenceSession, feed: dict[str, np.ndarray]
) -> list[np.ndarray]:
    ours = model(*(torch.from_numpy(x) for x in feed.values()))
    theirs = exported.run(None, feed)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(b, a.numpy(), atol=TOLERANCE)
    return [np.asarray(x) for x in theirs]


def test_exported_bipartite_is_the_trained_one_on_networks_of_any_size(bipartite: Bipartite) -> None:
    scenarios = [varied_scenario(seed) for seed in range(50, 60)]
    scenarios += [sw.preset("paper-slicing", devices=n) for n in (1, 500)]
    scenarios += [sw.preset("paper-slicing", devices=2, access_points=1, coins=0, mecs=1, slices=1)]
    for model in (bipartite, random_bipartite()):
        exported = session(bipartite_onnx(model))
        for scenario in scenarios:
            same(model, exported, queue_inputs(scenario))


@pytest.mark.parametrize("name", list(DESIGNS))
def test_exported_published_models_are_the_torch_ones(published: PublishedModel, name: str) -> None:
    for model in (published, random_published(name)) if name == "deepsets-s" else (random_published(name),):
        exported = session(published_onnx(model))
        for devices in (1, 7, 500):
            same(model, exported, row_inputs(sw.preset("paper-slicing", devices=devices, seed=devices)))


def test_through_onnx_the_identities_hold_too(bipartite: Bipartite, published: PublishedModel) -> None:
    scenario = sw.preset("paper-slicing", devices=9, seed=1)
    order = np.random.default_rng(0).permutation(9)
    feed = row_inputs(scenario)
    exported = session(published_onnx(published))
    decision, _, share, bandwidth = exported.run(None, feed)
    turned = {
        "network": feed["network"][:, order],
        "slices": feed["slices"][:, :, order],
        "mask": feed["mask"],
    }
    np.testing.assert_allclose(exported.run(None, turned)[0], decision[:, order], atol=TOLERANCE)
    assert share.sum(axis=2).max() <= 1 + TOLERANCE
    assert bandwidth.sum(axis=2).max() <= 1 + TOLERANCE
    longer = {k: np.concatenate([v, 0 * v], axis=2 if k == "slices" else 1) for k, v in feed.items()}
    np.testing.assert_allclose(exported.run(None, longer)[0][:, :9], decision, atol=TOLERANCE)
    nothing = feed | {"mask": 0 * feed["mask"]}
    assert all(np.isfinite(x).all() for x in exported.run(None, nothing))

    feed = queue_inputs(scenario)
    exported = session(bipartite_onnx(bipartite))
    radio, group, *_ = exported.run(None, feed)
    by_device = ("radio", "work", "local", "arrival")
    turned = {k: v[:, order] if k in by_device else v for k, v in feed.items()}
    np.testing.assert_allclose(exported.run(None, turned)[0], radio[:, order], atol=TOLERANCE)
    longer = {
        k: np.concatenate([v, 0 * v], axis=1) if k in (*by_device, "mask") else v for k, v in feed.items()
    }
    np.testing.assert_allclose(exported.run(None, longer)[1][:, :9], group, atol=TOLERANCE)
    assert all((x == 0).all() for x in exported.run(None, feed | {"mask": 0 * feed["mask"]}))


def saved(model: Bipartite, folder: Path) -> Card:
    toy = TrainedModel("toy", BIPARTITE, bipartite_onnx(model), model.settings(), {"devices": [1, 9]})
    return write_model(with_weights(toy, model), folder)


def test_weights_come_back_from_safetensors(bipartite: Bipartite, tmp_path: Path) -> None:
    saved(bipartite, tmp_path)
    again = Bipartite(SMALL)
    load_weights(again, tmp_path / "toy.safetensors")
    for name, value in bipartite.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    assert {path.suffix for path in tmp_path.iterdir()} == {".onnx", ".safetensors", ".json"}  # never pickle


def test_a_card_comes_back_and_vouches_for_its_file(tmp_path: Path) -> None:
    card = saved(random_bipartite(), tmp_path)
    again = read_card(tmp_path / "toy.json")
    assert again == card
    assert again.parameters > 0
    assert again.versions["torch"]
    model_bytes(again, tmp_path)
    (tmp_path / "toy.onnx").write_bytes(b"something else")
    with pytest.raises(InvalidModelError, match="sha256"):
        model_bytes(again, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "other/v9"}, "schema"),
        ({"sha256": None}, "sha256: is missing"),
        ({"colour": "red"}, "colour: is not a field"),
    ],
)
def test_a_broken_card_is_explained(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    saved(random_bipartite(), tmp_path)
    path = tmp_path / "toy.json"
    document = {k: v for k, v in {**json.loads(path.read_text()), **change}.items() if v is not None}
    path.write_text(json.dumps(document))
    with pytest.raises(InvalidModelError, match=message):
        read_card(path)


@pytest.mark.parametrize(("name", "kind"), [("deepsets-s", PUBLISHED), ("bipartite", BIPARTITE)])
def test_a_recipe_writes_a_model_with_figures(
    solved: list[Solved], tmp_path: Path, name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slicewright.learning.slicing import recipes

    brief = Schedule(epochs=1)
    monkeypatch.setitem(
        recipes.SCALES,
        "smoke",
        recipes.TrainingScale(6, 6, 6, 6, 2, brief, brief, brief, brief, 3),
    )
    lines: list[str] = []
    card = train(name, tmp_path, scale="smoke", instances=solved[:10], report=lines.append)
    assert card.kind == kind
    assert card.trained_for["access_points"] == [3, 3]
    assert 0 <= card.figures["most probable"]["acc_bin"] <= 1
    assert lines
    read_card(tmp_path / f"{name}.json")
