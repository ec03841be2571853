"""Headers of a request as the guards look at them: every name once, found in one step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope


class KnownHeaders(Headers):
    """As the framework's, which goes through all of them, and decodes what it passes, for each name that is asked for.

    Args:
        scope: of the request; of a name that comes twice the first counts, as there.
    """

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in reversed(self._list))
        self._first = dict(pairs)

    def __getitem__(self, key: str) -> str:
        return self._first[key.lower()]

    def get(self, key: str, default: Any = None) -> Any:
        """The value under a name, or something else."""
        return self._first.get(key.lower(), default)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._first

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)
