"""What this machine offers. Kernel features are tried in a scratch namespace, because configurations lie."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from functools import cache

from slicewright.enforcement.linux import namespaces
from slicewright.enforcement.linux.cgroups import cpu_controller
from slicewright.enforcement.linux.shell import program, run
from slicewright.errors import EnforcementError, MissingFeatureError

_HTB = "tc qdisc add dev probe0 root handle 1: htb default 0"
_FILTER = "tc filter add dev probe0 parent 1: protocol ip prio 1 u32 match ip src 10.0.0.1/32 flowid 1:1"
_TRIED: dict[str, tuple[str, ...]] = {
    "network namespaces": (),
    "veth": ("ip link add probe0 type veth peer name probe1",),
    "bridge": ("ip link add probe2 type bridge",),
    "sch_htb": ("ip link add probe0 type veth peer name probe1", _HTB),
    "cls_u32": ("ip link add probe0 type veth peer name probe1", _HTB, _FILTER),
}
_LABELS = {"root": "root rights", "linux": "Linux", "cgroup cpu": "a CPU controller in cgroup v1 or v2"}


def missing_features(*names: str) -> list[str]:
    """Which of the named features this machine lacks, in words.

    Args:
        names: ``root``, ``linux``, ``cgroup cpu``, a kernel feature (``network namespaces``, ``veth``, ``bridge``,
            ``sch_htb``, ``cls_u32``), or else the name of a program.
    """
    lacking = [name for name in names if not _offers(name)]
    return [_LABELS.get(name) or (name if name in _TRIED else f"the program {name}") for name in lacking]


def require_features(purpose: str, names: Iterable[str]) -> None:
    """Raise unless the machine offers all of them.

    Raises:
        MissingFeatureError: names every one that is missing.
    """
    lacking = missing_features(*names)
    if lacking:
        raise MissingFeatureError(purpose, lacking)


def _offers(name: str) -> bool:
    simple: dict[str, Callable[[], bool]] = {
        "linux": lambda: sys.platform.startswith("linux"),
        "root": lambda: hasattr(os, "geteuid") and os.geteuid() == 0,
        "cgroup cpu": lambda: cpu_controller() is not None,
    }
    if name in simple:
        return simple[name]()
    return _kernel_offers(name) if name in _TRIED else program(name) is not None


@cache
def _kernel_offers(name: str) -> bool:
    if not (_offers("linux") and _offers("root") and _offers("ip")):
        return False
    scratch = f"swprobe-{os.getpid()}"
    try:
        run(["ip", "netns", "add", scratch])
    except EnforcementError:
        return False
    try:
        for line in _TRIED[name]:
            run(line.split(), netns=scratch)
    except EnforcementError:
        return False
    finally:
        namespaces.delete([scratch])
    return True
