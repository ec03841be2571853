"""Which instances a store holds: a family of scenarios, and a seed for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.network.presets import family_of, preset
from slicewright.network.scenario import Scenario
from slicewright.types import Document

_STREAM = 0x5EED
"""Keeps the draws below apart from those of the scenario, which start from the same seed."""


@dataclass(frozen=True, eq=True)
class Recipe:
    """A family of scenarios; with a seed, an instance. The same recipe and seed give the same scenario bit for bit.

    Attributes:
        preset: name of the family.
        devices: least and greatest number of devices; each seed draws its own.
        parameters: of the preset, the same for every instance.
        vary: of the preset, with the values among which each seed draws.

    Raises:
        UnknownNameError: no such preset.
        InvalidScenarioError: no such parameter, or an impossible value.
        InvalidOptionError: the range of devices is empty, or nothing to draw from.
    """

    preset: str = "paper-slicing"
    devices: tuple[int, int] = (5, 50)
    parameters: Mapping[str, object] = field(default_factory=dict)
    vary: Mapping[str, tuple[object, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        low, high = self.devices
        if not 1 <= low <= high:
            raise InvalidOptionError(
                "devices", "must be a range low-high with 1 <= low <= high", value=self.devices
            )
        for name in ("devices", *self.vary):
            if name in self.parameters:
                raise InvalidOptionError(name, "is set twice", fix="leave it out of the fixed parameters")
        family_of(self.preset, **self.parameters)
        for name, values in self.vary.items():
            if not values:
                raise InvalidOptionError(name, "needs at least one value to draw from")
            for value in values:
                family_of(self.preset, **{name: value})

    def scenario(self, seed: int) -> Scenario:
        """The instance of that seed."""
        rng = np.random.default_rng([seed, _STREAM])
        devices = int(rng.integers(self.devices[0], self.devices[1] + 1))
        drawn = {name: self.vary[name][int(rng.integers(len(self.vary[name])))] for name in sorted(self.vary)}
        return preset(self.preset, devices=devices, seed=seed, **self.parameters, **drawn)

    def to_dict(self) -> Document:
        """As it is kept in the manifest."""
        return {
            "preset": self.preset,
            "devices": list(self.devices),
            "parameters": {key: _plain(value) for key, value in self.parameters.items()},
            "vary": {key: [_plain(value) for value in values] for key, values in self.vary.items()},
        }

    @staticmethod
    def from_dict(document: Document) -> Recipe:
        """From a manifest."""
        low, high = document["devices"]
        vary = {key: tuple(values) for key, values in document["vary"].items()}
        return Recipe(document["preset"], (int(low), int(high)), document["parameters"], vary)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
