"""Exported documents back as shares, rates and speeds: what a target would understand, for checks and tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from slicewright.enforcement.linux.names import slugs
from slicewright.errors import InvalidPlanError
from slicewright.network.scenario import Scenario
from slicewright.network.slice_identity import identity_key
from slicewright.types import FloatArray, IntArray

Files = Mapping[str, str]


@dataclass(frozen=True, eq=False)
class ReadBack:
    """What the files of a target say; what the target does not know is None.

    Attributes:
        percent: (A, N) whole percents of each slice on each access point: the minimum, which is the floor.
        slice_rate_bps: (A, N) bit/s, guaranteed on the uplink.
        device_rate_bps: (I,) bit/s on the uplink, 0 for who is not in the files.
        device_millicores: (I,) requested, 0 for who is not in the files.
    """

    percent: IntArray | None = None
    slice_rate_bps: FloatArray | None = None
    device_rate_bps: FloatArray | None = None
    device_millicores: IntArray | None = None


def read_back(target: str, files: Files, scenario: Scenario) -> ReadBack:
    """Read what an exporter wrote for a scenario.

    Args:
        target: its name.
        files: content by file name.
        scenario: the one whose plan was exported.

    Raises:
        InvalidPlanError: a file is missing, cannot be read, or speaks of what the scenario does not have.
    """
    from yaml import YAMLError

    odd = (
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        OverflowError,
        RecursionError,
        YAMLError,
    )
    try:
        return _READERS[target](files, scenario)
    except odd as broken:
        if isinstance(broken, InvalidPlanError):
            raise
        raise InvalidPlanError(
            target, f"is not what the exporter writes: {type(broken).__name__} {broken}"
        ) from None


def _cells(files: Files, scenario: Scenario, ending: str) -> list[tuple[str, str]]:
    """Name and content of the file of every access point, in their order."""
    names = [f"{name}.{ending}" for name in slugs(scenario.access_points)]
    missing = [name for name in names if name not in files]
    if missing:
        rule = f"{len(names)} access points need {len(names)} files, and {missing[0]} is not there"
        raise InvalidPlanError("files", rule, value=len(files))
    return [(name, files[name]) for name in names]


def _by_slice(name: str, entries: list[tuple[int, str | None, int]], scenario: Scenario) -> list[int]:
    """Percents by slice from (sst, sd, percent) entries, one for each slice."""
    found: dict[tuple[int, str], int] = {}
    for sst, sd, percent in entries:
        if found.setdefault(identity_key(sst, sd), percent) is not percent or len(found) > scenario.n_slices:
            raise InvalidPlanError(
                name, "has two entries for one slice, or one for a slice that is not there"
            )
    wanted = [identity_key(s.sst, s.sd) for s in scenario.slices]
    missing = [s.name for s, key in zip(scenario.slices, wanted, strict=True) if key not in found]
    if missing or len(entries) != scenario.n_slices:
        rule = f"must have one entry for each of {scenario.n_slices} slices"
        raise InvalidPlanError(
            name, f"{rule}; {missing[0]} has none" if missing else rule, value=len(entries)
        )
    return [found[key] for key in wanted]


def _percents(rows: list[list[int]]) -> ReadBack:
    percent = np.array(rows, dtype=np.int64)
    if (percent < 0).any() or (percent.sum(axis=1) > 100).any():
        raise InvalidPlanError("shares", "must be percents that sum to at most 100 on every access point")
    return ReadBack(percent=percent)


def _ratio(policy: Mapping[str, Any]) -> tuple[int, str | None, int]:
    (member,) = policy["rRMPolicyMemberList"]
    return member["snssai"]["sst"], member["snssai"].get("sd"), policy["rRMPolicyMinRatio"]


def _integer_sd(entry: Mapping[str, Any]) -> str | None:
    return None if entry.get("sd") is None else f"{entry['sd']:06x}"


def _rrm(files: Files, scenario: Scenario) -> ReadBack:
    rows = []
    for name, text in _cells(files, scenario, "json"):
        requests = json.loads(text)
        if len({request["path"] for request in requests}) < len(requests):
            raise InvalidPlanError(name, "has two requests with one path")
        rows.append(_by_slice(name, [_ratio(r["body"]["attributes"]) for r in requests], scenario))
    return _percents(rows)


def _srsran_yaml(files: Files, scenario: Scenario) -> ReadBack:
    import yaml

    rows = []
    for name, text in _cells(files, scenario, "yaml"):
        entries = yaml.safe_load(text)["cell_cfg"]["slicing"]
        found = [(e["sst"], _integer_sd(e), e["sched_cfg"]["min_prb_policy_ratio"]) for e in entries]
        rows.append(_by_slice(name, found, scenario))
    return _percents(rows)


def _srsran_json(files: Files, scenario: Scenario) -> ReadBack:
    rows = []
    for name, text in _cells(files, scenario, "json"):
        policies = [command["policies"] for command in json.loads(text)]
        members = [policy["rRMPolicyMemberList"][0] for policy in policies]
        found = [
            (member["sst"], _integer_sd(member), policy["min_prb_policy_ratio"])
            for member, policy in zip(members, policies, strict=True)
        ]
        rows.append(_by_slice(name, found, scenario))
    return _percents(rows)


def _e2sm_ccc(files: Files, scenario: Scenario) -> ReadBack:
    rows, identities = [], set()
    for name, text in _cells(files, scenario, "json"):
        (cell,) = json.loads(text)["controlMessage"]["controlMessageFormat"]["listOfCellsControlled"]
        identities.add(cell["cellGlobalId"]["nRCellIdentity"])
        policies = [
            entry["newValuesOfAttributes"]["ranConfigurationStructure"]
            for entry in cell["listOfConfigurationStructures"]
        ]
        rows.append(_by_slice(name, [_ratio(policy) for policy in policies], scenario))
    if len(identities) < scenario.n_access_points:
        raise InvalidPlanError("nRCellIdentity", "must differ from cell to cell", value=len(identities))
    return _percents(rows)


def _a1(files: Files, scenario: Scenario) -> ReadBack:
    """Cells count on from the lowest one only if all are asked for; they come in the order of access points."""
    rates = np.zeros((scenario.n_access_points, scenario.n_slices))
    wanted = [identity_key(s.sst, s.sd) for s in scenario.slices]
    cells = slugs(scenario.access_points)
    called = slugs(s.name for s in scenario.slices)
    names = {f"{cell}-{name}.json": (a, n) for a, cell in enumerate(cells) for n, name in enumerate(called)}
    seen: set[tuple[int, int]] = set()
    for file, text in files.items():
        policy = json.loads(text)
        slice_id = policy["scope"]["sliceId"]
        n = wanted.index(identity_key(slice_id["sst"], slice_id.get("sd")))
        (cell_id,) = policy["sliceSlaResources"]["cellIdList"]
        number = (int(cell_id["cId"]["ncI"]), n)
        if number in seen:
            raise InvalidPlanError(file, "asks for a slice of a cell that another file asks for already")
        seen.add(number)
        if file in names and names[file][1] == n:
            rates[names[file]] = 1000.0 * policy["sliceSlaObjectives"]["guaUlThptPerSlice"]
    return ReadBack(slice_rate_bps=rates)


def _mec015(files: Files, scenario: Scenario) -> ReadBack:
    rates = np.zeros(scenario.n_devices)
    for file, text in files.items():
        asked = json.loads(text)
        device = _device(asked["appInsId"], scenario, file)
        rates[device] = float(asked["fixedAllocation"])
    return ReadBack(device_rate_bps=rates)


def _kubernetes(files: Files, scenario: Scenario) -> ReadBack:
    import yaml

    millicores = np.zeros(scenario.n_devices, dtype=np.int64)
    spaces: set[str] = set()
    for file, text in files.items():
        namespace, quota, *workers = yaml.safe_load_all(text)
        space = namespace["metadata"]["name"]
        if space in spaces:
            raise InvalidPlanError(file, "has the namespace of another file", value=space)
        spaces.add(space)
        total = 0
        for worker in workers:
            device = _device(worker["metadata"]["name"], scenario, file)
            (container,) = worker["spec"]["template"]["spec"]["containers"]
            if millicores[device]:
                raise InvalidPlanError(file, f"has device {device} a second time")
            millicores[device] = int(container["resources"]["requests"]["cpu"].removesuffix("m"))
            total += int(millicores[device])
        if quota["spec"]["hard"]["requests.cpu"] != f"{total}m":
            raise InvalidPlanError(file, f"has a quota that is not the sum of its pods, {total}m")
    return ReadBack(device_millicores=millicores)


def _device(name: str, scenario: Scenario, file: str) -> int:
    number = name.removeprefix("device-")
    if not number.isdecimal() or int(number) >= scenario.n_devices:
        raise InvalidPlanError(file, f"must speak of device-0 to device-{scenario.n_devices - 1}", value=name)
    return int(number)


_READERS: Mapping[str, Callable[[Files, Scenario], ReadBack]] = MappingProxyType(
    {
        "rrm": _rrm,
        "srsran-yaml": _srsran_yaml,
        "srsran-json": _srsran_json,
        "e2sm-ccc": _e2sm_ccc,
        "a1": _a1,
        "k8s": _kubernetes,
        "mec015": _mec015,
    }
)
