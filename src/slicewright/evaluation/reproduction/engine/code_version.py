"""Which code something was made by: part of the key of what is kept on disk, so that nothing stale is used again."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_DIGITS = 12


@cache
def code_version(*modules: str) -> str:
    """The first digits of the SHA-256 of the sources of some modules and packages, whole, whatever their order.

    Args:
        modules: dotted names; a package stands for every file below it.

    Raises:
        ModuleNotFoundError: there is no source of that name.
    """
    whole = hashlib.sha256()
    for file in sorted({file for name in modules for file in _sources(name)}):
        whole.update(file.name.encode())
        whole.update(file.read_bytes())
    return whole.hexdigest()[:_DIGITS]


def _sources(module: str) -> list[Path]:
    found = find_spec(module)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"there is no source of {module}", name=module)
    file = Path(found.origin)
    return sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]
