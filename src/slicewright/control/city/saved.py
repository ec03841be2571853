"""A city in files beside its journal, so that a restart reads few records: arrays, names, and where the journal was."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from slicewright.control.city.followed import FollowedCity
from slicewright.control.state.idempotency import Remembered
from slicewright.errors import InvalidOptionError
from slicewright.files.arrays import read_arrays
from slicewright.network.scenario import Scenario
from slicewright.slicing.city.live import LiveCity

KEPT = 2
"""So many saved files stay: a damaged newest one costs time, not requests."""
POSITIONS = "position_m"
_NAME = re.compile(r"\.city-(\d+)\.npz$")


class SavedCities:
    """Saved files of one journal.

    Args:
        journal: its file.
        digest: of the scenario; files of another one do not count.
    """

    def __init__(self, journal: Path, digest: str) -> None:
        self._journal, self._digest = journal, digest

    def files(self) -> list[Path]:
        """Newest first."""
        found = {
            file: _NAME.search(file.name) for file in self._journal.parent.glob(f"{self._journal.name}.*")
        }
        numbered = [(int(match[1]), file) for file, match in found.items() if match]
        return [file for _, file in sorted(numbered, reverse=True)]

    def save(self, parts: Mapping[str, Any], sequence: int, hash_: str) -> None:
        """Write what :func:`parts_of` gave at a record; whole or not at all."""
        file = self._journal.with_name(f"{self._journal.name}.city-{sequence}.npz")
        new = file.with_suffix(".new")
        told = {**parts["told"], "sequence": sequence, "hash": hash_, "digest": self._digest}
        with new.open("wb") as stream:
            np.savez(stream, told=np.array(json.dumps(told)), **parts["arrays"])
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(file)
        for old in self.files()[KEPT:]:
            old.unlink(missing_ok=True)

    def newest(self, scenario: Scenario) -> tuple[FollowedCity, int, str] | None:
        """(City, number and hash of the last record in it) of the newest file that can be read; None without."""
        for file in self.files():
            try:
                arrays = read_arrays(file, InvalidOptionError, what="a saved city")
                told = json.loads(str(arrays.pop("told")))
                if told["digest"] != self._digest:
                    continue
                live = LiveCity.restored(scenario, arrays)
            except (OSError, ValueError, KeyError):  # the next one, or the journal, has all that it has
                continue
            city = FollowedCity(scenario, live=live)
            city.slots = dict(told["slots"])
            city.names = {slot: name for name, slot in city.slots.items()}
            city.owners = told["owners"]
            if POSITIONS in arrays:  # older files have none: those of the scenario stay
                city.position_m = np.array(arrays[POSITIONS], dtype=np.float64)
            city.keys = {
                key: Remembered(known["request_digest"], tuple(known["devices"]), known["asked_s"])
                for key, known in told["keys"].items()
            }
            return city, int(told["sequence"]), str(told["hash"])
        return None


def parts_of(city: FollowedCity) -> dict[str, Any]:
    """Copies of everything, so that they may be written while the city goes on."""
    keys = {key: asdict(known) for key, known in city.keys.items()}
    told = {"slots": dict(city.slots), "owners": dict(city.owners), "keys": keys}
    return {"arrays": {**city.live.state(), POSITIONS: city.position_m.copy()}, "told": told}
