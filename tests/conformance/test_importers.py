"""Every importer."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import networkx as nx
import pytest

from slicewright.network import Scenario, importers
from slicewright.network.importers import (
    import_eua,
    import_graph,
    import_scenario,
    import_tables,
    import_topohub,
    import_trace,
    scenario_from_graph,
)
from tests.conformance.importers import Importer, check_importer
from tests.network.test_importers import SITES, USERS


def eua(folder: Path) -> Importer:
    (folder / "site-x.csv").write_text(SITES)
    (folder / "users-x.csv").write_text(USERS)
    return partial(import_eua, folder)


def graphml(folder: Path) -> partial[Scenario]:
    nx.write_graphml(nx.path_graph(6), folder / "g.graphml")
    return partial(import_graph, folder / "g.graphml")


def users_graph(folder: Path) -> Importer:
    return partial(scenario_from_graph, nx.star_graph(5), source={"importer": "mine"})


def topohub(folder: Path) -> Importer:
    pytest.importorskip("topohub")
    return partial(import_topohub, "topozoo/Abilene")


def tables(folder: Path) -> Importer:
    (folder / "sites.csv").write_text("name,x [km],y [km]\na,0,0\nb,0.3,0.1\n")
    return partial(import_tables, folder)


def trace(folder: Path) -> Importer:
    (folder / "t.csv").write_text(
        "time,user,size\n" + "".join(f"{k},u{k % 3},{k + 1}e6\n" for k in range(12))
    )
    return partial(import_trace, folder / "t.csv")


def any_source(folder: Path) -> Importer:
    return partial(import_scenario, graphml(folder).args[0])


IMPORTERS = {
    "import_tables": tables, "import_trace": trace, "import_scenario": any_source,
    "import_eua": eua, "import_graph": graphml, "scenario_from_graph": users_graph, "import_topohub": topohub,
}  # fmt: skip


@pytest.mark.parametrize("name", IMPORTERS)
def test_every_importer(name: str, tmp_path: Path) -> None:
    check_importer(IMPORTERS[name](tmp_path), tmp_path)


def test_none_is_forgotten() -> None:
    assert {name for name in importers.__all__ if name.startswith(("import_", "scenario_"))} == set(IMPORTERS)
