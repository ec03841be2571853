"""What the tests of enforcement need of the machine, and namespaces that are gone afterwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from slicewright.enforcement.linux import namespaces
from slicewright.enforcement.linux.features import missing_features
from slicewright.enforcement.linux.shell import run

NETWORK = (
    "linux",
    "root",
    "ip",
    "tc",
    "ethtool",
    "network namespaces",
    "veth",
    "bridge",
    "sch_htb",
    "cls_u32",
)
CPU = ("linux", "root", "cgroup cpu")


def needs(*features: str) -> None:
    """Skip the calling test, naming what is missing."""
    lacking = missing_features(*features)
    if lacking:
        pytest.skip(f"this machine lacks {', '.join(lacking)}")


@contextmanager
def pair_of_hosts() -> Iterator[tuple[str, str]]:
    """Two namespaces joined by a cable ``eth0``: 10.9.0.1 and 10.9.0.2."""
    names = [f"swtest-{os.getpid()}-{side}" for side in "ab"]
    try:
        namespaces.configure(
            [
                *(f"netns add {name}" for name in names),
                f"link add eth0 netns {names[0]} type veth peer name eth0 netns {names[1]}",
            ]
        )
        for k, name in enumerate(names, start=1):
            lines = [f"addr add 10.9.0.{k}/24 dev eth0", "link set lo up", "link set eth0 up"]
            run(["ip", "-n", name, "-batch", "-"], lines=lines)
            run(["ethtool", "-K", "eth0", "tx", "off"], netns=name)
        yield names[0], names[1]
    finally:
        namespaces.delete(name for name in names if namespaces.existing(name))
