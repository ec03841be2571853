"""Files that this project writes, damaged: read, or refused in one sentence; never anything else."""

from __future__ import annotations

import copy
import gzip
import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet

import slicewright as sw
from slicewright.control.http.guards.tokens import read_tokens
from slicewright.enforcement.export import TARGETS, export_plan, inspect_export, write_export
from slicewright.errors import SlicewrightError
from slicewright.labels.store.manifest import load_manifest
from slicewright.labels.store.shards import read_labels
from slicewright.models.session import open_model
from slicewright.placement.problem.presets import placement_preset
from slicewright.placement.problem.tasks_file import load_tasks, save_tasks
from slicewright.simulation import load_arrivals
from slicewright.simulation.movement.traces import load_trace
from tests.enforcement.test_export import fixed_plan
from tests.network.test_damaged_files import ODD_VALUES, damaged, places

ROUNDS = 40
PACKAGE = Path(sw.__file__).parent
TOKENS = (
    b"tokens:\n- {name: a, token: abcdefghijklmnopqrstuvwx, scopes: [read], expires: 2027-01-31T12:00:00Z}\n"
)
MOVES = (
    b'<fcd-export><timestep time="0.0"><vehicle id="v" x="1" y="2"/></timestep>'
    b'<timestep time="1.0"><person id="p" x="0" y="0"/></timestep></fcd-export>'
)


class Kind(NamedTuple):
    """A file as it should be, and what reads it from a folder."""

    name: str
    content: bytes
    read: Callable[[Path], object]


def columns(folder: Path, **values: Any) -> bytes:
    parquet.write_table(pa.table(values), folder / "made.parquet")
    return (folder / "made.parquet").read_bytes()


def shard(folder: Path) -> object:
    """A store whose manifest has the hash of whatever the shard has become."""
    store = PACKAGE / "data" / "labels-small"
    (name,) = (file.name for file in store.glob("*.parquet"))
    was, now = (hashlib.sha256(file.read_bytes()).hexdigest() for file in (store / name, folder / name))
    (folder / "manifest.json").write_text((store / "manifest.json").read_text().replace(was, now))
    return read_labels(folder)


def manifest(folder: Path) -> object:
    store = PACKAGE / "data" / "labels-small"
    for file in store.glob("*.parquet"):
        shutil.copy(file, folder)
    return load_manifest(folder), read_labels(folder)


def model(folder: Path) -> object:
    """Whichever of card and network is not in the folder is the shipped one, with the right hash."""
    for ending in ("json", "onnx"):
        if not (folder / f"mlp.{ending}").exists():
            shutil.copy(PACKAGE / "models" / "weights" / "placement" / f"mlp.{ending}", folder)
            if ending == "json":
                card = json.loads((folder / "mlp.json").read_text())
                card["sha256"] = hashlib.sha256((folder / "mlp.onnx").read_bytes()).hexdigest()
                (folder / "mlp.json").write_text(json.dumps(card))
    return open_model("mlp", str(folder))


def kinds(folder: Path) -> list[Kind]:
    plan, weights = fixed_plan(), PACKAGE / "models" / "weights" / "placement"
    store = PACKAGE / "data" / "labels-small"
    sw.save_scenario(plan.scenario, folder / "s.json")
    sw.save_plan(plan, folder / "p.json")
    save_tasks(placement_preset("paper-placement", tasks=4, seed=1), folder / "t.json")
    arrivals = columns(folder, device=[0, 1, 2], arrived_s=[1.0, 2.0, 3.0], size=[1.0, 1.0, 1.0])
    return [
        Kind("s.json", (folder / "s.json").read_bytes(), lambda at: sw.load_scenario(at / "s.json")),
        Kind(
            "preset.yaml",
            b"schema: slicewright/scenario/v1\npreset: paper-slicing\ndevices: 4\nseed: 7\ntask_bits: [8.0e6, 4e7]\n",
            lambda at: sw.load_scenario(at / "preset.yaml"),
        ),
        Kind(
            "p.json", (folder / "p.json").read_bytes(), lambda at: sw.load_plan(plan.scenario, at / "p.json")
        ),
        Kind("t.json", (folder / "t.json").read_bytes(), lambda at: load_tasks(at / "t.json")),
        Kind("a.parquet", arrivals, lambda at: load_arrivals(at / "a.parquet", 3)),
        Kind("a.csv", b"device,arrived_s\n0,1.5\n1,2\n", lambda at: load_arrivals(at / "a.csv", 3)),
        Kind("m.csv", b"time_s,device,x_m,y_m\n0,a,1,2\n1,a,2,3\n", lambda at: load_trace(at / "m.csv")),
        Kind("m.xml", MOVES, lambda at: load_trace(at / "m.xml")),
        Kind("m.xml.gz", gzip.compress(MOVES), lambda at: load_trace(at / "m.xml.gz")),
        Kind("tokens.yaml", TOKENS, lambda at: read_tokens(at / "tokens.yaml")),
        Kind("manifest.json", (store / "manifest.json").read_bytes(), manifest),
        Kind("shard-00000.parquet", (store / "shard-00000.parquet").read_bytes(), shard),
        Kind("mlp.json", (weights / "mlp.json").read_bytes(), model),
        Kind("mlp.onnx", (weights / "mlp.onnx").read_bytes(), model),
    ]


def changed(name: str, content: bytes, rng: random.Random) -> bytes:
    """Bytes turned and moved, or, of a document, values that do not belong where they are, or are not there."""
    if not name.endswith((".json", ".yaml")) or rng.random() < 0.5:
        return damaged(content, rng)
    document = copy.deepcopy(yaml.safe_load(content))
    for _ in range(rng.randrange(1, 4)):
        container, key = rng.choice(list(places(document)) or [({"": 0}, "")])
        if rng.random() < 0.3:
            del container[key]
        else:
            container[key] = copy.deepcopy(rng.choice(ODD_VALUES))
    return json.dumps(document, default=str).encode()


def read(what: str, reader: Callable[[], object]) -> None:
    try:
        reader()
    except (SlicewrightError, OSError) as refusal:
        assert str(refusal).strip() and "\n" not in str(refusal), (what, str(refusal))


@pytest.mark.parametrize("number", range(14))
def test_own_files(number: int, tmp_path: Path) -> None:
    kind = kinds(tmp_path)[number]
    rng = random.Random(kind.name)
    for k in range(ROUNDS):
        home = tmp_path / str(k)
        home.mkdir()
        (home / kind.name).write_bytes(changed(kind.name, kind.content, rng))
        read(kind.name, lambda home=home: kind.read(home))  # type: ignore[misc]
        shutil.rmtree(home)


def test_there_are_no_more_kinds(tmp_path: Path) -> None:
    assert len(kinds(tmp_path)) == 14


@pytest.mark.parametrize("target", TARGETS)
def test_exports(target: str, tmp_path: Path) -> None:
    plan, rng = fixed_plan(), random.Random(target)
    files = write_export(export_plan(plan, target), tmp_path)
    for file in {files[0], tmp_path / "SHA256SUMS", tmp_path / "README.md"}:
        sound = file.read_bytes()
        for _ in range(ROUNDS // 2):
            file.write_bytes(damaged(sound, rng))
            read(file.name, lambda: inspect_export(tmp_path, plan.scenario))
        file.write_bytes(sound)
