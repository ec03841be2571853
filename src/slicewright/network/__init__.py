"""The physical world without decisions: scenarios, radio, presets, files, importers."""

from slicewright.network.presets import PRESETS, Family, generate, preset
from slicewright.network.radio import Radio, path_loss_rate, radio_model, radio_models, register_radio_model
from slicewright.network.scenario import NodeLists, RadioLinks, Scenario, Sites, SliceId
from slicewright.network.scenario_file import (
    load_scenario,
    save_scenario,
    scenario_from_dict,
    scenario_to_dict,
)
from slicewright.network.workload import Workload, populate

__all__ = [
    "PRESETS",
    "Family",
    "NodeLists",
    "Radio",
    "RadioLinks",
    "Scenario",
    "Sites",
    "SliceId",
    "Workload",
    "generate",
    "load_scenario",
    "path_loss_rate",
    "populate",
    "preset",
    "radio_model",
    "radio_models",
    "register_radio_model",
    "save_scenario",
    "scenario_from_dict",
    "scenario_to_dict",
]
