"""Which vertex of a graph is an access point, a COIN node or a MEC server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from slicewright.errors import InvalidScenarioError, nearest

if TYPE_CHECKING:
    import networkx as nx

_KINDS = {
    "access_point": "access_point", "access point": "access_point", "ap": "access_point", "gnb": "access_point",
    "coin": "coin", "mec": "mec",
}  # fmt: skip
_LEFT_OUT = ("router", "switch", "other")


class Roles(NamedTuple):
    """Indices of vertices by role, and the rule that chose them."""

    access_points: tuple[int, ...]
    coins: tuple[int, ...]
    mecs: tuple[int, ...]
    rule: str


def _degree(graph: nx.Graph) -> Mapping[Any, float]:
    return dict(graph.degree())


def _betweenness(graph: nx.Graph) -> Mapping[Any, float]:
    import networkx as nx

    return dict(nx.betweenness_centrality(graph))


ROLE_RULES: Mapping[str, Callable[[nx.Graph], Mapping[Any, float]]] = MappingProxyType(
    {"degree": _degree, "betweenness": _betweenness}
)
"""How central a vertex is; the most central ones compute."""


def assign_roles(graph: nx.Graph, names: Sequence[str], *, rule: str, coins: int, mecs: int) -> Roles:
    """Roles by the attribute ``kind`` or by a rule of :data:`ROLE_RULES`; ``auto`` prefers the attribute.

    Args:
        graph: the vertices, in order.
        names: their names, for messages.
        rule: ``auto``, ``kind`` or a rule's name.
        coins, mecs: for a rule: how many; 0 COIN nodes stand for a third of the vertices.

    Raises:
        InvalidScenarioError: an unknown kind, or no access point or no node would be left.
    """
    kinds = [data.get("kind") for _, data in graph.nodes(data=True)]
    if rule == "kind" or (rule == "auto" and any(kind is not None for kind in kinds)):
        return _by_kind(kinds, names)
    return _by_rule(graph, "degree" if rule == "auto" else rule, coins, mecs)


def _by_kind(kinds: Sequence[object], names: Sequence[str]) -> Roles:
    found: dict[str, list[int]] = {"access_point": [], "coin": [], "mec": []}
    for v, kind in enumerate(kinds):
        word = str(kind).strip().lower()
        if word in _KINDS:
            found[_KINDS[word]].append(v)
        elif kind is not None and word not in _LEFT_OUT:
            known = (*_KINDS, *_LEFT_OUT)
            raise InvalidScenarioError(
                "nodes",
                f"{names[v]!r} has a kind that is not known{nearest(word, known)}",
                index=(v,),
                value=kind,
            )
    if not found["access_point"]:
        raise InvalidScenarioError("nodes", "none has the kind access_point; there must be at least one")
    if not found["coin"] and not found["mec"]:
        raise InvalidScenarioError("nodes", "none has the kind coin or mec; there must be at least one")
    return Roles(tuple(found["access_point"]), tuple(found["coin"]), tuple(found["mec"]), "kind")


def _by_rule(graph: nx.Graph, rule: str, coins: int, mecs: int) -> Roles:
    count = graph.number_of_nodes()
    coins = coins or count // 3
    if not 1 <= coins + mecs < count:
        raise InvalidScenarioError(
            "coins",
            f"{coins} COIN nodes and {mecs} MEC servers must be at least one node and leave an access point "
            f"of {count} vertices",
        )
    centrality = ROLE_RULES[rule](graph)
    order = np.argsort([-centrality[vertex] for vertex in graph.nodes], kind="stable").tolist()
    rest = sorted(order[mecs + coins :])
    return Roles(tuple(rest), tuple(sorted(order[mecs : mecs + coins])), tuple(sorted(order[:mecs])), rule)
