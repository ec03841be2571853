"""Devices of a scenario as columns in a file beside it: Parquet or Arrow, for more devices than YAML is made for.

The head names the file instead of spelling arrays out: ``devices: {columns: city.devices.parquet}``. A row is a device;
lists of candidates are list columns: ``access_points`` with ``rate_bps`` beside it, and ``nodes``.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from slicewright.errors import InvalidScenarioError, MissingExtraError, nearest
from slicewright.files.documents import write_atomically
from slicewright.network.scenario import NodeLists, RadioLinks, Scenario
from slicewright.types import Document, FloatArray, IntArray

PER_DEVICE = ("task_bits", "local_cycles", "local_capacity_hz", "arrival_rate_hz")
PAIRS = ("position_m",)
OPTIONAL = ("tx_power_w", *PAIRS)
LISTS = ("access_points", "rate_bps", "nodes")
COLUMNS = (*PER_DEVICE, "slice_cycles", *OPTIONAL, *LISTS)
ENDINGS = (".parquet", ".arrow")


def with_columns(document: Document, folder: Path | None) -> Document:
    """The document with the columns that its devices name in their place; itself if they name none.

    Args:
        document: a scenario, as parsed.
        folder: where the head lies; None if it came from no file, so that nobody's files are read for it.

    Raises:
        InvalidScenarioError: the columns are not beside the head, cannot be read, or are not what they should be.
        MissingExtraError: pyarrow is not installed.
        FileNotFoundError: no such file.
    """
    devices = document.get("devices")
    if not isinstance(devices, dict) or "columns" not in devices:
        return document
    name = devices["columns"]
    if folder is None:
        raise InvalidScenarioError("devices.columns", "names a file, which only a scenario in a file may do")
    if not isinstance(name, str) or Path(name).name != name or Path(name).suffix not in ENDINGS:
        rule = f"must be the name of a {' or '.join(ENDINGS)} file beside the scenario"
        raise InvalidScenarioError("devices.columns", rule, value=name)
    if len(devices) > 1:
        other = next(key for key in devices if key != "columns")
        raise InvalidScenarioError(
            f"devices.{other}", "must be a column of the file that devices.columns names"
        )
    table = _read_table(folder / name)
    given: Document = {key: _column(table, key) for key in table.column_names if key not in LISTS}
    lists = {key: _list_column(table, key) for key in LISTS if key in table.column_names}
    filled = {**document, "devices": given}
    if "nodes" in lists:
        given["nodes"] = {"start": lists["nodes"][0], "node": lists["nodes"][1]}
    if "rate_bps" in lists or "access_points" in lists:
        filled["rate_bps"] = _links(document, lists)
    return filled


def _links(document: Document, lists: dict[str, tuple[IntArray, Any]]) -> Document:
    """Candidate links as a document spells them out."""
    if "rate_bps" not in lists or "access_points" not in lists:
        raise InvalidScenarioError("devices.columns", "must have both access_points and rate_bps, or neither")
    if document.get("rate_bps") is not None:
        raise InvalidScenarioError("rate_bps", "is given twice: here and as a column of the devices")
    start, rates = lists["rate_bps"]
    if not np.array_equal(start, lists["access_points"][0]):
        raise InvalidScenarioError(
            "devices.columns", "must have as many rate_bps as access_points in every row"
        )
    return {"start": start, "access_point": lists["access_points"][1], "rate_bps": rates}


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise MissingExtraError("devices as columns", "columns") from None
    return pyarrow


def _read_table(path: Path) -> Any:
    """The table of a file, with columns that are known and have no gaps."""
    arrow = _pyarrow()
    import pyarrow.feather
    import pyarrow.parquet

    read = pyarrow.parquet.read_table if path.suffix == ".parquet" else pyarrow.feather.read_table
    if not path.is_file():
        raise FileNotFoundError(2, "No such file", str(path))
    try:
        table = read(path).combine_chunks()
        table.validate(full=True)  # a turned bit makes lists that end beyond the column
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise InvalidScenarioError("devices.columns", f"cannot be read: {error}", value=path.name) from None
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name not in COLUMNS:
            raise InvalidScenarioError(f"devices.{name}", f"is not a known column{nearest(name, COLUMNS)}")
        if column.null_count:
            raise InvalidScenarioError(f"devices.{name}", "must have a value in every row")
    return table


def _column(table: Any, name: str) -> FloatArray:
    """A column of numbers, or of lists that are equally long."""
    column = table.column(name).combine_chunks()
    if name in PER_DEVICE or name == "tx_power_w":
        return _numbers(column, name)
    start, values = _list_column(table, name)
    rows = len(start) - 1
    width = len(values) // rows if rows else 0
    if not np.array_equal(start, np.arange(rows + 1) * width):
        raise InvalidScenarioError(f"devices.{name}", "must have lists of the same length in every row")
    return np.asarray(values).reshape(rows, width)


def _list_column(table: Any, name: str) -> tuple[IntArray, FloatArray]:
    """((rows + 1,) starts, values) of a column of lists."""
    arrow = _pyarrow()
    column = table.column(name).combine_chunks()
    kind = column.type
    if arrow.types.is_fixed_size_list(kind):
        start = np.arange(len(column) + 1, dtype=np.int64) * kind.list_size
    elif arrow.types.is_list(kind) or arrow.types.is_large_list(kind):
        offsets = column.offsets.to_numpy().astype(np.int64)
        start = offsets - (offsets[0] if offsets.size else 0)
    else:
        raise InvalidScenarioError(f"devices.{name}", f"must be a column of lists, not of {kind}")
    values = column.flatten()
    if values.null_count:
        raise InvalidScenarioError(f"devices.{name}", "must have no empty places in its lists")
    return start, _numbers(values, name)


def _numbers(column: Any, name: str) -> FloatArray:
    arrow = _pyarrow()
    if not (arrow.types.is_integer(column.type) or arrow.types.is_floating(column.type)):
        raise InvalidScenarioError(f"devices.{name}", f"must hold numbers, not {column.type}")
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def write_columns(scenario: Scenario, path: Path) -> None:
    """Write a scenario's devices as a Parquet or Arrow file, whole or not at all.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    arrow = _pyarrow()
    import pyarrow.feather
    import pyarrow.parquet

    columns: dict[str, Any] = {name: getattr(scenario, name) for name in PER_DEVICE}
    columns["slice_cycles"] = _rows_of(scenario.slice_cycles)
    sites = scenario.sites
    if sites.device_m is not None:
        columns["position_m"] = _rows_of(sites.device_m)
    if sites.tx_power_w is not None:
        columns["tx_power_w"] = sites.tx_power_w
    links: RadioLinks = scenario.links
    columns["access_points"] = _lists_of(links.start, links.access_point.astype(np.int32))
    columns["rate_bps"] = _lists_of(links.start, links.rate_bps)
    lists: NodeLists | None = scenario.node_lists
    if lists is not None:
        columns["nodes"] = _lists_of(lists.start, lists.node.astype(np.int32))
    table, stream = arrow.table(columns), io.BytesIO()
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, stream)
    else:
        pyarrow.feather.write_feather(table, stream)
    write_atomically(path, stream.getvalue())


def _rows_of(array: FloatArray) -> Any:
    arrow = _pyarrow()
    return arrow.FixedSizeListArray.from_arrays(np.ascontiguousarray(array).ravel(), array.shape[1])


def _lists_of(start: IntArray, values: Any) -> Any:
    arrow = _pyarrow()
    return arrow.LargeListArray.from_arrays(start, values)
