"""Files of tasks: ``slicewright/tasks/v1`` in YAML or JSON, read, checked and written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from slicewright.errors import InvalidTasksError
from slicewright.files.documents import plain, told_of_file, write_document
from slicewright.files.fields import FieldReader
from slicewright.files.sources import preset_call, read_source
from slicewright.placement.problem.presets import PLACEMENT_PRESETS, placement_preset
from slicewright.placement.problem.tasks import OPTIONAL, Tasks
from slicewright.placement.problem.topology import Link, Topology, linked_topology
from slicewright.types import Document

SCHEMA = "slicewright/tasks/v1"
_TOP = ("schema", "split", "nodes", "access_points", "links", "distance", "tasks", "origin")
_NODES = ("names", "kinds", "capacity_hz")
_DISTANCE = ("access_point_to_node", "node_to_node")
_TIMES = ("access_point_to_node_s_per_bit", "node_to_node_s_per_bit")
_TASKS = ("access_point", "size_bits", "cycles", "deadline_s", "arrival_rate_hz")
_read = FieldReader(InvalidTasksError)


def load_tasks(source: str | Path | Mapping[str, object]) -> Tasks:
    """Read and check a placement problem.

    Args:
        source: path of a YAML or JSON file, or a mapping of the same shape, or the name of a preset.

    Raises:
        InvalidTasksError: what is wrong, where, and the rule.
        FileNotFoundError: no such file.
        UnknownNameError: a bare word that is neither a file nor a preset; suggests the nearest preset.
    """
    with told_of_file(source):
        return tasks_from_dict(read_source(source, presets=PLACEMENT_PRESETS, error=InvalidTasksError))


def save_tasks(tasks: Tasks, path: str | Path) -> Path:
    """Write a tasks file atomically; the ending (.yaml, .yml, .json) chooses the format."""
    return write_document(tasks_to_dict(tasks), path)


def tasks_from_dict(source: Mapping[str, object]) -> Tasks:
    """Tasks from a parsed document; either spelt out or ``{preset: ..., tasks: 60, seed: ...}``."""
    doc = _read.mapping(source, "tasks file")
    _read.schema(doc, SCHEMA)
    if "preset" in doc:
        call = preset_call(doc, InvalidTasksError)
        return placement_preset(call.name, seed=call.seed, **call.parameters)
    _read.only(doc, _TOP, "")
    tasks = _read.mapping(_read.require(doc, "tasks", ""), "tasks")
    _read.only(tasks, (*_TASKS, *OPTIONAL), "tasks")
    given: Document = {name: _read.require(tasks, name, "tasks") for name in _TASKS}
    given |= {name: tasks.get(name) for name in OPTIONAL}
    return Tasks(
        _topology(doc),
        **given,
        split=doc.get("split", "proportional"),
        origin=_read.mapping(doc.get("origin") or {}, "origin"),
    )


def _topology(doc: Document) -> Topology:
    nodes = _read.mapping(_read.require(doc, "nodes", ""), "nodes")
    access_points = _read.mapping(doc.get("access_points") or {}, "access_points")
    _read.only(nodes, _NODES, "nodes")
    _read.only(access_points, ("names",), "access_points")
    kinds = _read.words(nodes.get("kinds"), "nodes.kinds")
    capacity = _read.require(nodes, "capacity_hz", "nodes")
    if ("links" in doc) == ("distance" in doc):
        raise InvalidTasksError("links", "give either links or distance, and not both")
    if "links" in doc:
        return linked_topology(
            _links(doc["links"]),
            capacity_hz=capacity,
            nodes=_read.names(_read.require(nodes, "names", "nodes"), "nodes.names"),
            access_points=_read.names(
                _read.require(access_points, "names", "access_points"), "access_points.names"
            ),
            kinds=kinds,
        )
    distance = _read.mapping(doc["distance"], "distance")
    _read.only(distance, (*_DISTANCE, *_TIMES), "distance")
    return Topology(
        capacity_hz=capacity,
        access_point_to_node=_read.require(distance, "access_point_to_node", "distance"),
        node_to_node=_read.require(distance, "node_to_node", "distance"),
        kinds=kinds,
        nodes=_read.words(nodes.get("names"), "nodes.names"),
        access_points=_read.words(access_points.get("names"), "access_points.names"),
        access_point_to_node_s_per_bit=distance.get("access_point_to_node_s_per_bit"),
        node_to_node_s_per_bit=distance.get("node_to_node_s_per_bit"),
    )


def _links(value: object) -> list[Link]:
    if not isinstance(value, (list, tuple)):
        raise InvalidTasksError("links", "must be a list of [from, to, length]", value=value)
    for row, item in enumerate(value):
        if not isinstance(item, (list, tuple)) or len(item) not in (3, 4):
            rule = "must be [from, to, length] or [from, to, length, bit/s]"
            raise InvalidTasksError("links", rule, index=(row,), value=item)
    return [
        Link(
            _read.text(item[0], "links", index=(row, 0)),
            _read.text(item[1], "links", index=(row, 1)),
            *item[2:],
        )
        for row, item in enumerate(value)
    ]


def tasks_to_dict(tasks: Tasks) -> Document:
    """The problem as a ``slicewright/tasks/v1`` document, every number spelt out."""
    topology = tasks.topology
    way: Document = {"links": [list(link[: 3 if link.rate_bps is None else 4]) for link in topology.links]}
    if not topology.links:
        way = {"distance": _given(topology, (*_DISTANCE, *_TIMES))}
    return {
        "schema": SCHEMA,
        "split": tasks.split,
        "nodes": {
            "names": list(topology.nodes),
            "kinds": list(topology.kinds),
            "capacity_hz": topology.capacity_hz.tolist(),
        },
        "access_points": {"names": list(topology.access_points)},
        **way,
        "tasks": _given(tasks, (*_TASKS, *OPTIONAL)),
        **({"origin": plain(tasks.origin)} if tasks.origin else {}),
    }


def _given(owner: Topology | Tasks, names: tuple[str, ...]) -> Document:
    """Arrays by name as lists, without those that were not given."""
    return {name: getattr(owner, name).tolist() for name in names if getattr(owner, name) is not None}
