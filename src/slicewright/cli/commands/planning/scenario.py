"""``slicewright scenario``: make, import and show scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from slicewright.cli.options import command_group

if TYPE_CHECKING:
    from slicewright.network.scenario import Scenario

app = command_group("Make, import and show scenarios.")
importers = command_group("Scenarios from other people's data.")
app.add_typer(importers, name="import")

_OUT = typer.Option(
    ..., "--output", "-o", metavar="FILE", help="Scenario file to write: .yaml, .yml or .json."
)
_SET = typer.Option(
    [], "--set", "-s", metavar="KEY=VALUE",
    help="A parameter; may be repeated. Ranges as LOW,HIGH: `--set task_bits=8e6,8e7`.",
)  # fmt: skip
_SEED = typer.Option(0, "--seed", min=0, help="Seed of everything that is drawn: same seed, same scenario.")


@app.command()
def new(
    output: Path = _OUT,
    preset: str = typer.Option("paper-slicing", "--preset", "-p", help="paper-slicing or dense-urban."),
    devices: int | None = typer.Option(None, "--devices", "-n", min=1, help="Number of devices."),
    seed: int = _SEED,
    settings: list[str] = _SET,
) -> None:
    """Draw a scenario from a preset, every parameter of which can be set."""
    import slicewright as sw

    overrides = parse_settings(settings)
    if devices is not None:
        overrides["devices"] = devices
    _write(sw.preset(preset, seed=seed, **overrides), output)


@importers.command()
def eua(
    folder: Path = typer.Argument(metavar="FOLDER", help="Folder with `site-*.csv` and `users-*.csv`."),
    output: Path = _OUT,
    seed: int = _SEED,
    settings: list[str] = _SET,
) -> None:
    """Real base-station sites and users as CSV files (edge user allocation data sets, e.g. Melbourne CBD).

    Only positions are real; everything else is a parameter: users, coins, coin_placement, mecs, slices, reach_m,
    bandwidth_hz, coin_capacity_hz, mec_capacity_hz, task_bits, cycles_per_bit, slice_work_ratio, local_capacity_hz,
    arrival_rate_hz, tx_power_w, noise_dbm_hz, path_loss_exponent, radio, queueing.
    """
    from slicewright.network.importers import import_eua

    _write(import_eua(folder, seed=seed, **parse_settings(settings)), output)


@importers.command()
def graph(
    file: Path = typer.Argument(
        metavar="FILE", help="Node-link JSON of NetworkX, or GraphML (.graphml, .xml)."
    ),
    output: Path = _OUT,
    seed: int = _SEED,
    settings: list[str] = _SET,
) -> None:
    """A network graph: vertices become access points, COIN nodes and MEC servers.

    Roles come from the vertices' attribute kind (access_point, coin, mec), else from a rule: `--set roles=degree` or
    betweenness, with coins and mecs. Devices are made up: devices, device_spread_m. Positions come from x and y, pos,
    or latitude and longitude, else from a spring layout; area_m scales them. Further: all parameters of a workload.
    """
    from slicewright.network.importers import import_graph

    _write(import_graph(file, seed=seed, **parse_settings(settings)), output)


@importers.command()
def topohub(
    name: str = typer.Argument(
        metavar="NAME", help="Group and name, such as topozoo/Abilene or sndlib/polska."
    ),
    output: Path = _OUT,
    seed: int = _SEED,
    settings: list[str] = _SET,
) -> None:
    """A topology of topohub (Topology Zoo, SNDlib and others), scaled to a city: parameters as for `import graph`."""
    from slicewright.network.importers import import_topohub

    _write(import_topohub(name, seed=seed, **parse_settings(settings)), output)


@app.command()
def show(
    scenario: str = typer.Argument(
        metavar="SCENARIO", help="Scenario file (YAML or JSON), or the name of a preset."
    ),
    map_file: Path | None = typer.Option(
        None, "--map", metavar="FILE", help="Draw what is where: .png, .pdf, .svg or .html."
    ),
) -> None:
    """Counts, ranges, reach and load of a scenario, before anybody plans it."""
    import slicewright as sw
    from slicewright.cli.options import output, progress_output
    from slicewright.cli.views.scenario_view import print_scenario

    problem = sw.load_scenario(scenario)
    print_scenario(output(), problem)
    if map_file is not None:
        from slicewright.evaluation.maps import draw_scenario

        remarks = progress_output()
        with remarks.status("drawing"):
            draw_scenario(problem, map_file)
        remarks.print(f"map written to {map_file}")


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """Parameters from ``KEY=VALUE``; a comma makes a list. Who takes them checks them.

    Raises:
        InvalidOptionError: no key, no value, or a key twice.
    """
    from slicewright.errors import InvalidOptionError

    parsed: dict[str, Any] = {}
    for text in settings:
        key, _, value = (part.strip() for part in text.partition("="))
        if not key or not value:
            raise InvalidOptionError("--set", "must be KEY=VALUE, such as task_bits=8e6,8e7", value=text)
        if key in parsed:
            raise InvalidOptionError("--set", f"sets {key} for the second time", value=text)
        items = [item.strip() for item in value.strip("[]()").split(",")]
        parsed[key] = items if len(items) > 1 else items[0]
    return parsed


def _write(scenario: Scenario, path: Path) -> None:
    import slicewright as sw
    from slicewright.cli.options import output

    sw.save_scenario(scenario, path)
    console = output()
    console.print(
        f"{scenario.n_devices} devices, {scenario.n_access_points} access points, {scenario.n_nodes} nodes, "
        f"{scenario.n_slices} slices written to {path}"
    )
    console.print(f"next: slicewright scenario show {path}, slicewright plan {path}", style="dim")
