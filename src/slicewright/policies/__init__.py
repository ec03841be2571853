"""Methods by name, for both problems: what a method is, the registry, our own methods, and the call that uses them.

``slicewright.policies()``, the list of methods of problem one, is a public function with this package's name. Python
binds a package that is imported to its parent, over the function; so the package answers the same call.
"""

from __future__ import annotations

import sys
from types import ModuleType


class _Room(ModuleType):
    def __call__(self) -> list[str]:
        """Names of all methods of problem one that can be used here, ours first."""
        from slicewright.policies.slicing.registry import policies

        return policies()


sys.modules[__name__].__class__ = _Room
