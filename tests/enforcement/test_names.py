"""No name that anybody gives to anything reaches root's programs as more than a slug."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slicewright.enforcement.linux.cgroups import Controller, CpuGroups
from slicewright.enforcement.linux.htb import Htb
from slicewright.enforcement.linux.limits import Limit, Step
from slicewright.enforcement.linux.names import refuse_odd_line, refuse_odd_name, slugs
from slicewright.enforcement.linux.shell import run
from slicewright.enforcement.sdn import emulation
from slicewright.enforcement.sdn.emulation import NEEDS, EmulatedFabric, take_down
from slicewright.enforcement.sdn.fabric import Fabric, load_fabric, numbered_fabric
from slicewright.errors import EnforcementError, InvalidInputError, InvalidOptionError
from slicewright.placement import tasks_from_dict
from tests.enforcement.kernel import needs

ODD = (
    "a\nnetns exec self touch /tmp/owned",
    "a b type veth",
    "../../etc",
    "-n",
    "#",
    "a\\",
    "switches",
    "é",
    "A",
    "a",
)


def _fabric(first: str, second: str) -> Fabric:
    """Two nodes and an access point, called as given."""
    task = {
        "access_point": [0],
        "size_bits": [1e6],
        "cycles": [1e6],
        "deadline_s": [1.0],
        "arrival_rate_hz": [1.0],
    }
    document = {
        "schema": "slicewright/tasks/v1",
        "nodes": {"names": [first, "middle"], "kinds": ["coin", "mec"], "capacity_hz": [1e9, 1e9]},
        "access_points": {"names": [second]},
        "links": [[second, first, 1.0], [first, "middle", 1.0]],
        "tasks": task,
    }
    return numbered_fabric(tasks_from_dict(document).topology)


@given(st.lists(st.text(max_size=80), max_size=12))
def test_slugs_are_harmless_and_all_different(names: list[str]) -> None:
    made = slugs(names)
    assert len(set(made)) == len(names)
    for slug in made:
        refuse_odd_line(slug)
        refuse_odd_name(slug)
        assert " " not in slug and len(slug) < 64


def test_a_slug_that_somebody_else_is_called_already_goes_on_counting() -> None:
    assert slugs(["a-2", "a", "A", "a b", "A B"]) == ("a-2", "a", "a-3", "a-b", "a-b-4")


@pytest.mark.parametrize("odd", ODD)
def test_every_command_of_an_emulated_network_is_made_of_plain_words(
    odd: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands: list[tuple[Sequence[str], str]] = []

    def note(command: Sequence[str], *, input: str, **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append((command, input))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", note)
    monkeypatch.setattr(emulation, "require_features", lambda *_: None)
    monkeypatch.setattr(emulation, "STATE", tmp_path)
    monkeypatch.setattr(emulation, "_schema", lambda: Path("schema"))
    EmulatedFabric(_fabric(odd, f"{odd}2"), name="odd").put_up()
    lines = [line for _, fed in commands for line in fed.splitlines()]
    assert lines and all(
        line.split()[:2] in (["netns", "add"], ["link", "add"], ["addr", "add"], ["link", "set"])
        for line in lines
    )
    words = [word for command, fed in commands for word in [*command, *fed.split()]]
    assert not any(mark in word for word in words for mark in ("/tmp/owned", "..", "\n", "#", "\\", "é"))
    spaces = [line.split()[2] for line in lines if line.startswith("netns add")]
    assert len(spaces) == len(set(spaces)) == 4


@pytest.mark.slow
def test_a_node_whose_name_is_a_command_is_put_up_and_runs_nothing(tmp_path: Path) -> None:
    needs(*NEEDS)
    marker = tmp_path / "owned"
    fabric = EmulatedFabric(
        _fabric(f"a\nnetns exec swf-odd-switches touch {marker}\nnetns add swf-odd-b", "ap"), name="odd"
    )
    try:
        fabric.put_up()
    finally:
        take_down("odd")
    assert not marker.exists()


@pytest.mark.parametrize(
    "line", ["a\nb", "a\r", "a # b", "a 'b c'", 'a "b', "a \\", "", "a\x00", "-batch", "a;b", "a\u2028b"]
)
def test_nothing_but_plain_words_is_fed_to_programs(line: str) -> None:
    with pytest.raises(EnforcementError, match="not fed"):
        run(["cat"], lines=["addr show", line])


@pytest.mark.parametrize("name", ["", "-all", "../self", "a b", "a\nb", "x" * 201])
def test_odd_namespaces_are_refused(name: str) -> None:
    with pytest.raises(EnforcementError, match="no name for a network namespace"):
        run(["true"], netns=name)


def test_limits_that_are_none_never_reach_the_kernel(tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionError, match="interface"):
        Htb("eth0\nlink", netns="x")
    queue = Htb("eth0", netns="x")
    for limit in (
        Limit("1 rate", None, 1, 1),
        Limit("1", "1\n", 1, 1),
        Limit("1", None, 1, 1, "10.0.0.1/0 flowid 1:1"),
    ):
        with pytest.raises(InvalidOptionError, match="limit"):
            queue.apply([Step("create", limit)])
    with pytest.raises(InvalidOptionError, match="CPU group"):
        CpuGroups("../top", Controller(2, tmp_path))
    groups = CpuGroups("top", Controller(2, tmp_path))
    for key in ("../../x", "/etc", "a//b", "a/..", "a\n"):
        with pytest.raises(InvalidOptionError, match="limit key"):
            groups.apply([Step("remove", Limit(key, None, 1, 1))])
        with pytest.raises(InvalidOptionError, match="CPU group"):
            groups.attach(key, 1)


def test_a_fabric_file_has_real_mac_addresses() -> None:
    fabric = _fabric("n", "ap")
    document = fabric.to_dict()
    document["hosts"]["ap"]["mac"] = "02:5a:00:01:00:00 type veth\nnetns"
    with pytest.raises(InvalidInputError, match="MAC address"):
        load_fabric(fabric.topology, document)
