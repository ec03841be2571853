"""What the kernel offers to those who make shares real on this machine: tried, because configurations lie."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from slicewright.cli.views.finding import Finding
from slicewright.enforcement.linux.cgroups import cpu_controller
from slicewright.enforcement.linux.features import missing_features
from slicewright.enforcement.linux.shell import program

GROUP = "kernel features"
_COSTS = {
    "network namespaces": ("testbed cannot run: its devices and nodes live in namespaces", "CONFIG_NET_NS"),
    "veth": ("testbed cannot run: nothing joins its namespaces", "modprobe veth (CONFIG_VETH)"),
    "bridge": ("testbed cannot run: its access points are bridges", "modprobe bridge (CONFIG_BRIDGE)"),
    "sch_htb": (
        "uplink rates cannot be held: no shares of radio in testbed, nor from slice managers",
        "modprobe sch_htb (CONFIG_NET_SCH_HTB)",
    ),
    "cls_u32": (
        "traffic of a device cannot be told apart: no shares of radio in testbed",
        "modprobe cls_u32 (CONFIG_NET_CLS_U32)",
    ),
}
"""Features by name: what their lack costs, and where they come from."""
_METERS = "meters of Open vSwitch"
_MODULES = Path("/sys/module")


def inspect_kernel() -> list[Finding]:
    """Kernel features that enforcement needs. None of them is needed to plan."""
    if not sys.platform.startswith("linux"):
        lack = "not Linux: testbed, sdn with switches here, and shares made real on this machine do not run"
        return [Finding(GROUP, "Linux", None, lack, "plan here, enforce on a Linux machine")]
    return [*_tried(), _quotas(), _meters()]


def _tried() -> list[Finding]:
    if os.geteuid() != 0:
        told = "cannot be tried without root rights; testbed and slice managers that enforce need them"
        return [
            Finding(
                GROUP, ", ".join(_COSTS), None, told, "run doctor as root, or in a container that has them"
            )
        ]
    if shutil.which("ip") is None or shutil.which("tc") is None:
        told = "cannot be tried without ip and tc; testbed does not run"
        return [Finding(GROUP, ", ".join(_COSTS), None, told, "install iproute2")]
    found = []
    for name, (cost, source) in _COSTS.items():
        lacks = bool(missing_features(name))
        found.append(
            Finding(
                GROUP,
                name,
                None if lacks else True,
                f"not here: {cost}" if lacks else "works",
                source if lacks else "",
            )
        )
    return found


def _quotas() -> Finding:
    controller = cpu_controller()
    if controller is not None:
        return Finding(GROUP, "CPU quotas", True, "cgroup controller cpu works")
    cost = "no CPU controller in cgroup v1 or v2: shares of compute cannot be held in testbed"
    return Finding(GROUP, "CPU quotas", None, cost, "mount cgroup v2 with the controller cpu, writable")


def _meters() -> Finding:
    if program("ovs-vsctl") is None:
        cost = "no switch here: sdn works with switches elsewhere only"
        return Finding(GROUP, _METERS, None, cost, "install openvswitch-switch")
    if (_MODULES / "openvswitch").is_dir():
        return Finding(GROUP, _METERS, True, "the module openvswitch is loaded")
    told = "no module openvswitch: bridges use the datapath in user space (netdev), which has meters, slower"
    return Finding(GROUP, _METERS, True, told)
