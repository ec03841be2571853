"""A real Ray cluster of two nodes in a network namespace with only the loopback; one node dies half way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from slicewright.labels import Job, Recipe, build_labels, load_manifest, read_labels
from slicewright.labels.validate import faults
from tests.conformance.label_executors import ON_RAY

ROOT = Path(__file__).parents[2]
COUNT = 24
# A process namespace besides: when the driver ends, the kernel ends everything that Ray started and nothing else.
NAMESPACE = ["unshare", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
LIMIT_S = 240


def why_not() -> str:
    """Why such a cluster cannot run here; empty if it can."""
    if find_spec("ray") is None:
        return "the extra 'ray' is not installed"
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return "unshare or ip is not installed"
    tried = subprocess.run([*NAMESPACE, "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else f"no namespaces: {tried.stderr.decode().strip()}"


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder with a short name: Ray keeps sockets below it, whose paths may not exceed 107 characters."""
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.slow
def test_a_node_that_dies_half_way_loses_nothing_and_nothing_is_labelled_twice(
    tmp_path: Path, scratch: Path
) -> None:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    driver = [
        sys.executable,
        "tests/labels/ray_driver.py",
        str(scratch / "store"),
        str(COUNT),
        "tests.labels.methods:slow",
    ]
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *driver],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            **ON_RAY,
        },
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )
    logs = [f"{path.name}:\n{path.read_text()[-1500:]}" for path in scratch.glob("*.log")]
    assert done.returncode == 0, "\n".join([done.stderr.decode()[-3000:], *logs])
    account = json.loads(done.stdout.decode().splitlines()[-1])
    assert account["complete"]
    assert account["killed_at"] == [COUNT // 2]
    assert any("its node is gone" in incident for incident in account["incidents"]), account
    labels = list(read_labels(scratch / "store"))
    assert [label.seed for label in labels] == list(range(COUNT))
    assert all(label.solved for label in labels)
    assert sum(shard.rows for shard in load_manifest(scratch / "store").shards) == COUNT
    assert not list(faults(scratch / "store", regenerate=True))
    build_labels(
        tmp_path / "here", Job(Recipe(devices=(5, 15)), method="tests.labels.methods:sound"), count=COUNT
    )
    for remote, local in zip(labels, read_labels(tmp_path / "here"), strict=True):
        assert remote.cost_s == local.cost_s
