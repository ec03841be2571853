"""What exporters share: options, the radio shares after rounding, and how documents are written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from slicewright.enforcement.linux.names import slugs
from slicewright.errors import InvalidOptionError
from slicewright.files.documents import yaml_text
from slicewright.slicing.plan import Plan
from slicewright.slicing.rrm import (
    PROFILES,
    Plmn,
    Profile,
    RadioSplit,
    RoundingEffect,
    rounding_effect,
    rrm_policies,
    split_radio,
)
from slicewright.types import Document, FloatArray

_CELL = re.compile(r"[0-9a-f]{9}")


@dataclass(frozen=True)
class ExportOptions:
    """What a plan does not say and targets want to know.

    Attributes:
        profile: ``hard``: exactly the planned share. ``guaranteed``: at least that, more while others are idle.
        plmn: the mobile network.
        first_cell: NR cell identity of access point 0, nine hex digits; the others count on from there.
        core_hz: cycle/s of the scenario that one core of a cluster stands for.
        image: container image of the workers.

    Raises:
        InvalidOptionError: an option breaks its rule.
    """

    profile: Profile = "hard"
    plmn: Plmn = field(default_factory=Plmn)
    first_cell: str = "00066c000"
    core_hz: float = 1e9
    image: str = "registry.k8s.io/pause:3.10"

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise InvalidOptionError("profile", f"must be one of {', '.join(PROFILES)}", value=self.profile)
        if _CELL.fullmatch(self.first_cell.lower()) is None:
            raise InvalidOptionError("first_cell", "must be nine hex digits", value=self.first_cell)
        if not (np.isfinite(self.core_hz) and self.core_hz > 0):
            raise InvalidOptionError("core_hz", "must be positive", value=self.core_hz)


@dataclass(frozen=True)
class Export:
    """The files of one target, and what the reader must know.

    Attributes:
        target: name.
        files: content by file name.
        ignored: what of the plan or of the files the target is known to ignore or cannot express.
        remarks: what became of this plan on the way.
        contents: what a file is about, by its name, where the name does not tell.
    """

    target: str
    files: Mapping[str, str]
    ignored: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    contents: Mapping[str, str] = field(default_factory=dict)

    def _about(self, name: str) -> str:
        told = self.contents.get(name, "")
        return f": {told}" if told else ""

    def read_me(self) -> str:
        """The same as a text to lie beside the files."""
        lines = [f"# {self.target}", "", *(f"- `{name}`{self._about(name)}" for name in self.files)]
        lines += [
            "",
            "Ignored by the target, or not expressible in it:",
            *(f"- {text}" for text in self.ignored),
        ]
        if self.remarks:
            lines += ["", "This plan:", *(f"- {text}" for text in self.remarks)]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, eq=False)
class Source:
    """A plan with what every exporter derives from it."""

    plan: Plan
    options: ExportOptions

    @cached_property
    def cells(self) -> tuple[str, ...]:
        """Access points by names fit for files and paths."""
        return slugs(self.plan.scenario.access_points)

    def told_cells(self, files: Iterable[str]) -> dict[str, str]:
        """What the files of access points are about, where their names do not tell."""
        return told_names(files, "access point", self.plan.scenario.access_points)

    @cached_property
    def slices(self) -> tuple[str, ...]:
        """Slices by names fit for files and paths."""
        return slugs(s.name for s in self.plan.scenario.slices)

    @cached_property
    def split(self) -> RadioSplit:
        """Requested, quantised and realised shares."""
        return split_radio(self.plan.scenario, self.plan.shares)

    @cached_property
    def effect(self) -> RoundingEffect:
        """What rounding does to the plan."""
        return rounding_effect(self.plan.scenario, self.plan.decisions, self.plan.shares, self.split)

    @cached_property
    def rates_bps(self) -> FloatArray:
        """(I,) bit/s granted on the uplink, omega phi R; 0 if local."""
        from slicewright.enforcement.linux.desired import uplink_rates_bps

        return uplink_rates_bps(self.plan)

    @cached_property
    def speeds_hz(self) -> FloatArray:
        """(I,) cycle/s granted on the node, phi F; 0 if local."""
        from slicewright.enforcement.linux.desired import cpu_speeds_hz

        return cpu_speeds_hz(self.plan)

    def cell_identity(self, access_point: int) -> str:
        """NR cell identity of an access point, nine hex digits."""
        number = int(self.options.first_cell, 16) + access_point
        if number >= 16**9:
            raise InvalidOptionError(
                "first_cell", "leaves no room for so many access points", value=self.options.first_cell
            )
        return f"{number:09x}"

    def percents(self, access_point: int) -> list[tuple[int, int, int]]:
        """Dedicated, minimum and maximum percentage of every slice of an access point."""
        hard = self.options.profile == "hard"
        return [(q, q, q) if hard else (0, q, 100) for q in self.split.percent[access_point].tolist()]

    def policies(self, access_point: int) -> list[Document]:
        """RRMPolicyRatio entries of an access point, one per slice."""
        return rrm_policies(
            self.plan.scenario.slices,
            self.split.percent[access_point],
            profile=self.options.profile,
            plmn=self.options.plmn,
        )

    def radio_remarks(self) -> tuple[str, ...]:
        """What rounding to whole percentages and whole resource blocks does to this plan."""
        effect, scenario = self.effect, self.plan.scenario
        worst = float(np.abs(self.split.realised - self.split.requested).max())
        remarks = [f"rounding moves a slice's share of an access point by at most {100 * worst:.2f} points"]
        if np.isfinite(effect.realised_cost_s):
            cost = f"{effect.realised_cost_s:.6g} s instead of {effect.cost_s:.6g} s"
            remarks.append(f"system cost with the realised shares: {cost}")
        if effect.starved.size:
            names = ", ".join(map(str, effect.starved.tolist()))
            remarks.append(f"left without a resource block: devices {names}; do not apply this")
        if effect.slower_than_local.size:
            names = ", ".join(map(str, effect.slower_than_local.tolist()))
            remarks.append(f"slower than on their own after rounding: devices {names}")
        if not effect.violations.feasible:
            remarks.append(
                f"rounding breaks {', '.join(effect.violations.broken)} of {scenario.n_devices} devices"
            )
        return tuple(remarks)


def rounded_down(rates_bps: FloatArray, step_bps: float, unit: str) -> tuple[str, ...]:
    """By how much whole numbers of a unit are less than rates, those of 0 left out; nothing where none is granted."""
    granted = rates_bps[rates_bps > 0]
    if not granted.size:
        return ()
    lost = granted - np.floor(granted / step_bps) * step_bps
    lost[lost < 1e-9 * granted] = 0.0  # what floating point makes of whole numbers
    told = [
        f"rounding down to whole {unit} takes at most {lost.max():.3g} bit/s of a rate, "
        f"{100 * float((lost / granted).max()):.3g} % of it"
    ]
    gone = int((granted < step_bps).sum())
    if gone:
        told.append(f"{gone} rates are below 1 {unit}: nothing is left of them")
    return tuple(told)


def as_json(document: object) -> str:
    """JSON as people read it."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def as_yaml(*documents: Document, heading: str = "") -> str:
    """One YAML file of several documents."""
    texts = [yaml_text(doc) for doc in documents]
    comment = "".join(f"# {line}\n" for line in heading.splitlines())
    return comment + "---\n".join(texts)


def told_names(files: Iterable[str], kind: str, names: Iterable[str]) -> dict[str, str]:
    """What files are about, for those whose names differ from what is in them."""
    pairs = zip(files, names, strict=True)
    return {file: f"{kind} {in_print(name)}" for file, name in pairs if file.rpartition(".")[0] != name}


def in_print(name: str) -> str:
    """A name on one line of a text; what cannot be printed is written as an escape."""
    return name if name.isprintable() and name.strip() else repr(name)
