"""Pages of the API reference: which public names there are, room by room, and where each of them is documented."""

from __future__ import annotations

from functools import cache
from importlib import import_module

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
            found[path] = first.setdefault(id(value), path) if shared else path
    return found


def page_name(room: str) -> str:
    """File of a room's page."""
    return f"api/{room}.md"


def room_page(room: str) -> str:
    """The page of a room, for mkdocstrings to fill."""
    lines = [f"# `{room}`", "", ROOMS[room], ""]
    elsewhere = []
    for name in names_of(room):
        home = homes()[f"{room}.{name}"]
        if home == f"{room}.{name}":
            lines += [f"::: {home}", ""]
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


def index_page() -> str:
    """All rooms with their names."""
    lines = ["# Python", "", "Import from the package what is there, and everything else from its room.", ""]
    lines += ["| room | what for | names |", "|---|---|---|"]
    for room, line in ROOMS.items():
        names = ", ".join(f"[`{name}`][{homes()[f'{room}.{name}']}]" for name in names_of(room))
        lines.append(f"| [`{room}`]({room}.md) | {line} | {names} |")
    return "\n".join([*lines, ""])
