"""Small solved scenarios and models that were trained for a moment, shared by all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from slicewright.learning.common.training import Schedule
from slicewright.learning.slicing.chained_training import train_published
from slicewright.learning.slicing.networks.bipartite import Bipartite
from slicewright.learning.slicing.networks.published import DESIGNS, PublishedModel
from slicewright.learning.slicing.size_free.training import train_bipartite
from slicewright.learning.slicing.solved_scenarios import Solved, draw, solve
from tests.learning.small_models import SMALL


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def solved() -> list[Solved]:
    return solve(draw("paper", 48), rounds=50)


@pytest.fixture(scope="session")
def varied() -> list[Solved]:
    return solve(draw("varied", 24), rounds=50)


@pytest.fixture(scope="session")
def published(solved: list[Solved]) -> PublishedModel:
    return train_published(solved, DESIGNS["deepsets-s"], parts=2, schedule=Schedule(epochs=2, batch_size=16))


@pytest.fixture(scope="session")
def bipartite(solved: list[Solved], varied: list[Solved]) -> Bipartite:
    stage = Schedule(epochs=1, batch_size=16)
    return train_bipartite([*solved, *varied], stage, stage, design=SMALL)


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")
