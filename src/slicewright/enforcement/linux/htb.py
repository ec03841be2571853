"""Hierarchical token buckets on one interface: classes for slices, leaves for devices, through ``tc``.

Keys of limits are class minors in hexadecimal, as ``tc`` prints them. The parent ``None`` is the queue itself.
Traffic that matches no leaf (address resolution, management) passes unshaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from slicewright.enforcement.linux.limits import Limit, Step
from slicewright.enforcement.linux.names import check_address, check_interface, check_minor
from slicewright.enforcement.linux.namespaces import refuse_host
from slicewright.enforcement.linux.shell import run
from slicewright.errors import EnforcementError

FRAME_BYTES = 1514
"""A full Ethernet frame: the least a bucket must hold, and the turn a class gets when several borrow."""
BURST_S = 0.002
"""Depth of a bucket: so much time at its own rate. Deeper means fewer timer wake-ups and coarser shares."""
_CLASS = re.compile(
    r"^class htb 1:(?P<minor>[0-9a-f]+) (?:root|parent 1:(?P<parent>[0-9a-f]+))"
    r".*?rate (?P<rate>\S+) ceil (?P<ceil>\S+)",
    re.MULTILINE,
)
_FILTER = re.compile(
    r"fh (?P<handle>[0-9a-f]+::[0-9a-f]+) .*?flowid 1:(?P<minor>[0-9a-f]+)"
    r".*?match (?P<source>[0-9a-f]{8})/ffffffff",
    re.DOTALL,
)
_RATE = re.compile(r"(\d+)([KMGT]?)bit")
_BITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True)
class Htb:
    """The rate classes of one interface.

    Attributes:
        interface: name of the interface whose outgoing traffic is shaped.
        netns: its network namespace, None for the one this process is in.
        allow_host: shape an interface of the machine itself. Without it, that is refused.

    Raises:
        InvalidOptionError: no interface is called so.
        EnforcementError: the interface is the machine's own and ``allow_host`` was not given.
    """

    interface: str
    netns: str | None = None
    allow_host: bool = False
    tolerance: float = 1e-3  # tc prints four digits

    def __post_init__(self) -> None:
        check_interface(self.interface)
        refuse_host(f"shaping {self.interface}", self.netns, allow_host=self.allow_host)

    def read(self) -> dict[str, Limit]:
        """The classes the kernel has, parents before children; none without our queue."""
        if not self._has_queue():
            return {}
        sources = {minor: source for minor, (source, _) in self._filters().items()}
        return parse_classes(run(["tc", "class", "show", "dev", self.interface], netns=self.netns), sources)

    def apply(self, changes: Sequence[Step]) -> None:
        """Do the steps in their order.

        Raises:
            InvalidOptionError: a key is no class minor, or what is matched is no address.
            EnforcementError: the kernel refused one; carries its words.
        """
        if not changes:
            return
        for _, limit in changes:
            _check(limit)
        lines: list[str] = []
        if not self._has_queue():
            lines.append(f"qdisc replace dev {self.interface} root handle 1: htb default 0")
        filters = self._filters() if any(step.action == "remove" for step in changes) else {}
        for action, limit in changes:
            if action == "remove":
                lines += self._removal(limit, filters)
            else:
                lines.append(self._class("add" if action == "create" else "change", limit))
                if action == "create" and limit.match is not None:
                    lines.append(
                        f"filter add dev {self.interface} parent 1: protocol ip prio 1 "
                        f"u32 match ip src {limit.match}/32 flowid 1:{limit.key}"
                    )
        run(["tc", "-batch", "-"], netns=self.netns, lines=lines)

    def remove(self) -> None:
        """Give the interface its default queue back. Does nothing without our queue."""
        if self._has_queue():
            run(["tc", "qdisc", "del", "dev", self.interface, "root"], netns=self.netns)

    def _has_queue(self) -> bool:
        shown = run(["tc", "qdisc", "show", "dev", self.interface, "root"], netns=self.netns)
        return shown.startswith("qdisc htb 1: ")

    def _filters(self) -> dict[str, tuple[str, str]]:
        """Source address and handle of the filter of each leaf."""
        if not self._has_queue():
            return {}
        shown = run(["tc", "filter", "show", "dev", self.interface, "parent", "1:"], netns=self.netns)
        return parse_filters(shown)

    def _class(self, verb: str, limit: Limit) -> str:
        parent = f"1:{limit.parent}" if limit.parent else "1:"
        return (
            f"class {verb} dev {self.interface} parent {parent} classid 1:{limit.key} htb "
            f"rate {limit.amount}kbit ceil {limit.ceiling}kbit "
            f"burst {burst_bytes(limit.amount)} cburst {burst_bytes(limit.ceiling)} quantum {FRAME_BYTES}"
        )

    def _removal(self, limit: Limit, filters: dict[str, tuple[str, str]]) -> list[str]:
        lines = []
        if limit.key in filters:
            handle = filters[limit.key][1]
            lines.append(f"filter del dev {self.interface} parent 1: protocol ip prio 1 handle {handle} u32")
        return [*lines, f"class del dev {self.interface} classid 1:{limit.key}"]


def _check(limit: Limit) -> None:
    check_minor(limit.key, "limit key")
    if limit.parent is not None:
        check_minor(limit.parent, "limit parent")
    if limit.match is not None:
        check_address(limit.match, "limit match")


def burst_bytes(kbit: int) -> int:
    """Depth of the bucket of a class: at least two frames."""
    return max(2 * FRAME_BYTES, round(kbit * 1000 * BURST_S / 8))


def parse_classes(text: str, sources: dict[str, str]) -> dict[str, Limit]:
    """Classes as ``tc class show`` prints them, parents before children."""
    found = {
        m["minor"]: Limit(
            m["minor"], m["parent"], parse_kbit(m["rate"]), parse_kbit(m["ceil"]), sources.get(m["minor"])
        )
        for m in _CLASS.finditer(text)
    }
    ordered: dict[str, Limit] = {}

    def put(limit: Limit) -> None:
        if limit.parent in found and limit.parent not in ordered:
            put(found[limit.parent])
        ordered[limit.key] = limit

    for limit in found.values():
        put(limit)
    return ordered


def parse_filters(text: str) -> dict[str, tuple[str, str]]:
    """Source address and handle by class minor, from ``tc filter show``."""
    return {m["minor"]: (str(IPv4Address(int(m["source"], 16))), m["handle"]) for m in _FILTER.finditer(text)}


def parse_kbit(text: str) -> int:
    """Whole kbit/s from ``12345Kbit`` and the like.

    Raises:
        EnforcementError: not a rate; another version of ``tc`` may print differently.
    """
    m = _RATE.fullmatch(text)
    if m is None:
        raise EnforcementError(f"cannot read the rate {text!r} that tc printed")
    return round(int(m[1]) * _BITS[m[2]] / 1000)
