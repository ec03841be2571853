"""A small store, built once for all tests that only read."""

from __future__ import annotations

from pathlib import Path

import pytest

from slicewright.labels import Job, build_labels
from tests.labels.methods import SMALL


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty labels in three shards."""
    folder = tmp_path_factory.mktemp("labels") / "store"
    build_labels(folder, Job(SMALL), count=40, workers=1, shard_size=16)
    return folder
