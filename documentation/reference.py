"""Pages of the API reference: which public names there are, room by room, and where each of them is documented."""

from __future__ import annotations

import inspect
from functools import cache
from importlib import import_module
from importlib.util import find_spec

ROOMS: dict[str, str] = {
    "slicewright": "Everything that most programs need.",
    "slicewright.network": "The physical world: scenarios, radio, presets. No decisions.",
    "slicewright.network.importers": "Scenarios from the files of other tools.",
    "slicewright.slicing": "Problem one: decisions, shares, judge, search and bound.",
    "slicewright.placement": "Problem two: divisible tasks on in-network nodes.",
    "slicewright.policies.slicing": "Methods of slicing by name, and the planner that calls them.",
    "slicewright.policies.placement": "Methods of placement by name, and the placer that calls them.",
    "slicewright.labels": "Solved instances as a product.",
    "slicewright.simulation": "Networks over time.",
    "slicewright.simulation.environments": "Environments of Gymnasium and PettingZoo.",
    "slicewright.simulation.validation": "Measured queues beside the model's formulas.",
    "slicewright.solvers": "SCIP, HiGHS, Ipopt and Gurobi behind one result.",
    "slicewright.enforcement.export": "Plans as configuration of radios and clusters.",
    "slicewright.control.http": "The HTTP application of the control plane.",
    "slicewright.testing": "Contracts that methods of your own can be held against.",
}
"""Rooms whose ``__all__`` is public, with what they are for."""


def names_of(room: str) -> list[str]:
    """Public names of a room, in alphabetical order, capitals first as in ``__all__``."""
    return sorted(name for name in import_module(room).__all__ if not name.startswith("__"))


@cache
def homes() -> dict[str, str]:
    """For every place where a name can be had, the one that documents it: the first room in order that has it."""
    first: dict[int, str] = {}
    found = {}
    for room in ROOMS:
        module = import_module(room)
        for name in names_of(room):
            path = f"{room}.{name}"
            value = getattr(module, name)
            shared = callable(value)  # two constants may be the same number, and are not the same name
            own = _read_at(path, value)
            found[path] = first.setdefault(id(value), own) if shared else own
    return found


def _read_at(path: str, value: object) -> str:
    """Where a name is read: that of a function which hides a module of the same name would lead to the module."""
    if not inspect.isfunction(value) or find_spec(path) is None:
        return path
    return f"{value.__module__}.{value.__qualname__}"


def page_name(room: str) -> str:
    """File of a room's page."""
    return f"api/{room}.md"


def room_page(room: str) -> str:
    """The page of a room, for mkdocstrings to fill."""
    lines = [f"# `{room}`", "", ROOMS[room], ""]
    elsewhere = []
    for name in names_of(room):
        home = homes()[f"{room}.{name}"]
        value = getattr(import_module(room), name)
        if home == _read_at(f"{room}.{name}", value):
            lines += [f"::: {home}", *_inherited(value), ""]
        else:
            elsewhere.append(f"[`{name}`][{home}]")
    if elsewhere:
        lines += [
            "## Documented elsewhere",
            "",
            "To be had from here as well: " + ", ".join(elsewhere) + ".",
            "",
        ]
    return "\n".join(lines)


def _inherited(value: object) -> list[str]:
    """What a class has from one of ours that no page documents, for mkdocstrings to show with it."""
    if not inspect.isclass(value):
        return []
    documented = {getattr(import_module(room), name) for room in ROOMS for name in _classes_of(room)}
    hidden = [
        base
        for base in value.__mro__[1:]
        if base.__module__.startswith("slicewright.") and base not in documented
    ]
    members = sorted({name for base in hidden for name in vars(base) if not name.startswith("_")})
    return ["    options:", f"      inherited_members: [{', '.join(members)}]"] if members else []


@cache
def _classes_of(room: str) -> list[str]:
    return [name for name in names_of(room) if inspect.isclass(getattr(import_module(room), name))]


def index_page() -> str:
    """All rooms with their names."""
    lines = ["# Python", "", "Import from the package what is there, and everything else from its room.", ""]
    lines += ["| room | what for | names |", "|---|---|---|"]
    for room, line in ROOMS.items():
        names = ", ".join(f"[`{name}`][{homes()[f'{room}.{name}']}]" for name in names_of(room))
        lines.append(f"| [`{room}`]({room}.md) | {line} | {names} |")
    return "\n".join([*lines, ""])
