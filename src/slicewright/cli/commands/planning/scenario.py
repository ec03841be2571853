"""``slicewright scenario``: make, import and show scenarios."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
import typer.core

from slicewright.cli.old_names import taking_old_names
from slicewright.cli.options import command_group

if TYPE_CHECKING:
    from slicewright.network.scenario import Scenario

app = command_group("Make, import and show scenarios.")


class ImportGroup(typer.core.TyperGroup):
    """``import FILE`` finds the importer by itself; ``import NAME SOURCE`` calls one, those of packages too."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The importer of that name; else the one that suits the source."""
        if args and args[0] not in self.commands:
            from slicewright.network.importers import importers as known

            if args[0] in known():
                return super().resolve_command(ctx, ["by-name", *args])
            return super().resolve_command(ctx, ["auto", *args])
        return super().resolve_command(ctx, args)


importers = typer.Typer(
    cls=ImportGroup,
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Scenarios from other people's data: `import SOURCE -o FILE` finds out what it is.",
)
app.add_typer(importers, name="import")

_COLUMNS = typer.Option(
    None, "--columns", metavar="FORMAT", help="Devices as columns in a file beside it: parquet or arrow."
)
_OUTPUT = typer.Option(
    ..., "--output", "-o", metavar="FILE", help="Scenario file to write: .yaml, .yml or .json."
)
_SET = typer.Option(
    [], "--set", "-s", metavar="KEY=VALUE",
    help="A parameter; may be repeated. Ranges as LOW,HIGH: `--set task_bits=8e6,8e7`.",
)  # fmt: skip
_SEED = typer.Option(0, "--seed", min=0, help="Seed of everything that is drawn: same seed, same scenario.")


@app.command(context_settings=taking_old_names("scenario new"))
def new(
    output: Path = _OUTPUT,
    preset: str = typer.Option(
        "paper-slicing",
        "--preset",
        "-p",
        help="Such as paper-slicing, dense-urban, regime/compute, city/paper.",
    ),
    size: int | None = typer.Option(None, "--size", "-n", min=1, help="Number of devices."),
    seed: int = _SEED,
    settings: list[str] = _SET,
    columns: str | None = _COLUMNS,
) -> None:
    """Draw a scenario from a preset, every parameter of which can be set."""
    import slicewright as sw

    overrides = parse_settings(settings, sw.preset)
    if size is not None:
        if "devices" in overrides:
            raise sw.InvalidOptionError(
                "--size", "cannot stand beside --set devices", value=size, fix="give one of them"
            )
        overrides["devices"] = size
    _write(sw.preset(preset, seed=seed, **overrides), output, columns=columns)


@importers.callback()
def list_importers(
    ctx: typer.Context,
    list_all: bool = typer.Option(False, "--list", help="Name all importers and the formats that are read."),
) -> None:
    """Scenarios from other people's data: `import SOURCE -o FILE` finds out what it is."""
    from rich.markup import escape

    from slicewright.cli.options import new_table, output
    from slicewright.network.importers import importers as known
    from slicewright.network.importers.formats import FORMATS

    if not list_all:
        if ctx.invoked_subcommand is None:
            typer.echo(ctx.get_help())
            raise typer.Exit(2)  # as every group that is called without a command
        return
    console = output()
    table = new_table(
        "importer", "takes", left=2, title="slicewright scenario import IMPORTER SOURCE -o FILE"
    )
    for name, summary in known().items():
        table.add_row(escape(name), escape(summary))
    console.print(table)
    formats = new_table("format", "", left=2, title="Graph files")
    for name, summary in FORMATS.items():
        formats.add_row(escape(name), escape(summary))
    console.print(formats)
    raise typer.Exit


@importers.command(hidden=True)
def auto(
    source: str = typer.Argument(metavar="SOURCE", help="A file, a folder, or the name of a topology."),
    output: Path = _OUTPUT,
    seed: int = _SEED,
    settings: list[str] = _SET,
    columns: str | None = _COLUMNS,
) -> None:
    """Find out what a file or folder is, and import it."""
    from slicewright.network.importers.registry import importer, suitable

    chosen = importer(suitable(source))
    _write(chosen(source, seed=seed, **parse_settings(settings, chosen)), output, columns=columns)


@importers.command("by-name", hidden=True)
def by_name(
    name: str = typer.Argument(metavar="IMPORTER"),
    source: str = typer.Argument(metavar="SOURCE"),
    output: Path = _OUTPUT,
    seed: int = _SEED,
    settings: list[str] = _SET,
    columns: str | None = _COLUMNS,
) -> None:
    """Call an importer that a package offers."""
    from slicewright.network.importers import importer

    chosen = importer(name)
    _write(chosen(source, seed=seed, **parse_settings(settings, chosen)), output, columns=columns)


@importers.command()
def tables(
    folder: Path = typer.Argument(
        metavar="FOLDER", help="Folder with sites.csv, and nodes.csv and devices.csv if any."
    ),
    output: Path = _OUTPUT,
    seed: int = _SEED,
    settings: list[str] = _SET,
    columns: str | None = _COLUMNS,
) -> None:
    """CSV tables of sites, nodes and devices with units in headers, such as `bandwidth [MHz]` or `task size (MB)`.

    Sites: name, x and y or latitude and longitude, bandwidth. Nodes: name, kind, capacity, a position. Devices: a
    position, task size, cycles, local capacity, arrival rate, tx power. What is not there is drawn and said so.
    """
    from slicewright.network.importers import import_tables

    _write(
        import_tables(folder, seed=seed, **parse_settings(settings, import_tables)), output, columns=columns
    )


