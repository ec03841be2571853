"""Every importer."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import networkx as nx
import pytest

from slicewright.network import importers
from slicewright.network.importers import import_eua, import_graph, import_topohub, scenario_from_graph
from tests.conformance.importers import Importer, check_importer
from tests.network.test_importers import SITES, USERS


def eua(folder: Path) -> Importer:
    (folder / "site-x.csv").write_text(SITES)
    (folder / "users-x.csv").write_text(USERS)
    return partial(import_eua, folder)


def graphml(folder: Path) -> Importer:
    nx.write_graphml(nx.path_graph(6), folder / "g.graphml")
    return partial(import_graph, folder / "g.graphml")


def users_graph(folder: Path) -> Importer:
    return partial(scenario_from_graph, nx.star_graph(5), source={"importer": "mine"})


def topohub(folder: Path) -> Importer:
    pytest.importorskip("topohub")
    return partial(import_topohub, "topozoo/Abilene")


IMPORTERS = {
    "import_eua": eua, "import_graph": graphml, "scenario_from_graph": users_graph, "import_topohub": topohub,
}  # fmt: skip


@pytest.mark.parametrize("name", IMPORTERS)
def test_every_importer(name: str, tmp_path: Path) -> None:
    check_importer(IMPORTERS[name](tmp_path), tmp_path)


def test_none_is_forgotten() -> None:
    assert {name for name in importers.__all__ if name.startswith(("import_", "scenario_"))} == set(IMPORTERS)
