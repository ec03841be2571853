"""A fabric on this machine: Open vSwitch in user space, hosts in namespaces, everything of it in namespaces too.

The switches live in one namespace of their own with a database and run folder of their own, so that an Open vSwitch
of the machine itself is neither needed nor touched. One cable leads out of it, to the controller.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path

from slicewright.enforcement.linux import namespaces
from slicewright.enforcement.linux.features import require_features
from slicewright.enforcement.linux.names import slugs
from slicewright.enforcement.linux.shell import program, run
from slicewright.enforcement.sdn.fabric import Fabric
from slicewright.enforcement.testbed.layout import check_name
from slicewright.errors import EnforcementError, MissingFeatureError
from slicewright.files.documents import write_atomically

NEEDS = (
    "linux", "root", "ip", "ethtool", "network namespaces", "veth",
    "ovs-vswitchd", "ovsdb-server", "ovsdb-tool", "ovs-vsctl",
)  # fmt: skip
STATE = Path("/run/slicewright/fabric")
PREFIX = "swf-"
CONTROL = IPv4Network("169.254.81.0/30")
"""Addresses of the cable between switches and controller; the controller has the first."""
_SCHEMAS = (
    Path("/usr/share/openvswitch/vswitch.ovsschema"),
    Path("/usr/local/share/openvswitch/vswitch.ovsschema"),
)


@dataclass(frozen=True, eq=False)
class EmulatedFabric:
    """A standing emulated fabric.

    Attributes:
        fabric: what it carries out.
        name: of everything in the kernel that belongs to it.
        openflow_port: TCP port of the controller.
        control: network of the cable to the controller.
    """

    fabric: Fabric
    name: str = "fabric"
    openflow_port: int = 6653
    control: IPv4Network = CONTROL

    @property
    def prefix(self) -> str:
        """Of all namespaces."""
        return f"{PREFIX}{self.name}-"

    @property
    def switches(self) -> str:
        """Namespace of all switches."""
        return f"{self.prefix}switches"

    @property
    def folder(self) -> Path:
        """Database, sockets and logs of the switches."""
        return STATE / self.name

    @property
    def controller_address(self) -> str:
        """Where the controller must listen."""
        return str(self.control[1])

    def bridge(self, node: str) -> str:
        """Name of a node's switch."""
        return f"s{self.fabric.switches[node]}"

    def openflow(self, command: str, node: str, *arguments: str) -> str:
        """What ``ovs-ofctl`` says of a node's switch."""
        target = f"unix:{self.folder}/{self.bridge(node)}.mgmt"
        return self.ovs("ovs-ofctl", "-O", "OpenFlow13", command, target, *arguments)

    def host(self, name: str) -> str:
        """Namespace of an executor or access point: its name as a slug, whatever else is in it."""
        return f"{self.prefix}{self._slugs[name]}"

    @cached_property
    def _slugs(self) -> Mapping[str, str]:
        # The switches' own namespace is called so already.
        return dict(zip(self.fabric.hosts, slugs(["switches", *self.fabric.hosts])[1:], strict=True))

    def put_up(self) -> None:
        """Build hosts, cables and switches. On any failure all of it is taken down again.

        Raises:
            MissingFeatureError: the machine lacks a right, a program or a kernel feature.
            EnforcementError: a fabric of this name stands already, or a step was refused.
        """
        check_name(self.name)
        require_features("the emulated fabric", NEEDS)
        if self.folder.exists() or namespaces.existing(self.prefix):
            raise EnforcementError(
                f"a fabric named {self.name!r} stands already, or its remains; take it down first"
            )
        try:
            self.folder.mkdir(parents=True)
            write_atomically(self.folder / "fabric.json", json.dumps(self.fabric.to_dict(), indent=1))
            self._cable()
            self.start_switches()
            self.ovs("ovs-vsctl", "--no-wait", "init")
            self.ovs("ovs-vsctl", *self._bridges())
        except BaseException:
            take_down(self.name)
            raise

    def start_switches(self) -> None:
        """Start the database and the switch; both go to the background, in the namespace of the switches."""
        database = self.folder / "conf.db"
        if not database.exists():
            self.ovs("ovsdb-tool", "create", str(database), str(_schema()))
        socket = self.folder / "db.sock"
        common = ("--pidfile", "--detach", "--no-chdir", "--log-file")
        self.ovs("ovsdb-server", str(database), f"--remote=punix:{socket}", *common)
        self.ovs("ovs-vswitchd", f"unix:{socket}", *common)

    def stop_switches(self) -> None:
        """End switch and database as if the machine they run on had died; hosts and cables stay."""
        for service in ("ovs-vswitchd", "ovsdb-server"):
            pid = self.folder / f"{service}.pid"
            if pid.exists():
                namespaces.end_processes([int(pid.read_text())])
                pid.unlink(missing_ok=True)

    def ovs(self, *command: str) -> str:
        """Run one of Open vSwitch's programs against these switches."""
        folders = (
            f"{name}={self.folder}" for name in ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR")
        )
        path = program(command[0]) or command[0]
        return run(["env", *folders, path, *command[1:]], netns=self.switches)

    def _cable(self) -> None:
        """One namespace per host, one for the switches, and every host's cable into it."""
        hosts = self.fabric.hosts
        control = [f"netns add {name}" for name in (self.switches, *map(self.host, hosts))]
        outside = _outside(self.name)
        own, theirs = (IPv4Interface(f"{self.control[k]}/{self.control.prefixlen}") for k in (1, 2))
        control += [
            f"link add {outside} type veth peer name control netns {self.switches}",
            f"addr add {own} dev {outside}",
            f"link set {outside} up",
        ]
        inside = [f"addr add {theirs} dev control", "link set control up", "link set lo up"]
        for name, host in hosts.items():
            port = self._port(name)
            control.append(
                f"link add eth0 netns {self.host(name)} address {host.mac} "
                f"type veth peer name {port} netns {self.switches}"
            )
            inside.append(f"link set {port} up")
        namespaces.configure(control)
        run(["ip", "-n", self.switches, "-batch", "-"], lines=inside)
        for name, host in hosts.items():
            lines = [f"addr add {host.ip}/16 dev eth0", "link set lo up", "link set eth0 up"]
            run(["ip", "-n", self.host(name), "-batch", "-"], lines=lines)
            # Checksums left to hardware that does not exist would stall TCP.
            run(["ethtool", "-K", "eth0", "tx", "off"], netns=self.host(name))

    def _bridges(self) -> list[str]:
        """One transaction of ``ovs-vsctl`` that makes all switches."""
        words: list[str] = []
        target = f"tcp:{self.controller_address}:{self.openflow_port}"
        for name, dpid in self.fabric.switches.items():
            bridge = self.bridge(name)
            words += f"-- add-br {bridge}".split()
            words += (
                f"-- set bridge {bridge} datapath_type=netdev protocols=OpenFlow13 fail_mode=secure".split()
            )
            words += [f"other-config:datapath-id={dpid:016x}"]
            words += f"-- set-controller {bridge} {target}".split()
            words += f"-- set controller {bridge} connection-mode=out-of-band".split()
            words += ["max_backoff=1000", "inactivity_probe=5000"]
        for (a, b), port in self.fabric.cables.items():
            here, there = self.bridge(a), self.bridge(b)
            words += ["--", "add-port", here, f"{here}-{there}", "--", "set", "interface", f"{here}-{there}"]
            words += ["type=patch", f"options:peer={there}-{here}", f"ofport_request={port}"]
        for name, host in self.fabric.hosts.items():
            port_name = self._port(name)
            words += ["--", "add-port", self.bridge(host.switch), port_name]
            words += ["--", "set", "interface", port_name, f"ofport_request={host.port}"]
        return words[1:]

    def _port(self, host: str) -> str:
        """Interface of a host on its switch; interface names have at most 15 characters."""
        return f"h{list(self.fabric.hosts).index(host)}"


def take_down(name: str = "fabric") -> None:
    """Remove everything of an emulated fabric. Also after a crash: its name is all that is needed.

    Raises:
        MissingFeatureError: not root.
    """
    check_name(name)
    require_features("taking a fabric down", ("linux", "root", "ip"))
    # The cable first: with its namespace it would vanish by itself, but at a time of the kernel's choosing.
    outside = _outside(name)
    if Path(f"/sys/class/net/{outside}").exists():
        run(["ip", "link", "del", outside])
    namespaces.delete(namespaces.existing(f"{PREFIX}{name}-"))
    shutil.rmtree(STATE / name, ignore_errors=True)


def _outside(name: str) -> str:
    """The controller's end of the cable; with the longest name just as long as interface names may be."""
    return f"swf{name}"


def _schema() -> Path:
    for path in (*_SCHEMAS, Path(os.environ.get("OVS_SCHEMA", os.devnull))):
        if path.is_file():
            return path
    raise MissingFeatureError("the emulated fabric", ["Open vSwitch's database schema (vswitch.ovsschema)"])
