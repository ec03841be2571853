"""Files meant to break a reader: too large, too deep, unfolding, compressed, with numbers that are none."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import slicewright as sw
from slicewright.errors import InvalidScenarioError
from slicewright.files import strict_json
from slicewright.network.importers import import_graph, import_scenario, import_trace
from slicewright.network.importers.columns import table
from slicewright.network.importers.formats import gml
from slicewright.network.importers.placing import layout
from slicewright.network.scenario_file import scenario_to_dict

LAUGHS = '<!DOCTYPE z [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
DEEP = 200_000
BOMBS: list[tuple[str, str | bytes, str]] = [
    ("g.graphml", f'<?xml version="1.0"?>{LAUGHS}<graphml>&b;</graphml>', "declares XML entities"),
    ("g.xml", f'<?xml version="1.0"?>{LAUGHS}<network>&b;</network>', "declares XML entities"),
    ("g.xml", f'<?xml version="1.0" encoding="utf-16"?>{LAUGHS}<n>&b;</n>'.encode("utf-16"), "declares XML entities"),
    ("g.xml", '<!DOCTYPE z [<!ENTITY a SYSTEM "file:///etc/passwd">]><graphml>&a;</graphml>', "declares XML entities"),
    ("g.xml", "<a>" * DEEP, "is not valid XML"),
    ("g.json", "[" * DEEP, "nested too deeply"),
    ("g.json", '{"nodes":' * DEEP, "nested too deeply"),
    ("g.yaml", "[" * 5000, "nesting depth"),
    ("g.yaml", "".join(f"{' ' * k}a:\n" for k in range(2000)) + " " * 2000 + "b", ""),
    ("g.gml", "graph [ " * DEEP, "g.gml line 1"),
    (
        "g.yaml",
        "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
            f"{b}: &{b} [*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a}]\n"
            for a, b in zip("abcdefghi", "bcdefghij", strict=True)
        ),
        "aliases unfold into more than",
    ),
    ("g.json", gzip.compress(b" " * 10_000_000), "compressed with gzip"),
    ("g.gml", f"graph [ node [ id 1{'0' * 400} ] node [ id 2 lat 1e999 lon 3 ] ]", "nodes[1]"),
]  # fmt: skip
NUMBERS = ("NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, '"NaN"', '"inf"', "-1", "null", "true")


@pytest.mark.parametrize(("name", "content", "told"), BOMBS, ids=[f"{k}-{b[0]}" for k, b in enumerate(BOMBS)])
def test_bombs_are_refused_in_one_sentence(
    tmp_path: Path, name: str, content: str | bytes, told: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    for read in (import_scenario, sw.load_scenario):
        with pytest.raises(InvalidScenarioError) as refused:
            read(file)
        assert "\n" not in str(refused.value)
        assert len(str(refused.value)) < 600
        if read is import_scenario:
            assert told in str(refused.value)


def numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of the first number of every field."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from numbers(item, (*path, key))
    elif isinstance(value, list):
        if value:
            yield from numbers(value[0], (*path, 0))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path


SOUND = {
    key: value
    for key, value in scenario_to_dict(sw.preset("paper-slicing", devices=3, seed=1)).items()
    if key != "origin"
}
RATES = {**{k: v for k, v in SOUND.items() if k != "radio"}, "rate_bps": [[1e6] * 3] * 3}
FIELDS = [(SOUND, path) for path in numbers(SOUND)] + [(RATES, ("rate_bps", 0, 0))]
MAY_BE_NEGATIVE = ("position_m", "noise_dbm_hz", "clutter", "tilt", "gain")


@pytest.mark.parametrize(("document", "path"), FIELDS, ids=[".".join(map(str, path)) for _, path in FIELDS])
def test_numbers_that_are_none_are_refused_in_every_field(
    document: dict[str, Any], path: tuple[Any, ...], tmp_path: Path
) -> None:
    file = tmp_path / "s.json"
    for number in NUMBERS:
        changed = json.loads(json.dumps(document))
        *way, last = path
        inner = changed
        for key in way:
            inner = inner[key]
        inner[last] = "HERE"
        file.write_text(json.dumps(changed).replace('"HERE"', number))
        if number == "-1" and any(word in map(str, path) for word in MAY_BE_NEGATIVE):
            continue
        with pytest.raises(InvalidScenarioError) as refused:
            sw.load_scenario(file)
        named = [str(key) for key in path if isinstance(key, str)]
        assert any(key in str(refused.value) for key in (*named, "s.json")), str(refused.value)


def test_there_are_fields_to_try() -> None:
    assert len(FIELDS) > 8


@pytest.mark.parametrize("number", ["NaN", "inf", "-inf", "1e999", "1" + "0" * 400, "", "x"])
def test_numbers_that_are_none_are_refused_in_tables(tmp_path: Path, number: str) -> None:
    files = {
        "sites.csv": "name,x,y,bandwidth [MHz]\na,0,0,18\n",
        "nodes.csv": "name,cpu\nn,4\n",
        "devices.csv": "name,x,y,task [MB],rate,power [dBm]\nd,1,1,4,0.1,20\n",
    }
    for name, text in files.items():
        header, row = text.split("\n")[:2]
        for column, title in enumerate(header.split(",")):
            if title == "name":
                continue
            cells = row.split(",")
            cells[column] = number
            for other, sound in files.items():
                (tmp_path / other).write_text(sound)
            (tmp_path / name).write_text(f"{header}\n{','.join(cells)}\n")
            with pytest.raises(InvalidScenarioError, match=f"{name} line 2"):
                import_scenario(tmp_path)


@pytest.mark.parametrize("number", ["nan", "inf", "1e999", "-5", "1" + "0" * 400])
def test_numbers_that_are_none_are_refused_in_traces(tmp_path: Path, number: str) -> None:
    file = tmp_path / "t.csv"
    for row in (f"{number},5", f"5,{number}"):
        file.write_text(f"time,size\n1,2\n{row}\n")
        if row == "-5,5":
            continue  # a time may be before another
        with pytest.raises(InvalidScenarioError, match=r"t\.csv line 3"):
            import_trace(file)


def test_large_tables_graphs_and_documents_are_refused_before_memory_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MOST_CELLS", 10)
    (tmp_path / "t.csv").write_text("time,size\n" + "1,2\n" * 20)
    with pytest.raises(InvalidScenarioError, match=r"t\.csv line 7: comes after 10 cells.*take a part"):
        import_trace(tmp_path / "t.csv")
    monkeypatch.setattr(gml, "MOST_WORDS", 10)
    (tmp_path / "g.gml").write_text("graph [\n" + "node [ id 1 ]\n" * 20 + "]")
    with pytest.raises(InvalidScenarioError, match=r"g\.gml line 3: comes after 10 words"):
        import_graph(tmp_path / "g.gml")
    monkeypatch.setattr(strict_json, "MOST_MEMORY_GB", 1e-6)
    for name, text in (
        ("d.json", "[" + "[]," * 100 + "1]"),
        ("d.yaml", "- a\n" * 100),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(InvalidScenarioError, match=f"{name}.*GB of memory, more than"):
            sw.load_scenario(tmp_path / name)
    monkeypatch.setattr(layout, "MOST_BY_SPRINGS", 3)
    monkeypatch.undo()
    monkeypatch.setattr(layout, "MOST_BY_SPRINGS", 3)
    (tmp_path / "n.json").write_text(json.dumps({"nodes": [{"id": k} for k in range(4)], "links": []}))
    with pytest.raises(InvalidScenarioError, match="4 vertices without positions"):
        import_graph(tmp_path / "n.json")
    assert math.isfinite(strict_json.MOST_MEMORY_GB)
