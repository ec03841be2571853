"""``slicewright export``: a plan in the dialects of those who would carry it out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from slicewright.enforcement.export import Export

_INDENT = (0, 0, 0, 2)
"""Empty cells above, right of, below and left of what is said of a target."""


def export(
    scenario: str = typer.Argument(
        metavar="SCENARIO", help="Scenario file (YAML or JSON), or the name of a preset."
    ),
    plan_file: Path | None = typer.Argument(
        None, metavar="PLAN", help="Plan file; without one, the scenario is planned."
    ),
    to: list[str] = typer.Option(
        ...,
        "--to",
        "-t",
        help="srsran-yaml, srsran-json, e2sm-ccc, a1, k8s, mec015, rrm, or all; may be given several times.",
    ),
    out: Path = typer.Option(..., "--output", "-o", metavar="DIR", help="Folder to write to."),
    profile: str = typer.Option(
        "hard", "--profile", help="hard: exactly the share; guaranteed: at least the share."
    ),
    plmn: str = typer.Option("001-01", "--plmn", help="Mobile network as MCC-MNC."),
    first_cell: str = typer.Option(
        "00066c000", "--first-cell", help="NR cell identity of the first access point."
    ),
    core_hz: float = typer.Option(1e9, "--core-hz", help="Cycle/s that one core of a cluster stands for."),
    method: str = typer.Option("auto", "--method", "-m", help="Method that plans, if no plan is given."),
) -> None:
    """Write a plan's shares as configuration of radio access networks, edge platforms and clusters.

    Files only, nothing is sent; each target's README.md says what it is known to ignore.
    """  # fmt: skip
    from rich.markup import escape

    import slicewright as sw
    from slicewright.cli.options import choice, output
    from slicewright.enforcement.export import TARGETS, ExportOptions, export_plan, write_export
    from slicewright.errors import InvalidOptionError
    from slicewright.slicing.rrm import PROFILES, Plmn

    mcc, _, mnc = plmn.partition("-")
    try:
        mobile_network = Plmn(mcc, mnc)
    except InvalidOptionError:
        raise InvalidOptionError("--plmn", "must be MCC-MNC, for example 001-01", value=plmn) from None
    options = ExportOptions(
        profile=choice(profile, PROFILES, "--profile"),
        plmn=mobile_network,
        first_cell=first_cell,
        core_hz=core_hz,
    )
    problem = sw.load_scenario(scenario)
    plan = sw.plan(problem, method=method) if plan_file is None else sw.load_plan(problem, plan_file)
    targets = list(TARGETS) if "all" in to else list(dict.fromkeys(to))
    made = [export_plan(plan, target, options=options) for target in targets]  # all or nothing is written
    shown = output()
    for one in made:
        folder = out / one.target if len(made) > 1 else out
        written = write_export(one, folder)
        shown.print(f"[bold]{one.target}[/]: {len(written)} files in {escape(str(folder))}")
        _tell(shown, one)


def _tell(shown: Console, one: Export) -> None:
    """What rounding changed, and what the target ignores; further lines of a sentence below its first."""
    from rich.markup import escape
    from rich.padding import Padding

    for text in one.remarks:
        shown.print(Padding(escape(text), _INDENT, expand=False))
    for text in one.ignored:
        shown.print(Padding(f"[dim]ignored: {escape(text)}[/]", _INDENT, expand=False))
