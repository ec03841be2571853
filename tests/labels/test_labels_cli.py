"""The commands as users run them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from slicewright.cli.commands.learning.labels import app
from slicewright.errors import InvalidOptionError, UnknownNameError
from slicewright.labels import load_manifest, read_labels
from slicewright.labels.stats import store_stats

runner = CliRunner()


def test_build_takes_parameters_and_what_varies(tmp_path: Path) -> None:
    command = ["build", str(tmp_path), "--count", "5", "--workers", "1", "--size", "2-4", "--rounds", "10"]
    fixed = ["--set", "queueing=device", "--set", "task-bits=1e6,2e6", "--set", "arrival-rate-hz=0.1:0.2"]
    done = runner.invoke(app, [*command, *fixed, "--vary", "coins=2,3"])
    assert done.exit_code == 0, done.output
    assert "5 labels in 1 file, complete" in done.stdout
    recipe = load_manifest(tmp_path).job.recipe
    assert recipe.parameters == {
        "queueing": "device",
        "task_bits": [1_000_000, 2_000_000],
        "arrival_rate_hz": [0.1, 0.2],
    }
    for label in read_labels(tmp_path):
        assert label.scenario is not None
        assert label.scenario.queueing == "device"
        assert label.scenario.n_nodes in (3, 4)
        assert label.scenario.task_bits.max() <= 2e6


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--size", "few"], InvalidOptionError),
        (["--method", "exactly"], UnknownNameError),
        (["--set", "queueing"], InvalidOptionError),
        (["--timeout", "soon"], InvalidOptionError),
    ],
)
def test_wrong_options_are_named(tmp_path: Path, options: list[str], error: type[Exception]) -> None:
    done = runner.invoke(app, ["build", str(tmp_path), *options])
    assert isinstance(done.exception, error)


def test_stats_for_people_and_machines(store: Path, tmp_path: Path) -> None:
    picture = tmp_path / "stats.png"
    shown = runner.invoke(app, ["stats", str(store), "--picture", str(picture)])
    assert shown.exit_code == 0, shown.output
    for word in ("devices", "gap", "offload share", "MEC share", "time", "train"):
        assert word in shown.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    document = json.loads(runner.invoke(app, ["stats", str(store), "--json"]).stdout)
    assert document["labels"] == 40
    assert document["devices"]["p0"] >= 2
    assert sum(document["splits"].values()) == 40


def test_shares_are_counted_from_the_decisions(store: Path) -> None:
    table = read_labels(store)
    stats = store_stats(table)
    label = table[3]
    assert label.scenario is not None and label.solution is not None
    node = label.solution.decisions.node
    away = node[node >= 0]
    assert stats.offload_share[3] == away.size / node.size
    kinds = np.array(label.scenario.node_kinds)
    assert stats.mec_share[3] == (kinds[away] == "mec").mean()
