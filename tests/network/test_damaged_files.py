"""Files that are damaged or odd: read, or refused in one sentence; never anything else, whatever the format."""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import slicewright as sw
from slicewright.errors import SlicewrightError
from slicewright.network.importers import import_scenario
from tests import shared

FIELD = shared.REFERENCE / "field"
SAMPLES = sorted(file for file in FIELD.rglob("*") if file.is_file() and file.name != "README.md") or [
    FIELD / "none.json"
]
"""At least one: what is asked of nothing is an error, what is skipped says why."""
ROUNDS = 100
ODD_BYTES = (
    b"null", b"[]", b"{}", b"-1", b"1e400", b'""', b"\x00", b"\xff", b"NaN", b"true", b"0", b"<a/>", b",", b'"',
    b"9" * 400,
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, True, [], {}, "", "x", -1, 0, 1e308, 10**400, float("nan"), [[]], {"id": []}, ["a", "a"], "\ud800",
)  # fmt: skip

pytestmark = pytest.mark.skipif(not FIELD.is_dir(), reason="no shared folder")


def read(file: Path) -> None:
    """As a user would: scenarios are loaded, everything else is imported."""
    try:
        if file.suffix == ".yaml":
            sw.load_scenario(file)
        else:
            import_scenario(file)
    except (SlicewrightError, OSError) as refusal:
        assert str(refusal).strip(), "a refusal says something"


def placed(sample: Path, content: bytes, folder: Path) -> Path:
    """A changed copy of a sample: alone, or beside the other files of its folder."""
    if sample.parent == FIELD:
        (folder / sample.name).write_bytes(content)
        return folder / sample.name
    home = folder / sample.parent.name
    shutil.copytree(sample.parent, home, dirs_exist_ok=True)
    (home / sample.name).write_bytes(content)
    return home


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Bits turned, words put in, parts lost or doubled."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(4):
            case 0 if data:
                data[at % len(data)] ^= 1 << rng.randrange(8)
            case 1:
                data[at:at] = rng.choice(ODD_BYTES)
            case 2:
                del data[at : at + rng.randrange(1, 30)]
            case _ if data:
                begin = rng.randrange(len(data))
                data[at:at] = data[begin : begin + rng.randrange(1, 60)]
    return bytes(data)


def places(document: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every value in a document."""
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in list(items):
        yield document, key
        if isinstance(value, (dict, list)):
            yield from places(value)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_damaged_bytes(sample: Path, tmp_path: Path) -> None:
    rng = random.Random(sample.name)
    for _ in range(ROUNDS):
        read(placed(sample, damaged(sample.read_bytes(), rng), tmp_path))


@pytest.mark.parametrize(
    "sample", [file for file in SAMPLES if file.suffix == ".json"], ids=lambda file: str(file.name)
)
def test_odd_values_in_odd_places(sample: Path, tmp_path: Path) -> None:
    rng = random.Random(sample.name)
    sound = json.loads(sample.read_bytes().decode("utf-8-sig"))
    for _ in range(ROUNDS):
        document = copy.deepcopy(sound)
        for _ in range(rng.randrange(1, 3)):
            container, key = rng.choice(list(places(document)))
            container[key] = copy.deepcopy(rng.choice(ODD_VALUES))
        read(placed(sample, json.dumps(document).encode(), tmp_path))