@importers.command()
def trace(
    file: Path = typer.Argument(metavar="FILE", help="CSV or Parquet with a row for each arrival."),
    output: Path = _OUTPUT,
    seed: int = _SEED,
    settings: list[str] = _SET,
    columns: str | None = _COLUMNS,
) -> None:
    """A workload trace: arrival rates and sizes of its busiest sources, and how bursty they are.

    `--set time=COLUMN`, size and source name the columns (or number them from 0, without a header); time_unit_s and
    size_unit_bits their units; devices how many sources; speed how many times as fast. All else is a preset's.
    """
    from slicewright.network.importers import import_trace

    _write(import_trace(file, seed=seed, **parse_settings(settings, import_trace)), output, columns=columns)


@importers.command()
def eua(
    folder: Path = typer.Argument(metavar="FOLDER", help="Folder with `site-*.csv` and `users-*.csv`."),
    output: Path = _OUTPUT,
    seed: int = _SEED,
    columns: str | None = _COLUMNS,
    settings: list[str] = _SET,
) -> None:
    """Real base-station sites and users as CSV files (edge user allocation data sets, e.g. Melbourne CBD).

    Only positions are real; everything else is a parameter: users, coins, coin_placement, mecs, slices, reach_m,
    bandwidth_hz, coin_capacity_hz, mec_capacity_hz, task_bits, cycles_per_bit, slice_work_ratio, local_capacity_hz,
    arrival_rate_hz, tx_power_w, noise_dbm_hz, path_loss_exponent, radio, queueing. With devices=100000 so many are
    drawn around the users: spread_m, coin_reach_m, mec_reach_m.
    """
    from slicewright.network.importers import import_eua

    _write(import_eua(folder, seed=seed, **parse_settings(settings, import_eua)), output, columns=columns)


@importers.command()
def graph(
    file: Path = typer.Argument(
        metavar="FILE",
        help="Node-link JSON, GraphML, GML, SNDlib, Cytoscape, EdgeSimPy, YAFS or mobile-env; see `import --list`.",
    ),
    output: Path = _OUTPUT,
    seed: int = _SEED,
    settings: list[str] = _SET,
    columns: str | None = _COLUMNS,
) -> None:
    """A network graph: vertices become access points, COIN nodes and MEC servers.

    Roles come from the vertices' attribute kind (access_point, coin, mec), else from a rule: `--set roles=degree` or
    betweenness, with coins and mecs. Devices are made up: devices, device_spread_m. Positions come from x and y, pos,
    or latitude and longitude, else from a spring layout; area_m scales them. Further: all parameters of a workload.
    """
    from slicewright.network.importers import import_graph

    _write(import_graph(file, seed=seed, **parse_settings(settings, import_graph)), output, columns=columns)


@importers.command()
def topohub(
    name: str = typer.Argument(
        metavar="NAME", help="Group and name, such as topozoo/Abilene or sndlib/polska."
    ),
    output: Path = _OUTPUT,
    seed: int = _SEED,
    settings: list[str] = _SET,
    columns: str | None = _COLUMNS,
) -> None:
    """A topology of topohub (Topology Zoo, SNDlib and others), scaled to a city: parameters as for `import graph`."""
    from slicewright.network.importers import import_topohub

    _write(
        import_topohub(name, seed=seed, **parse_settings(settings, import_topohub)), output, columns=columns
    )


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

    if map_file is not None:
        from slicewright.evaluation.maps import draw_scenario
        from slicewright.evaluation.maps import map_file as checked

        checked(map_file, field="--map")
    problem = sw.load_scenario(scenario)
    print_scenario(output(), problem)
    if map_file is not None:
        remarks = progress_output()
        with remarks.status("drawing"):
            draw_scenario(problem, map_file)
        remarks.print(f"map written to {map_file}")


def parse_settings(settings: list[str], of: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Parameters from ``KEY=VALUE``; a comma makes a list. Who takes them checks them.

    Args:
        settings: what was written.
        of: who takes them: its first parameter and ``seed`` are said otherwise.

    Raises:
        InvalidOptionError: no key, no value, a key twice, or one that has an option of its own.
    """
    from inspect import signature

    from slicewright.errors import InvalidOptionError

    taken = set() if of is None else {next(iter(signature(of).parameters)), "seed"}
    parsed: dict[str, Any] = {}
    for text in settings:
        key, _, value = (part.strip() for part in text.partition("="))
        if not key or not value:
            raise InvalidOptionError("--set", "must be KEY=VALUE, such as task_bits=8e6,8e7", value=text)
        if key in taken:
            fix = "use --seed" if key == "seed" else "it is an argument of this command"
            raise InvalidOptionError("--set", f"does not set {key}", value=text, fix=fix)
        if key in parsed:
            raise InvalidOptionError("--set", f"sets {key} for the second time", value=text)
        items = [item.strip() for item in value.strip("[]()").split(",")]
        parsed[key] = items if len(items) > 1 else items[0]
    return parsed


def _write(scenario: Scenario, path: Path, *, columns: str | None = None) -> None:
    import shlex

    from rich.markup import escape

    import slicewright as sw
    from slicewright.cli.options import output
    from slicewright.network.importers import report_lines

    sw.save_scenario(scenario, path, columns=columns)
    console = output()
    console.print(
        f"{scenario.n_devices} devices, {scenario.n_access_points} access points, {scenario.n_nodes} nodes, "
        f"{scenario.n_slices} slices written to {escape(str(path))}"
    )
    for title, sentence in report_lines(scenario.origin):
        style = "yellow" if title == "odd" else "dim"
        console.print(f"  [{style}]{title}:[/] {escape(sentence)}", soft_wrap=True)
    shown = escape(shlex.quote(str(path)))
    console.print(
        f"next: slicewright scenario show {shown}, slicewright plan {shown}", style="dim", soft_wrap=True
    )
