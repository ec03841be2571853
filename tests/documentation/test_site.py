"""What the site promises: public names are documented, pages are found, and every example on them runs."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shutil
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

import slicewright
from documentation import commands, http_api, reference
from documentation.examples import ExampleError, examples_of, made_files, run_page, with_outputs
from documentation.hooks import on_page_content
from documentation.notebooks import notebook
from slicewright.cli.main import COMMANDS
from tests.shared import ROOT

PAGES = sorted((ROOT / "docs").rglob("*.md"))
WITH_EXAMPLES = [page for page in PAGES if examples_of(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("room", reference.ROOMS)
def test_public_names_say_what_they_are(room: str) -> None:
    module = import_module(room)
    for name in reference.names_of(room):
        value = getattr(module, name)
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        assert inspect.getdoc(value), f"{room}.{name}"
        for member, found in vars(value).items() if inspect.isclass(value) else ():
            if not member.startswith("_") and (inspect.isfunction(found) or isinstance(found, property)):
                assert inspect.getdoc(found), f"{room}.{name}.{member}"


def test_public_constants_say_what_they_are() -> None:
    """By the text that follows on their assignment, where the reference reads it."""
    told: dict[str, bool] = {}
    for path in (ROOT / "src/slicewright").rglob("*.py"):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for assigned, after in pairwise([*module.body, ast.Pass()]):
            targets = (
                [assigned.target] if isinstance(assigned, ast.AnnAssign) else getattr(assigned, "targets", [])
            )
            for target in targets:
                if isinstance(target, ast.Name) and target.id.isupper():
                    text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                    home = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
                    told[f"{home}.{target.id}"] = text
    for room in reference.ROOMS:
        for name in reference.names_of(room):
            homes = [path for path in told if path.endswith(f".{name}") and path.startswith(_part_of(room))]
            assert not homes or any(told[path] for path in homes), (room, name, homes)


def _part_of(room: str) -> str:
    """The part of the house that a room re-exports names of."""
    return ".".join(room.split(".")[:2])


def test_arguments_of_public_functions_are_explained() -> None:
    """A function with a section of arguments says something of each of them."""
    for path in reference.homes().values():
        value = getattr(import_module(path.rpartition(".")[0]), path.rpartition(".")[2])
        text = inspect.getdoc(value) or ""
        if not inspect.isfunction(value) or "Args:" not in text:
            continue
        section = text.split("Args:")[1].split("Returns:")[0].split("Raises:")[0]
        said = {
            name.strip().lstrip("*")
            for line in section.splitlines()
            if ":" in line
            for name in line.split(":")[0].split(",")
        }
        assert set(inspect.signature(value).parameters) - said == set(), path


def test_every_page_is_found_from_the_navigation() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in PAGES}
    made = {"api/index.md", "http-api.md", "command-line.md"}
    assert set(_leaves(site["nav"])) == pages | made


def _leaves(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    else:
        for inner in found.values() if isinstance(found, dict) else found:
            yield from _leaves(inner)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_examples_can_be_read(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    examples = examples_of(text)
    for example in examples:
        if example.language == "python" and "fails" not in example.words:
            ast.parse(example.code)
    assert examples or not made_files(text)
    assert text.count("```") % 2 == 0
    assert "```python run" not in with_outputs(text, [""] * len(examples))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_list_begins_after_an_empty_line(page: Path) -> None:
    """Else it is more text of the paragraph above it on the site, though not where the repository shows the page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    blocks = [re.sub(r"\A\s*#[^\n]*\n", "", block) for block in text.split("\n\n")]
    broken = [block for block in blocks if "\n- " in block and not re.match(r"\s*(- |\d+\. )", block)]
    assert not broken


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda path: path.stem)
def test_examples_run(page: Path, tmp_path: Path) -> None:
    """And what they print makes the notebook that the site offers."""
    text = page.read_text(encoding="utf-8")
    for program in ("curl", "nats-server", "openssl"):
        if re.search(rf"^{program} ", text, re.MULTILINE) and shutil.which(program) is None:
            pytest.skip(f"this machine lacks the program {program}")
    outputs = run_page(page.name, examples_of(text), tmp_path / "page")
    assert any(outputs)
    for name in made_files(text):
        assert (tmp_path / "page" / name).stat().st_size > 0
    cells = json.loads(notebook(text, outputs))["cells"]
    assert sum(cell["cell_type"] == "code" for cell in cells) == len(outputs)


def test_commands_of_examples_end_as_programs_of_their_own_do(tmp_path: Path) -> None:
    calls = (
        "command -v slicewright; slicewright --version; echo $?; slicewright plan nowhere 2> why || echo $?"
    )
    started = (
        "slicewright serve paper-slicing --port 0 > log 2>&1 & sleep 0.5; kill $!; wait $! || true; echo gone"
    )
    killed = (
        "slicewright serve paper-slicing --port 0 > >(cat > log; touch ended) 2>&1 & sleep 0.5; kill -9 $!; "
        "wait $! || true; for _ in $(seq 300); do [ -e ended ] && break; sleep 0.1; done; ls ended"
    )
    text = "".join(
        f"```bash run {fails}\n{code}\n```\n\n"
        for code, fails in ((calls, ""), ("slicewright plan nowhere", "fails"), (started, ""), (killed, ""))
    )
    printed, complained, ended, gone = run_page("page.md", examples_of(text), tmp_path / "page")
    program, *told = printed.splitlines()
    assert told == [f"slicewright {slicewright.__version__}", "0", "2"]
    assert (tmp_path / "page" / "why").read_text() == complained
    assert complained.startswith("slicewright: there is no file or preset 'nowhere'")
    assert ended == "gone\n"
    assert gone == "ended\n"
    assert not Path(program).exists()


