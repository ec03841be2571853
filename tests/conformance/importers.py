"""What every importer promises: a scenario that repeats, says where it comes from, and is as good as any other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import pytest

from slicewright.errors import InvalidScenarioError
from slicewright.network import Scenario, load_scenario, save_scenario, scenario_to_dict
from slicewright.policies.slicing import plan


class Importer(Protocol):
    """An importer with its source filled in."""

    def __call__(self, *, seed: int = 0, **parameters: Any) -> Scenario:
        """Import."""
        ...


def check_importer(importer: Importer, folder: Path) -> None:
    """Fail with the first promise that the importer breaks.

    Args:
        importer: with its source filled in; the source has room for one COIN node and one MEC server.
        folder: empty, for files.
    """
    scenario = importer(seed=4, coins=1, mecs=1)
    assert (scenario.node_kinds.count("coin"), scenario.node_kinds.count("mec")) == (1, 1)
    same, other = importer(seed=4, coins=1, mecs=1), importer(seed=5, coins=1, mecs=1)
    assert scenario_to_dict(same) == scenario_to_dict(scenario), "the seed is the instance"
    assert scenario_to_dict(other) != scenario_to_dict(scenario), "what is made up follows the seed"
    origin = json.loads(json.dumps(dict(scenario.origin)))
    assert origin["importer"] and origin["seed"] == 4
    assert origin["not_real"]["coins"] == 1, "what is made up is told"
    for ending in ("yaml", "json"):
        read = load_scenario(save_scenario(scenario, folder / f"imported.{ending}"))
        assert scenario_to_dict(read) == scenario_to_dict(scenario), f"it survives its {ending} file"
    with pytest.raises(InvalidScenarioError, match="did you mean 'coins'"):
        importer(coin=3)
    with pytest.raises(InvalidScenarioError, match="task_bits"):
        importer(task_bits=(5.0, 1.0))
    assert plan(scenario, rounds=2).violations.feasible
