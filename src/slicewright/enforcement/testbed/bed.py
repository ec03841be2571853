"""A test bed put up and taken down: namespaces, cables, rate classes, CPU groups, and a state file."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from slicewright.enforcement.linux import namespaces
from slicewright.enforcement.linux.cgroups import CpuGroups, cpu_controller
from slicewright.enforcement.linux.desired import cpu_limits, rate_limits
from slicewright.enforcement.linux.features import require_features
from slicewright.enforcement.linux.htb import Htb
from slicewright.enforcement.linux.keep import Kept
from slicewright.enforcement.linux.limits import Drift, Limit
from slicewright.enforcement.linux.reconcile import Enforcer, enforce, inspect
from slicewright.enforcement.linux.shell import run
from slicewright.enforcement.testbed.layout import (
    PREFIX,
    WIRE_OVERHEAD,
    BedScale,
    Layout,
    bed_prefix,
    check_name,
    device_address,
    fit,
    node_address,
)
from slicewright.errors import EnforcementError
from slicewright.files.documents import write_atomically
from slicewright.network import load_scenario, save_scenario
from slicewright.slicing import Plan, load_plan, save_plan

NEEDS = (
    "linux", "root", "ip", "tc", "ethtool", "network namespaces", "veth", "bridge", "sch_htb", "cls_u32", "cgroup cpu",
)  # fmt: skip
STATE = Path("/run/slicewright/testbed")
_UPLINK = "uplink"


@dataclass(frozen=True)
class Bed:
    """A standing test bed.

    Attributes:
        layout: names and addresses.
        scale: how it was made to fit.
    """

    layout: Layout
    scale: BedScale

    @property
    def folder(self) -> Path:
        """State file and results."""
        return STATE / self.layout.name

    @property
    def groups(self) -> CpuGroups:
        """The CPU groups of all nodes."""
        return CpuGroups.here(self.layout.prefix.rstrip("-"))

    def enforcers(self) -> list[tuple[Enforcer, list[Limit]]]:
        """Everything that limits something, with what it should be: one per access point, and the CPU groups."""
        layout, plan = self.layout, self.layout.plan
        sources = {i: device_address(i) for i in layout.devices.tolist()}
        cells: list[tuple[Enforcer, list[Limit]]] = [
            (
                Htb(_UPLINK, netns=layout.access_point(a)),
                rate_limits(plan, a, sources, scale=self.scale.rate * WIRE_OVERHEAD),
            )
            for a in layout.access_points
        ]
        return [*cells, (self.groups, cpu_limits(plan, cpus_per_hz=self.scale.cpus_per_hz))]

    def kept(self) -> list[Kept]:
        """The same with a name for each, for a keeper."""
        names = [*(f"access-point-{a}" for a in self.layout.access_points), "cpu-groups"]
        return [
            Kept(name, place, limits) for name, (place, limits) in zip(names, self.enforcers(), strict=True)
        ]

    def drift(self) -> list[Drift]:
        """Every difference between the kernel's limits and the plan's."""
        return [found for place, limits in self.enforcers() for found in inspect(place, limits)]


def put_up(
    plan: Plan,
    *,
    name: str = "bed",
    most_bps: float | None = None,
    cpus: float | None = None,
    slow: float = 1.0,
) -> Bed:
    """Build the network of a plan and enforce its shares. On any failure all of it is taken down again.

    Args:
        plan: whose offloaded devices, access points and nodes are built.
        name: of the bed, so that several can stand side by side.
        most_bps: bit/s that all uplinks together may carry; 200 Mbit/s if not given.
        cpus: CPUs that all workers together may use; half of the machine's if not given.
        slow: slow motion, at least 1: everything takes so many times longer.

    Raises:
        MissingFeatureError: the machine lacks a right, a program or a kernel feature.
        EnforcementError: a bed of this name stands already, or the kernel refused a step.
    """
    require_features("the test bed", NEEDS)
    layout = Layout(name, plan)
    limits = {} if most_bps is None else {"most_bps": most_bps}
    scale = fit(plan, cpus=0.5 * (os.cpu_count() or 1) if cpus is None else cpus, slow=slow, **limits)
    bed = Bed(layout, scale)
    if bed.folder.exists() or namespaces.existing(layout.prefix):
        raise EnforcementError(
            f"a test bed named {name!r} stands already, or its remains; take it down first"
        )
    try:
        _save(bed)
        _build(layout)
        for place, wanted in bed.enforcers():
            enforce(place, wanted)
    except BaseException:
        take_down(name)
        raise
    return bed


def standing(name: str = "bed") -> Bed:
    """The test bed of this name that was put up before, perhaps by another process.

    Raises:
        EnforcementError: there is none, or its files are torn.
    """
    check_name(name)
    folder = STATE / name
    try:
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        scale = BedScale(**state["scale"])
        plan = load_plan(load_scenario(folder / "scenario.json"), folder / "plan.json")
    except FileNotFoundError:
        raise EnforcementError(f"no test bed named {name!r} stands on this machine") from None
    except (ValueError, KeyError, TypeError) as torn:
        told = f"what the test bed named {name!r} left in {folder} cannot be read; take it down, and put it up anew"
        raise EnforcementError(told) from torn
    return Bed(Layout(name, plan), scale)


def names() -> list[str]:
    """Beds that stand, or left something behind."""
    kernel = {entry.removeprefix(PREFIX).rpartition("-")[0] for entry in namespaces.existing(PREFIX)}
    controller = cpu_controller()
    mounted = controller.mount.glob(f"{PREFIX}*") if controller else ()
    groups = {path.name.removeprefix(PREFIX) for path in mounted}
    files = {path.name for path in STATE.iterdir()} if STATE.is_dir() else set()
    return sorted(kernel | groups | files)


def take_down(name: str = "bed") -> None:
    """Remove everything that belongs to a bed: processes, namespaces, groups, files. Also after a crash.

    What belongs to it is known by its name alone, so a lost or torn state file does not matter.

    Raises:
        MissingFeatureError: not root.
    """
    check_name(name)
    require_features("taking a test bed down", ("linux", "root", "ip"))
    namespaces.delete(namespaces.existing(bed_prefix(name)))
    controller = cpu_controller()
    if controller is not None:
        CpuGroups(bed_prefix(name).rstrip("-"), controller).remove()
    shutil.rmtree(STATE / name, ignore_errors=True)


def _save(bed: Bed) -> None:
    bed.folder.mkdir(parents=True)
    save_scenario(bed.layout.plan.scenario, bed.folder / "scenario.json")
    save_plan(bed.layout.plan, bed.folder / "plan.json")
    state = {"prefix": bed.layout.prefix, "owner": os.getpid(), "scale": asdict(bed.scale)}
    write_atomically(bed.folder / "state.json", json.dumps(state))


def _build(layout: Layout) -> None:
    """Devices on their access point's bridge, access points and nodes on the core's bridge: one flat network."""
    d = layout.plan.decisions
    hubs = [layout.core, *map(layout.access_point, layout.access_points)]
    hosts = {layout.device(i): device_address(i) for i in layout.devices.tolist()}
    hosts |= {layout.node(j): node_address(j) for j in layout.nodes}
    lines = [f"netns add {name}" for name in (*hubs, *hosts)]
    for hub in hubs:
        lines += [f"-n {hub} link add hub type bridge forward_delay 0", f"-n {hub} link set hub up"]
    lines += [
        line
        for i in layout.devices.tolist()
        for line in _cable(layout.device(i), "eth0", layout.access_point(int(d.access_point[i])), f"dev{i}")
    ]
    for a in layout.access_points:
        lines += _cable(layout.access_point(a), _UPLINK, layout.core, f"ap{a}")
        lines.append(f"-n {layout.access_point(a)} link set {_UPLINK} master hub")
    for j in layout.nodes:
        lines += _cable(layout.node(j), "eth0", layout.core, f"node{j}")
    for host, address in hosts.items():
        lines += [f"-n {host} addr add {address}/15 dev eth0", f"-n {host} link set lo up"]
    _run_lines(lines)
    for host in hosts:
        # Checksums left to a device that does not exist would stall TCP; without them, frames stay single too.
        run(["ethtool", "-K", "eth0", "tx", "off"], netns=host)


def _cable(host: str, interface: str, hub: str, port: str) -> list[str]:
    return [
        f"link add {interface} netns {host} type veth peer name {port} netns {hub}",
        f"-n {hub} link set {port} master hub",
        f"-n {hub} link set {port} up",
        f"-n {host} link set {interface} up",
    ]


def _run_lines(lines: list[str]) -> None:
    """``ip -batch`` knows no ``-n``: one batch per namespace, in the order in which namespaces are first named."""
    batches: dict[str | None, list[str]] = {}
    for line in lines:
        words = line.split(maxsplit=2)
        netns, command = (words[1], words[2]) if words[0] == "-n" else (None, line)
        batches.setdefault(netns, []).append(command)
    for netns, commands in batches.items():
        run(["ip", *(["-n", netns] if netns else []), "-batch", "-"], lines=commands)
