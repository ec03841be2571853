"""Which code something was made by: part of the key of what is kept on disk, so that nothing stale is used again.

What a source does counts, not how it is explained: comments, layout and docstrings may change, and hours of solving
and training stay valid.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_DIGITS = 12
_WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def code_version(*modules: str) -> str:
    """The first digits of the SHA-256 of what some modules and packages do, whole, whatever their order.

    The same sources have another version under another Python, whose syntax trees may differ.

    Args:
        modules: dotted names; a package stands for every file below it.

    Raises:
        ModuleNotFoundError: there is no source of that name.
    """
    whole = hashlib.sha256()
    for file in sorted({file for name in modules for file in _sources(name)}):
        whole.update(file.name.encode())
        whole.update(meaning(file.read_text(encoding="utf-8")).encode())
    return whole.hexdigest()[:_DIGITS]


def meaning(source: str) -> str:
    """A source's syntax tree as text, without comments, layout, docstrings and other strings that stand alone."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, _WITH_DOCSTRING):
            node.body = [part for part in node.body if not _says_only(part)] or [ast.Pass()]
    return ast.dump(tree)


def _says_only(statement: ast.stmt) -> bool:
    """Whether a statement is a string that nothing uses: a docstring, or what stands below a constant."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _sources(module: str) -> list[Path]:
    found = find_spec(module)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"there is no source of {module}", name=module)
    file = Path(found.origin)
    return sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]
