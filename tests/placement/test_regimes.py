"""Regimes of placement: every one can be called by name, solved, and is listed by the command."""

from __future__ import annotations

import pytest

from slicewright.cli.commands.planning.place import place as command
from slicewright.errors import InvalidTasksError, UnknownNameError
from slicewright.placement import PLACEMENT_REGIMES, load_tasks, place, placement_preset
from slicewright.placement.problem.shapes import SHAPES


@pytest.mark.parametrize("name", PLACEMENT_REGIMES)
def test_every_regime_is_a_preset_that_is_placed_and_bounded(name: str) -> None:
    tasks = load_tasks({"schema": "slicewright/tasks/v1", "preset": f"regime/{name}", "tasks": 20, "seed": 3})
    placement = place(tasks, iterations=2000)
    assert placement.violations.feasible
    assert placement.lower_bound_bit_hops <= placement.objective_bit_hops * (1 + 1e-9)
    assert placement.objective_bit_hops <= place(tasks, "greedy-nearest").objective_bit_hops * (1 + 1e-9)


def test_the_command_lists_every_regime_with_what_it_stresses() -> None:
    for name, regime in PLACEMENT_REGIMES.items():
        assert f"- `regime/{name}`: {regime.stresses}" in str(command.__doc__)


def test_mistyped_names_get_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'regime/tight'"):
        load_tasks("regime/tigth")
    with pytest.raises(InvalidTasksError, match="did you mean 'tree'"):
        placement_preset(shape="tre")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("counts", [(8, 4, 1), (1, 1, 1), (5, 3, 2), (20, 10, 0)])
def test_every_shape_connects_everybody(shape: str, counts: tuple[int, int, int]) -> None:
    lower, upper, mecs = counts
    tasks = placement_preset(shape=shape, lower_coins=lower, upper_coins=upper, mecs=mecs, tasks=3)
    assert tasks.topology.n_nodes == lower + upper + mecs
    assert len({name for link in tasks.topology.links for name in link[:2]}) == lower + upper + mecs + 8