def test_a_function_is_documented_where_a_module_has_its_name() -> None:
    homes = reference.homes()
    assert homes["slicewright.placement.judge"] == "slicewright.placement.judge.judge"
    assert "::: slicewright.placement.judge.judge\n" in reference.room_page("slicewright.placement")
    assert homes["slicewright.policies.slicing.policy"] == "slicewright.policies.slicing.registry.policy"


def test_what_a_class_has_from_one_without_a_page_is_shown_with_it() -> None:
    shown = reference.room_page("slicewright").split("::: slicewright.Violations\n")[1].splitlines()[1]
    assert {"broken", "explain", "feasible"} <= set(re.findall(r"\w+", shown))
    assert "inherited_members" not in reference.room_page("slicewright.solvers")


def test_an_example_that_fails_is_told_by_page_and_line(tmp_path: Path) -> None:
    text = "# Page\n\n```python run\nprint(1)\n```\n\n```python run\nprint(2)\n1 / 0\n```\n"
    with pytest.raises(ExampleError, match=r"page\.md, line 7(.|\n)*ZeroDivisionError"):
        run_page("page.md", examples_of(text), tmp_path / "page")
    tamed = text.replace("python run\nprint(2)", "python run fails\nprint(2)")
    assert run_page("page.md", examples_of(tamed), tmp_path / "page") == [
        "1\n",
        "2\nZeroDivisionError: division by zero\n",
    ]
    with pytest.raises(ExampleError, match="was to fail"):
        run_page("page.md", examples_of(tamed.replace("1 / 0", "")), tmp_path / "page")


def test_a_page_is_a_notebook_too() -> None:
    text = "# Page\n\n```python run\nprint(1)\n```\n\n![it](made:a.png)\n\n```text save=a.txt\nhello\n```\n"
    cells = json.loads(notebook(text, ["1\n", ""]))["cells"]
    assert [cell["cell_type"] for cell in cells] == ["markdown", "code", "markdown", "code"]
    assert cells[1]["source"] == "print(1)" and cells[1]["outputs"][0]["text"] == "1\n"
    assert cells[2]["source"] == "![it](a.png)"
    assert cells[3]["source"] == "%%writefile a.txt\nhello"
    assert len({cell["id"] for cell in cells}) == 4


def test_a_touch_opens_a_picture_in_its_full_size() -> None:
    page: Any = None  # which only equations that cannot be drawn are told by
    shown = on_page_content('<p><img alt="A map" src="../made/plan.png" /></p>', page, page, page)
    assert '<a href="../made/plan.png"' in shown and '<img alt="A map" src="../made/plan.png" /></a>' in shown
    assert on_page_content("<p>text</p>", page, page, page) == "<p>text</p>"


def test_files_that_pages_name_are_there() -> None:
    """With their folder below the package, or by their name alone where a sentence has said in which folder."""
    package = ROOT / "src/slicewright"
    names = {path.name for path in package.rglob("*.py")}
    for page in ("design/index.md", "model.md", "certified.md"):
        told = re.findall(r"`([\w/]+(?:\.py|/))`", (ROOT / "docs" / page).read_text(encoding="utf-8"))
        paths = [name for name in told if name != "src/slicewright/"]
        assert paths, page
        for name in paths:
            below = (package / name).exists() or any(package.rglob(name.rstrip("/")))
            assert below if "/" in name else name in names, (page, name)


def test_the_gallery_has_sixteen_figures_each_made_by_its_code() -> None:
    text = (ROOT / "docs/gallery.md").read_text(encoding="utf-8")
    code = "".join(example.code for example in examples_of(text))
    made = made_files(text)
    assert len(made) >= 16
    assert [name for name in made if name not in code] == []


def test_every_page_of_how_to_has_an_executed_example_and_a_figure() -> None:
    for page in [*(ROOT / "docs/how-to").glob("*.md"), ROOT / "docs/environments.md"]:
        text = page.read_text(encoding="utf-8")
        assert any(not example.saved_as and "quiet" not in example.words for example in examples_of(text)), (
            page
        )
        assert re.search(r"!\[[^\]]+\]\([^)]+\)", text), page


def test_every_command_has_a_section() -> None:
    page = commands.page()
    for name in COMMANDS:
        assert f"\n## `slicewright {name}`" in page
    assert "`--budget`" in page


def test_every_operation_and_document_of_the_http_api_has_a_section() -> None:
    found = http_api.schema()
    page = http_api.page(found)
    for path, methods in found["paths"].items():
        for method in methods:
            assert f"### `{method.upper()} {path}`" in page
    for name in found["components"]["schemas"]:
        assert f"{{ #document-{name} }}" in page
