"""Whatever is wrong in a store is found, named and makes the command fail."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from slicewright.cli.commands.learning.labels import app
from slicewright.labels.store.manifest import load_manifest, sha256
from slicewright.labels.validate import faults

SEED = 5


@pytest.fixture
def copy(store: Path, tmp_path: Path) -> Path:
    """A store of one's own to damage."""
    return Path(shutil.copytree(store, tmp_path / "store"))


def shard_with(folder: Path, seed: int) -> Path:
    """The shard that holds a seed."""
    return next(path for path in folder.glob("*.parquet") if seed in pq.read_table(path)["seed"].to_pylist())


def tamper(folder: Path, column: str, change: Callable[[Any], Any], *, rehash: bool = True) -> None:
    """Change one cell, and cover the traces in the manifest."""
    path = shard_with(folder, SEED)
    table = pq.read_table(path)
    cells = table[column].to_pylist()
    row = table["seed"].to_pylist().index(SEED)
    cells[row] = change(cells[row])
    place = table.column_names.index(column)
    pq.write_table(
        table.set_column(place, table.schema.field(column), pa.array(cells, table.schema.field(column).type)),
        path,
    )
    if rehash:
        re_enter(folder, path)


def re_enter(folder: Path, path: Path) -> None:
    """Give the manifest the hash and rows that a shard has now."""
    manifest = load_manifest(folder)
    shards = tuple(
        type(entry)(**{**entry.__dict__, "sha256": sha256(path), "rows": pq.read_metadata(path).num_rows})
        if entry.file == path.name
        else entry
        for entry in manifest.shards
    )
    manifest.with_(shards=shards).save(folder)


def scaled(factor: float, at: int = 0) -> Callable[[list[float]], list[float]]:
    """One entry of a list times a factor."""
    return lambda values: [value * factor if k == at else value for k, value in enumerate(values)]


def test_a_sound_store_has_no_faults(store: Path) -> None:
    judged: list[int] = []
    assert not list(faults(store, regenerate=True, on_label=judged.append))
    assert judged == list(range(1, 41))


@pytest.mark.parametrize(
    ("column", "change", "rule"),
    [
        ("cost_s", lambda cost: cost * (1 + 1e-6), "it costs"),
        ("gap", lambda gap: gap / 2, "its gap is"),
        ("bound_s", lambda bound: bound * 1.5, "no bound exceeds the cost"),
        ("status", lambda status: "optimal" if status == "feasible" else "feasible", "optimal means a gap"),
        ("status", lambda status: "infeasible", "an infeasible label breaks a rule"),
        ("split", lambda split: "test" if split != "test" else "train", "its split is"),
        ("residual_13b", lambda residual: 0.5, "its residual of 13b"),
        ("compute_share", scaled(1.5), "13e is broken"),
        ("radio_share", scaled(-1.0), "13g is broken"),
        ("bandwidth_share", lambda shares: [share + 0.2 for share in shares], "13d is broken"),
        ("node", lambda nodes: [99 if node >= 0 else node for node in nodes], "13a is broken"),
        ("arrival_rate_hz", lambda rates: [rate * 1e3 for rate in rates], "13c is broken"),
        ("arrival_rate_hz", lambda rates: [-rate for rate in rates], "inputs and decisions are valid"),
        ("task_bits", scaled(0.9), "it costs"),
        ("task_bits", scaled(np.nan), "inputs and decisions are valid"),
    ],
)
def test_every_kind_of_damage_is_found(
    copy: Path, column: str, change: Callable[[Any], Any], rule: str
) -> None:
    tamper(copy, column, change)
    found = list(faults(copy))
    assert found
    assert {fault.seed for fault in found} == {SEED}
    assert any(rule in str(fault) for fault in found)


def test_a_plan_cheaper_than_possible_is_found_even_if_the_store_agrees_with_itself(copy: Path) -> None:
    """The cost of an infeasible plan, entered with residuals of zero, contradicts the certificate or the rules."""
    tamper(copy, "rate_bps", lambda rates: [rate * 2 for rate in rates])
    assert any("recipe and seed give" in str(fault) for fault in faults(copy, regenerate=True))


def test_changed_bytes_do_not_match_the_manifest(copy: Path) -> None:
    tamper(copy, "reason", lambda reason: "nothing", rehash=False)
    assert "hash in the manifest" in str(next(faults(copy)))


def test_garbage_instead_of_a_shard(copy: Path) -> None:
    path = shard_with(copy, SEED)
    path.write_bytes(b"PAR1 no parquet PAR1")
    assert any("is readable" in str(fault) for fault in faults(copy))


def test_a_missing_shard_a_foreign_one_and_a_copied_one(copy: Path) -> None:
    path = shard_with(copy, SEED)
    shutil.copy(path, copy / "shard-00077.parquet")
    assert any("is in the manifest, but it is not" in str(fault) for fault in faults(copy))
    path.unlink()
    texts = [str(fault) for fault in faults(copy)]
    assert any("in the manifest exists" in text for text in texts)
    assert any("label for every seed" in text for text in texts)


def test_one_instance_labelled_twice(copy: Path) -> None:
    path = shard_with(copy, SEED)
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), path)
    re_enter(copy, path)
    assert any("has one label" in str(fault) for fault in faults(copy))


def test_the_command_says_so_and_fails(copy: Path) -> None:
    runner = CliRunner()
    sound = runner.invoke(app, ["validate", str(copy), "--regenerate"])
    assert sound.exit_code == 0, sound.output
    assert "40 labels, every cost and every constraint holds" in sound.stdout
    tamper(copy, "cost_s", lambda cost: cost + 1)
    broken = runner.invoke(app, ["validate", str(copy)])
    assert broken.exit_code == 1
    assert f"seed {SEED}: it costs" in broken.stdout
