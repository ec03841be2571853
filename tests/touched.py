"""Which test files a change touches: those that import what changed, directly or by way of other modules.

``python -m tests.touched`` prints them, the nearest to the change first, as many as fit into the time given. Imports
are read from the sources, inside functions too. A name that a package passes on leads to the module that defines it,
so that a change in one module of a package does not touch everybody who uses the package. Modules that are found by a
string (commands, solvers, studies, entry points) are followed where the string is written.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOTS = {"slicewright": "src/slicewright", "tests": "tests", "benchmarks": "benchmarks"}
"""Packages that are read, and where they are."""
COMMANDS = "slicewright.cli.commands"
"""Rooms of commands: one file a command, by its name."""
STARTER = "slicewright.cli.main"
"""Starts every command by its name: what a test touches of it are the commands that the test itself names."""
RESULTS = Path("build/tests.xml")
"""Where the last run of the tests left the seconds of each."""
UNKNOWN_S = 3.0
"""Assumed of a test file that no run has timed."""


@dataclass
class Source:
    """What one module says.

    Attributes:
        name: dotted name.
        package: dotted name of the package that relative imports start from.
        imports: its import statements, but for those that only a type checker reads.
        attributes: what it looks up in a name: (name, attribute).
        passes_on: names it imports from elsewhere: name to (module, name there).
        texts: its strings.
    """

    name: str
    package: str
    imports: list[ast.Import | ast.ImportFrom] = field(default_factory=list)
    attributes: set[tuple[str, str]] = field(default_factory=set)
    passes_on: dict[str, tuple[str, str]] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)


def read_sources(root: Path, roots: Mapping[str, str] = ROOTS) -> dict[str, Source]:
    """Every module below the packages, by dotted name."""
    sources = {}
    for top, folder in roots.items():
        for path in sorted((root / folder).rglob("*.py")):
            parts = [top, *path.relative_to(root / folder).with_suffix("").parts]
            package = ".".join(parts[:-1])
            name = package if parts[-1] == "__init__" else ".".join(parts)
            sources[name] = Source(name, package)
            _read(sources[name], ast.parse(path.read_text(encoding="utf-8")))
    return sources


def _read(source: Source, tree: ast.Module) -> None:
    """One walk: there are a million nodes in the project."""
    waiting: list[tuple[ast.AST, bool]] = [(tree, True)]
    for above, runs in waiting:
        for node in ast.iter_child_nodes(above):
            if isinstance(node, ast.Import | ast.ImportFrom):
                if runs:
                    source.imports.append(node)
                if isinstance(node, ast.ImportFrom):
                    for alias in node.names:
                        source.passes_on[alias.asname or alias.name] = (_base(source, node), alias.name)
            elif isinstance(node, ast.Constant):
                if isinstance(node.value, str):
                    source.texts.add(node.value)
            elif not isinstance(node, ast.Name | ast.expr_context | ast.operator):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    source.attributes.add((node.value.id, node.attr))
                checked = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
                waiting.append((node, runs and not checked))


def imports_of(sources: Mapping[str, Source], groups: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """Modules that each module needs.

    Args:
        sources: by dotted name.
        groups: entry-point groups and the modules that they name.
    """
    commands = _commands(sources)
    needed = {
        name: set(_imported(source, sources)) | set(_named(source, sources, commands))
        for name, source in sources.items()
    }
    for name, source in sources.items():
        for group in source.texts & groups.keys():
            needed[name] |= set(groups[group]) & sources.keys()
        folder = source.package
        while name.rpartition(".")[2].startswith("test_") and folder:
            needed[name] |= {f"{folder}.conftest"} & sources.keys()
            folder = folder.rpartition(".")[0]
        needed[name].discard(name)
    return needed


def _base(source: Source, node: ast.ImportFrom) -> str:
    """The module that a ``from`` import names."""
    if not node.level:
        return node.module or ""
    parts = source.package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [node.module])])


def _imported(source: Source, sources: Mapping[str, Source]) -> Iterator[str]:
    """Modules that the import statements lead to."""
    whole: dict[str, str] = {}
    for node in source.imports:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                home = _home(_base(source, node), alias.name, sources)
                if home:
                    yield home
        else:
            for alias in node.names:
                if alias.name in sources:
                    whole[alias.asname or alias.name] = alias.name
    for name, attribute in source.attributes:
        if name in whole:
            home = _home(whole[name], attribute, sources)
            if home:
                yield home


def _home(module: str, name: str, sources: Mapping[str, Source]) -> str | None:
    """Where a name of a module is defined, if that is one of ours."""
    for _ in range(9):  # packages pass names on from packages
        if f"{module}.{name}" in sources:
            return f"{module}.{name}"
        if module not in sources:
            return None
        onward = sources[module].passes_on.get(name)
        if onward is None or onward[0] not in sources:
            return module
        module, name = onward
    return module


def _commands(sources: Iterable[str]) -> dict[str, list[str]]:
    """Modules of commands, by the command's name."""
    found: dict[str, list[str]] = {}
    for module in sources:
        home, _, name = module.rpartition(".")
        if home.rpartition(".")[0] == COMMANDS:
            found.setdefault(name, []).append(module)
    return found


