"""Trees of limits and the order of changes, without a kernel."""

from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slicewright as sw
from slicewright.enforcement.linux import Limit, drift, steps
from slicewright.enforcement.linux.limits import tree

Tree: TypeAlias = dict[str, Limit]


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """A cell of up to three slices of up to four devices each; every parent gets the sum of its children."""
    slices = draw(st.dictionaries(st.integers(0, 2), st.lists(st.integers(0, 3), min_size=1, unique=True)))
    leaves = {n: {i: draw(st.integers(1, 50)) for i in devices} for n, devices in slices.items()}
    sums = {n: sum(group.values()) for n, group in leaves.items()}
    limits = [Limit("1", None, sum(sums.values()), sum(sums.values()))] if leaves else []
    for n, group in leaves.items():
        limits.append(Limit(f"s{n}", "1", sums[n], sums[n]))
        limits += [Limit(f"d{i}", f"s{n}", a, a, f"10.0.0.{i}") for i, a in group.items() if i % 3 == n]
    return tree(limits)


def total_below(state: Tree, parent: str | None) -> int:
    return sum(limit.amount for limit in state.values() if limit.parent == parent)


@settings(max_examples=150, deadline=None)
@given(trees(), trees())
def test_any_tree_becomes_any_other_without_overbooking_or_orphans(before: Tree, after: Tree) -> None:
    state = dict(before)
    parents = {limit.parent for limit in (*before.values(), *after.values())}
    allowed = {p: max(total_below(before, p), total_below(after, p)) for p in parents}
    for action, limit in steps(before, after):
        if action == "remove":
            assert not any(other.parent == limit.key for other in state.values())
            del state[limit.key]
        else:
            assert (action == "create") == (limit.key not in state)
            assert limit.parent is None or limit.parent in state
            state[limit.key] = limit
        assert all(total_below(state, p) <= allowed[p] for p in parents)
    assert state == after
    assert not drift(state, after)


@given(trees())
def test_nothing_to_do_when_all_is_as_wanted(wanted: Tree) -> None:
    assert steps(wanted, wanted) == []


def test_rounding_of_the_kernel_is_not_drift() -> None:
    want = {"1": Limit("1", None, 123_456, 123_456)}
    have = {"1": Limit("1", None, 123_450, 123_450)}
    assert steps(have, want, tolerance=1e-3) == []
    assert drift(have, want, tolerance=1e-3) == ()
    assert [pair.key for pair in drift(have, want)] == ["1"]


def test_drift_names_what_is_missing_what_is_wrong_and_what_should_not_be() -> None:
    want = tree([Limit("1", None, 10, 10), Limit("a", "1", 4, 4), Limit("b", "1", 6, 6, "10.0.0.1")])
    have = tree([Limit("1", None, 10, 10), Limit("b", "1", 6, 6, "10.0.0.9"), Limit("x", "1", 4, 4)])
    assert [(pair.key, pair.ratio) for pair in drift(have, want)] == [("a", 1.0), ("b", 0.0), ("x", 1.0)]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ([Limit("a", "1", 4, 4)], "must have a known parent"),
        ([Limit("1", None, 4, 4), Limit("1", None, 5, 5)], "is given twice"),
        ([Limit("1", None, 0, 4)], "limit 1 is 0 but must be positive"),
        ([Limit("1", None, 5, 4)], "at most its ceiling"),
    ],
)
def test_what_is_not_a_tree_is_refused(limits: list[Limit], message: str) -> None:
    with pytest.raises(sw.InvalidOptionError, match=message):
        tree(limits)
