"""Which vertex of a graph is an access point, a COIN node, a MEC server or a user."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from slicewright.errors import InvalidScenarioError, nearest
from slicewright.network.importers.report import ImportReport, listed

if TYPE_CHECKING:
    import networkx as nx

_KINDS = {
    "access_point": "access_point", "access point": "access_point", "ap": "access_point", "gnb": "access_point",
    "coin": "coin", "mec": "mec", "user": "user", "ue": "user",
}  # fmt: skip
_OTHERS_WORDS = {
    word: role
    for role, words in {
        "access_point": "accesspoint ap gnb gnodeb enb enodeb nodeb bs bts basestation cell macrocell macro microcell "
        "micro picocell pico femtocell femto smallcell antenna aau rrh rru ru oru radio radiounit hotspot wifi ran",
        "coin": "coin fog fognode edge edgenode cloudlet smartnic p4",
        "mec": "mec mecserver mechost server edgeserver edgehost cloud datacenter datacentre dc edgecloud compute",
        "user": "user ue userequipment mobile device enddevice vehicle client",
    }.items()
    for word in words.split()
}
"""What other people call them, in lower case and without anything between words."""
_TELLING = frozenset(
    {
        *("mec", "fog", "cloudlet", "datacenter", "datacentre", "server"),
        *("gnb", "gnodeb", "enb", "enodeb", "bts", "bs", "cell", "rrh", "ue"),
    }
)
"""Words that tell what a vertex is within others, too: ``M1_MEC``, ``edge cell 7``."""
_CARRYING = frozenset(
    {
        *("router", "switch", "gateway", "gw", "link", "controller"),
        *("core", "backbone", "transport", "fibre", "fiber"),
    }
)
"""Words beside which those say nothing: ``cell router``."""
_LEFT_OUT = ("router", "switch", "other")
_OTHER_ATTRIBUTES = ("kind", "type", "role", "node_type", "nodetype", "category", "class", "layer")


class Roles(NamedTuple):
    """Indices of vertices by role, and the rule that chose them."""

    access_points: tuple[int, ...]
    coins: tuple[int, ...]
    mecs: tuple[int, ...]
    rule: str
    users: tuple[int, ...] = ()


def _degree(graph: nx.Graph) -> Mapping[Any, float]:
    return dict(graph.degree())


def _betweenness(graph: nx.Graph) -> Mapping[Any, float]:
    import networkx as nx

    return dict(nx.betweenness_centrality(graph))


ROLE_RULES: Mapping[str, Callable[[nx.Graph], Mapping[Any, float]]] = MappingProxyType(
    {"degree": _degree, "betweenness": _betweenness}
)
"""How central a vertex is; the most central ones compute."""


def assign_roles(
    graph: nx.Graph,
    names: Sequence[str],
    *,
    rule: str,
    coins: int,
    mecs: int,
    foreign: bool = False,
    report: ImportReport | None = None,
) -> Roles:
    """Roles by the attribute ``kind`` or by a rule of :data:`ROLE_RULES`; ``auto`` prefers the attribute.

    Args:
        graph: the vertices, in order.
        names: their names, for messages.
        rule: ``auto``, ``kind`` or a rule's name.
        coins, mecs: for a rule: how many; 0 COIN nodes stand for a third of the vertices.
        foreign: the file is another tool's: what it calls things (``type: cell``, labels such as ``gNB North``) is
            taken as far as it is understood.
        report: where is noted what was understood, and who was left out.

    Raises:
        InvalidScenarioError: an unknown kind, or no access point or no node would be left.
    """
    report = report or ImportReport()
    kinds = [data.get("kind") for _, data in graph.nodes(data=True)]
    if not foreign and (rule == "kind" or (rule == "auto" and any(kind is not None for kind in kinds))):
        return _by_kind(kinds, names, report)
    if rule in ("auto", "kind"):
        found = _by_others_words(graph, names, report)
        if found is not None:
            return found
        if rule == "kind":
            raise InvalidScenarioError("roles", "no attribute of the vertices says what they are", value=rule)
    chosen = _by_rule(graph, "degree" if rule == "auto" else rule, coins, mecs)
    report.note(
        "made_up",
        f"which vertices are access points ({len(chosen.access_points)}), COIN nodes ({len(chosen.coins)}) and MEC "
        f"servers ({len(chosen.mecs)}): by {chosen.rule}",
        remember=True,
    )
    return chosen


def _by_kind(kinds: Sequence[object], names: Sequence[str], report: ImportReport) -> Roles:
    found: dict[str, list[int]] = {"access_point": [], "coin": [], "mec": [], "user": []}
    left: list[str] = []
    for v, kind in enumerate(kinds):
        word = str(kind).strip().lower()
        if word in _KINDS:
            found[_KINDS[word]].append(v)
            continue
        if kind is not None and word not in _LEFT_OUT:
            known = (*_KINDS, *_LEFT_OUT)
            raise InvalidScenarioError(
                "nodes",
                f"{names[v]!r} has a kind that is not known{nearest(word, known)}",
                index=(v,),
                value=kind,
            )
        left.append(names[v])
    if not found["access_point"]:
        raise InvalidScenarioError("nodes", "none has the kind access_point; there must be at least one")
    if not found["coin"] and not found["mec"]:
        raise InvalidScenarioError("nodes", "none has the kind coin or mec; there must be at least one")
    if left:
        report.note("dropped", f"{len(left)} vertices that neither serve nor compute: {listed(left)}")
    access, coins, mecs, users = (tuple(found[kind]) for kind in ("access_point", "coin", "mec", "user"))
    return Roles(access, coins, mecs, "kind", users)


def _by_others_words(graph: nx.Graph, names: Sequence[str], report: ImportReport) -> Roles | None:
    """Roles by an attribute that other tools have, or by words in all names; None where neither says enough."""
    every = [{str(key).lower(): value for key, value in data.items()} for _, data in graph.nodes(data=True)]
    for attribute in _OTHER_ATTRIBUTES:
        words = [_word(data.get(attribute)) for data in every]
        roles = [kind_of(data.get(attribute)) for data in every]
        if any(roles):
            _refuse_misspelt(words, every, attribute, names)
            unknown = sorted({word for word, role in zip(words, roles, strict=True) if word and not role})
            found = _completed(roles, names, attribute, report)
            if found is not None:
                told = f"; not known to it: {listed(unknown)}" if unknown else ""
                report.note("read", f"what vertices are by their attribute {attribute!r}{told}")
                return found
    roles = [
        next((r for w in re.split(r"[^a-z0-9]+", name.lower()) if (r := _OTHERS_WORDS.get(w))), "")
        for name in names
    ]
    if all(roles) and "access_point" in roles and ("mec" in roles or "coin" in roles):
        found = _completed(roles, names, "names", report)
        report.note("odd", "what vertices are was taken from words in their names")
        return found
    return None


def _refuse_misspelt(
    words: Sequence[str], every: Sequence[Mapping[str, Any]], attribute: str, names: Sequence[str]
) -> None:
    """A word that is nearly a known one is not left out."""
    for v, word in enumerate(words):
        if kind_of(every[v].get(attribute)):
            continue
        close = get_close_matches(word, _OTHERS_WORDS, n=1, cutoff=0.86) if word not in _OTHERS_WORDS else []
        if close and word.rstrip("s0123456789") != close[0]:
            rule = f"{names[v]!r} has a {attribute} that is not known; did you mean {close[0]!r}?"
            raise InvalidScenarioError("nodes", rule, index=(v,), value=every[v][attribute])


def _completed(roles: Sequence[str], names: Sequence[str], rule: str, report: ImportReport) -> Roles | None:
    """Roles from words; where nothing gives access, what computes does. None where nothing is understood."""
    by_role = {
        r: tuple(v for v, role in enumerate(roles) if role == r)
        for r in ("access_point", "coin", "mec", "user")
    }
    left = [name for name, role in zip(names, roles, strict=True) if not role]
    access = by_role["access_point"]
    if not access and not by_role["coin"] and not by_role["mec"]:
        return None
    if not access:
        access = by_role["coin"] or by_role["mec"]
        report.note("made_up", f"access points at the {len(access)} nodes: the file has none", remember=True)
    if left:
        report.note("dropped", f"{len(left)} vertices that neither serve nor compute: {listed(left)}")
    return Roles(access, by_role["coin"], by_role["mec"], rule, by_role["user"])


def kind_of(told: object) -> str:
    """``access_point``, ``coin``, ``mec`` or ``user`` for what people call one; empty for anything else."""
    word = _word(told)
    found = _OTHERS_WORDS.get(word) or _OTHERS_WORDS.get(word.rstrip("s0123456789"), "")
    if found or not isinstance(told, str):
        return found
    parts = [part.rstrip("0123456789") for part in re.split(r"[\W_]+", told.lower())]
    roles = {_OTHERS_WORDS[part] for part in parts if part in _TELLING}
    return roles.pop() if len(roles) == 1 and not _CARRYING.intersection(parts) else ""


def _word(value: object) -> str:
    return re.sub(r"[\W_]+", "", value.lower()) if isinstance(value, str) else ""


def _by_rule(graph: nx.Graph, rule: str, coins: int, mecs: int) -> Roles:
    count = graph.number_of_nodes()
    if count < 2:
        rule = "must be two vertices at least: one that devices reach, and one that computes"
        raise InvalidScenarioError("nodes", rule, value=count)
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