def _named(
    source: Source, sources: Mapping[str, Source], commands: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Modules whose names are written as strings: whole, with ``:name`` behind, or within the same package."""
    command_line = source.name.startswith("tests") and any("slicewright" in text for text in source.texts)
    for text in source.texts:
        name = text.partition(":")[0]
        if not re.fullmatch(r"[A-Za-z_][\w.]*", name):
            continue
        candidates = [name] if "." in name else []
        if source.name != STARTER:
            candidates.append(f"{source.package}.{name}")
        if command_line:
            candidates += commands.get(name, ())
        yield from (candidate for candidate in candidates if candidate in sources)


def entry_points(root: Path) -> dict[str, list[str]]:
    """Modules that the project's own entry points name, by group."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = project.get("entry-points", {})
    return {group: [value.partition(":")[0] for value in points.values()] for group, points in groups.items()}


def distances(changed: Iterable[str], needed: Mapping[str, set[str]]) -> dict[str, int]:
    """Imports between each module and the nearest changed one, for those that reach any."""
    users: dict[str, set[str]] = {}
    for name, others in needed.items():
        for other in others:
            users.setdefault(other, set()).add(name)
    steps = dict.fromkeys(changed, 0)
    queue = deque(steps)
    while queue:
        here = queue.popleft()
        for user in users.get(here, set()) - steps.keys():
            steps[user] = steps[here] + 1
            queue.append(user)
    return steps


def changed_modules(paths: Iterable[str], sources: Mapping[str, Source]) -> set[str]:
    """Modules that files belong to: themselves, the package around them, or the tests that name them."""
    found = set()
    for path in map(Path, paths):
        name = _module_name(path)
        if name in sources:
            found.add(name)
        elif path.suffix == ".py":
            continue  # it is gone, and who imported it has changed too
        elif package := next((p for p in map(_module_name, path.parents) if p in sources), ""):
            found |= {name for name in sources if name == package or sources[name].package == package}
        else:
            found |= {name for name, source in sources.items() if path.name in source.texts}
    return found


def _module_name(path: Path) -> str:
    for top, folder in ROOTS.items():
        if path.is_relative_to(folder):
            inside = path.relative_to(folder)
            parts = [top, *inside.parts[:-1], *filter(None, [inside.stem])]
            return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return ""


def changed_files(root: Path, base: str | None = None) -> list[str]:
    """Files that differ from where this branch left main, or from the last commit but one where it has not."""

    def git(*words: str) -> list[str]:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
        return done.stdout.splitlines()

    fork = [base] if base else git("merge-base", "HEAD", "main")
    found = git("diff", "--name-only", *fork) + git("ls-files", "--others", "--exclude-standard")
    return sorted({*(found or git("diff", "--name-only", "HEAD~1"))})


def seconds_of_files(results: Path) -> dict[str, float]:
    """s that the tests of each module took in a run, from its JUnit file."""
    seconds: dict[str, float] = {}
    if results.exists():
        for case in ElementTree.parse(results).iter("testcase"):
            name = case.get("classname", "")
            seconds[name] = seconds.get(name, 0.0) + float(case.get("time", 0.0))
    return seconds


def main() -> None:
    """Print the test files, and on standard error what was left out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--base", help="compare with this commit instead of main")
    parser.add_argument("--seconds", type=float, default=120.0, help="of one core that the tests may take")
    given = parser.parse_args()
    sources = read_sources(ROOT)
    files = changed_files(ROOT, given.base)
    steps = distances(changed_modules(files, sources), imports_of(sources, entry_points(ROOT)))
    took = seconds_of_files(ROOT / RESULTS)
    tests = sorted((d, name) for name, d in steps.items() if name.rpartition(".")[2].startswith("test_"))
    left = given.seconds
    kept: list[str] = []
    for _, name in tests:
        left -= took.get(name, UNKNOWN_S)
        if left >= 0 or not kept:
            kept.append(name.replace(".", "/") + ".py")
    print("\n".join(kept))
    print(
        f"{len(files)} files changed; {len(kept)} of {len(tests)} test files that they touch, the nearest first",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
