"""The house stays one in which a stranger finds the room: sizes, names, and the drawing in CONTRIBUTING.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from slicewright import placement, slicing
from slicewright.judging import BrokenRules
from slicewright.kernel_cache import READY
from tests.shared import ROOT

SRC = ROOT / "src" / "slicewright"
MOST_FILES, MOST_LINES, MOST_LINES_OF_A_FUNCTION = 14, 400, 60
CODE = ("src", "tests", "benchmarks", "documentation", "scripts")
TEXTS = (*CODE, "docs")
OLD_NAMES = (
    r"\bBook\b",
    r"\bas_known\b",
    r"\bmake_room\b",
    r"\bfilled_cost_of\b",
    r"\bsave_model\b",
    r"\bdevice_documents\b",
    r"\bprice_(few|many)\b",
    r"\bmade: Design\b",
    r"class (Shared|Room)\b",
    r"\(floor \d\)",
    r"goes home|planned around|nothing to let go of",
)
"""What rooms, values and phrases were called when nobody could guess what they meant."""
OLD_FILES = (
    {"few", "many", "folding", "crossing", "gains", "kinds", "nested"}
    | {"draft", "standing", "reports", "manager", "managing", "planning", "decider", "free"}
    | {"node_sets", "node_parts", "node_bounds", "node_search", "node_relaxation"}
)
"""Names of files that did not say what is in them, or said it twice."""


def sources(*folders: str, ending: str = "py") -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob(f"*.{ending}"))


def functions(path: Path) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, list[str]]]:
    """Every function of a file, and its lines with the comment above it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    waiting: list[ast.AST] = [ast.parse("\n".join(lines))]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, ast.expr):
                continue  # no function is in one, and most of what a file says is
            waiting.append(node)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
                while start and lines[start - 1].lstrip().startswith("#"):
                    start -= 1
                yield node, lines[start : node.end_lineno]


def test_no_folder_has_more_files_than_one_looks_over() -> None:
    counts: dict[Path, int] = {}
    for path in SRC.rglob("*"):
        if path.is_file() and path.suffix != ".pyc" and READY not in path.parents:
            counts[path.parent.relative_to(SRC)] = counts.get(path.parent.relative_to(SRC), 0) + 1
    assert len(counts) > 50
    assert {str(folder): n for folder, n in counts.items() if n > MOST_FILES} == {}


def test_a_file_that_is_long_says_why() -> None:
    files = [*sources(*CODE), *sources("src", ending="js"), *sources("src", ending="css")]
    assert len(files) > 500
    long = {}
    for path in files:
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > MOST_LINES and not any("Over 400 lines" in line for line in lines[:30]):
            long[str(path.relative_to(ROOT))] = len(lines)
    assert long == {}


def test_a_function_that_is_long_says_why() -> None:
    seen, silent = 0, []
    for path in sources(*CODE):
        for node, lines in functions(path):
            seen += 1
            long = (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_FUNCTION
            if long and not any("Over 60 lines" in line for line in lines if line.lstrip().startswith("#")):
                silent.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert seen > 3000
    assert silent == []


def test_old_names_are_gone() -> None:
    old = re.compile("|".join(OLD_NAMES))
    here = Path(__file__)
    texts = [*sources(*CODE), *sources(*TEXTS, ending="md"), *ROOT.glob("*.md")]
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in texts
        if path not in (here, ROOT / "CHANGELOG.md")
        for match in old.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
    assert not [path for path in sources("src") if path.stem in OLD_FILES]
    defined = {
        name
        for path in sources("src")
        for name in re.findall(r"\bdef (\w+)", path.read_text(encoding="utf-8"))
    }
    assert not defined & {"few", "many", "folding", "crossing", "gains", "kinds", "nested", "_rebalanced"}


def drawing() -> dict[str, str]:
    """The rooms that CONTRIBUTING.md draws, each with what it says is in it; the imports on the right are left out."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    heading, *lines = page.split("## The house")[1].split("```")[1].strip().splitlines()
    right = heading.index("may import")
    rooms: dict[str, str] = {}
    name = ""
    for line in lines:
        row = re.match(r"  (\S+(?:, \S+)*)(?:\s{2,}|$)", line[:right])
        if row:
            name = row[1]
        rooms[name] = f"{rooms.get(name, '')} {line[:right].strip()}"
    return rooms


def test_the_drawing_shows_every_room_and_no_other() -> None:
    named = {word.strip("/,") for text in drawing().values() for word in re.findall(r"\w+/?", text)}
    there = {path.stem for path in SRC.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert there - named == {"__init__", "__main__"}
    for name, text in drawing().items():
        if not name.endswith("/"):
            continue
        for room, inner in re.findall(r"(\w+(?:/\w+)*)/({[^}]*})?", text):
            for part in re.findall(r"\w+", inner) or [""]:
                path = room if room == name.rstrip("/") else f"{name}{room}"
                assert (SRC / path / part).is_dir(), f"{name}: {room}/{part}"


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/design/index.md"])
def test_pages_about_the_house_name_paths_that_are_there(page: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    paths = {
        path
        for path in re.findall(r"`([\w./]+/[\w./]*)`", text)
        if not path.startswith(("build/", ".."))
        and path != "_kernels/"  # that is made, elsewhere, or in many rooms
    }
    missing = [
        path for path in paths if not any((base / path).exists() for base in (ROOT, SRC, ROOT / "docs"))
    ]
    assert paths and missing == []


MIRRORED = {
    "{problem}": ("judge", "plan", "plan_file", "search", "certificate"),
    "policies/{problem}": ("policy", "registry", "methods", "learned"),
    "models/{problem}": ("features", "session"),
    "learning/{problem}": ("batches", "networks", "onnx_graphs", "metrics", "recipes"),
    "evaluation/reproduction/{problem}": ("models", "tables"),
    "testing": ("{problem}",),
}
"""Rooms of both problems, and the files that both have."""


def test_both_problems_have_the_same_files_and_one_rule_of_what_is_broken() -> None:
    paths = [
        SRC / room.format(problem=problem) / name.format(problem=problem)
        for problem in ("slicing", "placement")
        for room, names in MIRRORED.items()
        for name in names
    ]
    assert not [path for path in paths if not path.is_dir() and not path.with_suffix(".py").is_file()]
    assert issubclass(slicing.Violations, BrokenRules) and issubclass(placement.Violations, BrokenRules)
