"""What an import dropped, made up or found odd is said again by those who use its scenario."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slicewright.cli.main import app

GRAPHML = """<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="a" for="node" attr.name="Latitude" attr.type="double"/>
<key id="b" for="node" attr.name="Longitude" attr.type="double"/>
<key id="c" for="node" attr.name="vendor" attr.type="string"/>
<graph edgedefault="undirected">
<node id="n0"><data key="a">38.7</data><data key="b">-9.1</data><data key="c">&lt;b&gt;</data></node>
<node id="n1"><data key="a">41.1</data><data key="b">-8.6</data></node><node id="n2"/>
<node id="n3"><data key="a">40.2</data><data key="b">-8.4</data></node>
<edge source="n0" target="n1"/><edge source="n1" target="n2"/><edge source="n2" target="n3"/>
</graph></graphml>"""
TOLD = ("km wide", "positions of 1 of 4 vertices", "attributes of vertices: vendor")


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    (tmp_path / "g.graphml").write_text(GRAPHML)
    scenario = tmp_path / "s.json"
    run("scenario", "import", tmp_path / "g.graphml", "-o", scenario, "--set", "devices=5")
    return scenario


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_plan_check_and_page_repeat_it_once(imported: Path) -> None:
    page = imported.parent / "m.html"
    for said in (run("plan", imported, "--map", page), run("check", imported), page.read_text()):
        for part in TOLD:
            assert said.count(part) == 1, part
    told = json.loads(run("check", imported, "--json"))
    assert told["sound"] is True
    assert all(any(part in sentence for sentence in told["imported"]) for part in TOLD)


def test_it_is_where_older_readers_look_for_nothing(imported: Path) -> None:
    document = json.loads(imported.read_text())
    known = "schema queueing slices access_points nodes devices radio rate_bps origin"
    assert set(document) <= set(known.split())
    for damaged in ("text", ["text"], {"odd": "text", "remember": 3}, None):
        document["origin"]["report"] = damaged
        imported.write_text(json.dumps(document))
        assert "imported" not in run("check", imported)
