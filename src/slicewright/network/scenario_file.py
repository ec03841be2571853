"""Scenario files: ``slicewright/scenario/v1`` in YAML or JSON, read, checked and written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from scipy import sparse

from slicewright.errors import InvalidOptionError, InvalidScenarioError
from slicewright.files.documents import plain, told_of_file, write_document
from slicewright.files.fields import FieldReader
from slicewright.files.sources import preset_call, read_source
from slicewright.network.device_columns import with_columns, write_columns
from slicewright.network.presets import PRESETS, preset
from slicewright.network.radio import Radio
from slicewright.network.scenario import NodeLists, Scenario, Sites, SliceId
from slicewright.network.slice_identity import Identity, with_identities
from slicewright.types import Document, FloatArray, IntArray

SCHEMA = "slicewright/scenario/v1"
_TOP = ("schema", "queueing", "slices", "access_points", "nodes", "devices", "rate_bps", "radio", "origin")
_ACCESS_POINTS = ("names", "bandwidth_hz", "position_m")
_NODES = ("names", "kinds", "capacity_hz", "position_m")
_DEVICE_ARRAYS = ("task_bits", "local_cycles", "local_capacity_hz", "arrival_rate_hz", "slice_cycles")
_DEVICES = (*_DEVICE_ARRAYS, "position_m", "tx_power_w", "nodes")
_NODE_LISTS = ("start", "node")
COLUMN_FORMATS = ("parquet", "arrow")
_LINKS = ("start", "access_point", "rate_bps")
_read = FieldReader(InvalidScenarioError)


def load_scenario(source: str | Path | Mapping[str, object]) -> Scenario:
    """Read and check a scenario.

    Args:
        source: path of a YAML or JSON file, or a mapping of the same shape, or the name of a preset.

    Raises:
        InvalidScenarioError: what is wrong, where, and the rule.
        FileNotFoundError: no such file.
        UnknownNameError: a bare word that is neither a file nor a preset; suggests the nearest preset.
    """
    document = read_source(source, presets=PRESETS, error=InvalidScenarioError)
    folder = None if isinstance(source, Mapping) else Path(source).parent
    with told_of_file(source):
        return scenario_from_dict(with_columns(dict(document), folder))


def save_scenario(scenario: Scenario, path: str | Path, *, columns: str | None = None) -> Path:
    """Write a scenario file atomically; the ending (.yaml, .yml, .json) chooses the format.

    Args:
        scenario: the problem.
        path: of the file.
        columns: ``parquet`` or ``arrow``: devices go into a file of columns beside this one, which is read in seconds
            however many they are (extra ``columns``). Without, everything is spelt out in the one file.

    Raises:
        InvalidOptionError: no such format of columns.
        MissingExtraError: pyarrow is not installed.
    """
    if columns is None:
        return write_document(scenario_to_dict(scenario), path)
    if columns not in COLUMN_FORMATS:
        raise InvalidOptionError("columns", f"must be one of {', '.join(COLUMN_FORMATS)}", value=columns)
    beside = Path(path).with_suffix(f".devices.{columns}")
    write_columns(scenario, beside)
    return write_document({**_head(scenario), "devices": {"columns": beside.name}}, path)


def scenario_from_dict(source: Mapping[str, object]) -> Scenario:
    """A scenario from a parsed document; either spelt out or ``{preset: ..., devices: ..., seed: ...}``."""
    doc = _read.mapping(source, "scenario")
    _read.schema(doc, SCHEMA)
    if "preset" in doc:
        call = preset_call(doc, InvalidScenarioError)
        return preset(call.name, seed=call.seed, **call.parameters)
    _read.only(doc, _TOP, "")
    access_points = _section(doc, "access_points", _ACCESS_POINTS)
    nodes = _section(doc, "nodes", _NODES)
    devices = _section(doc, "devices", _DEVICES)
    sites = Sites(
        access_point_m=access_points.get("position_m"),
        device_m=devices.get("position_m"),
        tx_power_w=devices.get("tx_power_w"),
        node_m=nodes.get("position_m"),
    )
    bandwidth = _read.numbers(
        _read.require(access_points, "bandwidth_hz", "access_points"),
        "access_points.bandwidth_hz",
        (None,),
        positive=True,
        axes=["access points"],
    )
    task_bits = _read.numbers(
        _read.require(devices, "task_bits", "devices"),
        "devices.task_bits",
        (None,),
        positive=True,
        axes=["devices"],
    )
    slices = _slices(doc.get("slices"))
    radio = _radio(doc.get("radio"))
    capacity = _read.numbers(
        _read.require(nodes, "capacity_hz", "nodes"),
        "nodes.capacity_hz",
        (None, len(slices) if slices else None),
        axes=["nodes", "slices"],
    )
    return Scenario(
        task_bits=task_bits,
        local_cycles=_read.require(devices, "local_cycles", "devices"),
        local_capacity_hz=_read.require(devices, "local_capacity_hz", "devices"),
        arrival_rate_hz=_read.require(devices, "arrival_rate_hz", "devices"),
        slice_cycles=_read.require(devices, "slice_cycles", "devices"),
        rate_bps=_rates(doc, sites, task_bits.size, bandwidth, radio),
        node_capacity_hz=capacity,
        bandwidth_hz=bandwidth,
        queueing=doc.get("queueing", "node"),
        node_lists=_node_lists(devices.get("nodes")),
        slices=slices,
        access_points=_read.names(
            access_points.get("names"), "access_points.names", count=bandwidth.size, default="ap"
        ),
        nodes=_read.names(nodes.get("names"), "nodes.names", count=len(capacity), default="node"),
        node_kinds=_read.words(nodes.get("kinds"), "nodes.kinds"),
        sites=sites,
        radio=radio if doc.get("rate_bps") is None else None,
        origin=_read.mapping(doc.get("origin") or {}, "origin"),
    )


def _section(doc: Document, name: str, fields: Collection[str]) -> Document:
    """A part of the document that must be there and hold these fields only."""
    section = _read.mapping(_read.require(doc, name, ""), name)
    _read.only(section, fields, name)
    return section


def _slices(value: object) -> tuple[SliceId, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise InvalidScenarioError("slices", "must be a list of names or of {name, sst, sd}", value=value)
    given = [_slice(item, n) for n, item in enumerate(value)]
    return with_identities([name for name, _ in given], [identity for _, identity in given])


def _slice(item: object, n: int) -> tuple[str, Identity | None]:
    """Name of a slice, and its identity where the file gives one."""
    if not isinstance(item, Mapping):
        return _read.text(item, "slices", index=(n,)), None
    entry = _read.mapping(item, f"slices[{n}]")
    _read.only(entry, ("name", "sst", "sd"), f"slices[{n}]")
    name = _read.text(_read.require(entry, "name", f"slices[{n}]"), f"slices[{n}].name")
    sst, sd = _read.whole(entry.get("sst", 1), f"slices[{n}].sst", most=255), entry.get("sd")
    if sd is not None and (
        not isinstance(sd, str) or len(sd) != 6 or any(c not in "0123456789abcdefABCDEF" for c in sd)
    ):
        raise InvalidScenarioError(
            f"slices[{n}].sd", "must be six hexadecimal digits", value=sd, fix="quote it in YAML"
        )
    return name, None if "sst" not in entry and sd is None else Identity(sst, sd)


def _radio(value: object) -> Radio:
    entry = _read.mapping({} if value is None else value, "radio")
    return Radio(_read.text(entry.pop("model", "path-loss"), "radio.model"), entry)


def _rates(
    doc: Document, sites: Sites, devices: int, bandwidth: FloatArray, radio: Radio
) -> FloatArray | sparse.csr_array:
    """Rates as given (a matrix, or candidate links), else by the radio model from positions."""
    given = doc.get("rate_bps")
    if isinstance(given, Mapping):
        return _candidate_links(_read.mapping(given, "rate_bps"), devices, bandwidth.size)
    if given is not None:
        return _read.numbers(given, "rate_bps", (devices, bandwidth.size), axes=["devices", "access points"])
    for value, name in (
        (sites.access_point_m, "access_points.position_m"),
        (sites.device_m, "devices.position_m"),
        (sites.tx_power_w, "devices.tx_power_w"),
    ):
        if value is None:
            raise InvalidScenarioError("rate_bps", f"is missing and cannot be computed without {name}")
    return radio.rates(
        _read.numbers(sites.device_m, "devices.position_m", (devices, 2), signed=True),
        _read.numbers(sites.access_point_m, "access_points.position_m", (bandwidth.size, 2), signed=True),
        _read.numbers(sites.tx_power_w, "devices.tx_power_w", (devices,), positive=True),
        bandwidth,
    )


def _candidate_links(links: Document, devices: int, access_points: int) -> sparse.csr_array:
    """Compressed rows ``{start, access_point, rate_bps}``: only the access points within reach are listed."""
    _read.only(links, _LINKS, "rate_bps")
    rates = _read.numbers(
        _read.require(links, "rate_bps", "rate_bps"), "rate_bps.rate_bps", (None,), positive=True
    )
    ap: IntArray = _read.indices(
        _read.require(links, "access_point", "rate_bps"),
        "rate_bps.access_point",
        (rates.size,),
        below=access_points,
    )
    start = _read.indices(
        _read.require(links, "start", "rate_bps"), "rate_bps.start", (devices + 1,), below=rates.size + 1
    )
    if start[0] != 0 or start[-1] != rates.size or (np.diff(start) < 0).any():
        raise InvalidScenarioError("rate_bps.start", f"must rise from 0 to {rates.size}, the number of links")
    return sparse.csr_array((rates, ap, start), shape=(devices, access_points))


def _node_lists(value: object) -> NodeLists | None:
    """Compressed rows ``{start, node}``: the nodes that each device may use; the scenario checks their numbers."""
    if value is None:
        return None
    lists = _read.mapping(value, "devices.nodes")
    _read.only(lists, _NODE_LISTS, "devices.nodes")
    return NodeLists(
        _read.require(lists, "start", "devices.nodes"), _read.require(lists, "node", "devices.nodes")
    )


def _head(scenario: Scenario) -> Document:
    """Everything but the devices and their rates."""
    sites = scenario.sites
    access_points: Document = {
        "names": list(scenario.access_points),
        "bandwidth_hz": scenario.bandwidth_hz.tolist(),
    }
    nodes: Document = {
        "names": list(scenario.nodes),
        "kinds": list(scenario.node_kinds),
        "capacity_hz": scenario.node_capacity_hz.tolist(),
    }
    for section, value in ((access_points, sites.access_point_m), (nodes, sites.node_m)):
        if value is not None:
            section["position_m"] = value.tolist()
    return {
        "schema": SCHEMA,
        "queueing": scenario.queueing,
        "slices": [
            {"name": s.name, "sst": s.sst, **({} if s.sd is None else {"sd": s.sd})} for s in scenario.slices
        ],
        "access_points": access_points,
        "nodes": nodes,
        **({"origin": plain(scenario.origin)} if scenario.origin else {}),
    }


def scenario_to_dict(scenario: Scenario) -> Document:
    """The scenario as a ``slicewright/scenario/v1`` document.

    Rates are left out when the scenario's radio model gives exactly the same ones back, else spelt out.
    """
    sites, head = scenario.sites, _head(scenario)
    devices: Document = {name: getattr(scenario, name).tolist() for name in _DEVICE_ARRAYS}
    for name, value in (("position_m", sites.device_m), ("tx_power_w", sites.tx_power_w)):
        if value is not None:
            devices[name] = value.tolist()
    if scenario.node_lists is not None:
        devices["nodes"] = {name: getattr(scenario.node_lists, name).tolist() for name in _NODE_LISTS}
    origin = {key: head.pop(key) for key in ("origin",) if key in head}
    return {**head, "devices": devices, **_rates_to_document(scenario), **origin}


def _rates_to_document(scenario: Scenario) -> Document:
    radio = scenario.radio
    if radio is not None and _follow_from_sites(scenario, radio):
        return {"radio": {"model": radio.model, **radio.parameters}}
    if not isinstance(scenario.rate_bps, sparse.csr_array):
        return {"rate_bps": scenario.rate_bps.tolist()}
    start, access_point, rate_bps = scenario.links
    return {
        "rate_bps": {
            "start": start.tolist(),
            "access_point": access_point.tolist(),
            "rate_bps": rate_bps.tolist(),
        }
    }


def _follow_from_sites(scenario: Scenario, radio: Radio) -> bool:
    """Whether the radio model returns the scenario's rates bit for bit: they may have been replaced since."""
    sites = scenario.sites
    if sites.device_m is None or sites.access_point_m is None or sites.tx_power_w is None:
        return False
    again = scenario.with_(
        rate_bps=radio.rates(sites.device_m, sites.access_point_m, sites.tx_power_w, scenario.bandwidth_hz)
    )
    return all(np.array_equal(mine, theirs) for mine, theirs in zip(scenario.links, again.links, strict=True))
