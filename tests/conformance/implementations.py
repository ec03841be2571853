"""Which classes of a room implement an interface: a suite that names its implementations must not forget one."""

from __future__ import annotations

import inspect
import pkgutil
import re
from importlib import import_module
from types import ModuleType


def implementations(room: ModuleType, interface: type) -> set[str]:
    """Names of the classes defined anywhere in a package that have every public member of a protocol."""
    wanted = {name for name in vars(interface) if not name.startswith("_")} | set(
        inspect.get_annotations(interface)
    )
    names = [info.name for info in pkgutil.walk_packages(room.__path__, f"{room.__name__}.")]
    found = {
        thing
        for name in names
        for thing in vars(import_module(name)).values()
        if inspect.isclass(thing) and thing.__module__ == name and thing is not interface
    }
    return {thing.__name__ for thing in found if wanted <= _members(thing)}


def _members(thing: type) -> set[str]:
    """What instances have, those named by assignments to ``self`` too."""
    return set(dir(thing)) | set(re.findall(r"self\.(\w+)", inspect.getsource(thing)))
