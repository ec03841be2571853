"""The pages in ``docs``: their documents are read, and what docstrings refer to is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import slicewright as sw
from slicewright.placement import Placement
from tests.shared import ROOT

PAGE = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
DOCUMENTS = [
    (yaml.safe_load if kind == "yaml" else json.loads)(text)
    for kind, text in re.findall(r"```(yaml|json)\n(.*?)```", PAGE, re.DOTALL)
]


def documents(schema: str) -> list[dict[str, Any]]:
    return [document for document in DOCUMENTS if document["schema"] == f"slicewright/{schema}/v1"]


def test_every_schema_has_an_example() -> None:
    assert {document["schema"] for document in DOCUMENTS} == {
        f"slicewright/{name}/v1" for name in ("scenario", "plan", "tasks", "placement")
    }


@pytest.mark.parametrize("document", documents("scenario"))
def test_scenarios_are_read_and_planned(document: dict[str, object]) -> None:
    scenario = sw.load_scenario(document)
    assert sw.plan(scenario, rounds=5).violations.feasible


@pytest.mark.parametrize("document", documents("tasks"))
def test_tasks_are_read_and_placed(document: dict[str, object]) -> None:
    tasks = sw.load_tasks(document)
    placement = sw.place(tasks, "greedy-nearest")
    assert placement.violations.feasible and placement.rejected == 0


def test_plans_and_placements_have_the_keys_that_are_written() -> None:
    (plan,) = documents("plan")
    made = sw.plan("paper-slicing", rounds=1).to_dict()
    assert set(made) <= set(plan)
    assert set(plan["decisions"][0]) == set(made["decisions"][0])
    (placement,) = documents("placement")
    placed = sw.place(sw.placement_preset(tasks=3), "random").to_dict()
    assert set(placed) - {"notes"} == set(placement) - {"notes"}  # remarks are missing where there are none
    assert Placement.from_dict(placement).rejected == 1


def test_docstrings_refer_to_sections_of_the_model_that_exist() -> None:
    sections = set(
        re.findall(
            r"^#+ (\d(?:\.\d)?)", (ROOT / "docs" / "model.md").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    sources = [path for folder in ("src", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    referred = {
        (number, path.name)
        for path in sources
        for number in re.findall(r"model page (\d(?:\.\d)?)", path.read_text(encoding="utf-8"))
    }
    assert len(referred) > 20
    assert not [(number, name) for number, name in referred if number not in sections]


def test_where_a_change_goes_is_there() -> None:
    """Every file, folder and table that CONTRIBUTING.md sends people to."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = page.split("## Where do I put ...")[1].split("## ")[0].splitlines()[4:]
    asked = [row.split("|")[1:4] for row in rows if row.startswith("|")]
    assert len(asked) >= 10
    for what, where, _ in asked:
        named = [path for text in re.findall(r"`([^`]+)`", where) for path in _alternatives(text)]
        found = [path for path in named if (ROOT / "src/slicewright" / path).exists()]
        if "`_kernels/`" in where:
            continue  # of whichever room
        assert found, (what, where)
        missing = [path for path in named if "/" in path and path not in found]
        assert not missing, (what, missing)
        around = "".join(
            file.read_text(encoding="utf-8")
            for path in found
            for file in _sources(ROOT / "src/slicewright" / path)
        )
        for name in re.findall(r"`(_?[A-Za-z]+)`", where):
            assert name in around, (what, name)


def _alternatives(text: str) -> list[str]:
    """``a/{b, c}.py`` as ``a/b.py`` and ``a/c.py``."""
    found = re.fullmatch(r"(.*){(.*)}(.*)", text.replace("<problem>", "{slicing, placement}"))
    return [text] if found is None else [found[1] + word.strip() + found[3] for word in found[2].split(",")]


def _sources(path: Path) -> list[Path]:
    """A file and its neighbours; the files of a folder."""
    return sorted((path if path.is_dir() else path.parent).rglob("*.py"))
