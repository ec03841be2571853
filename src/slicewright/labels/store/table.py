"""Labels as Arrow tables: one row per instance, matrices flattened by rows."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from slicewright.errors import MissingExtraError
from slicewright.labels.label import Label, Solution
from slicewright.network.scenario import Scenario, Sites, SliceId
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.judge import RULES
from slicewright.slicing.shares import Shares
from slicewright.version import version_of

if TYPE_CHECKING:
    import pyarrow as pa

_WORDS = ("split", "status", "method", "solver", "versions", "reason", "queueing", "origin")
_COUNTS = ("devices", "access_points", "nodes", "slices")
_VERDICT = ("cost_s", "bound_s", "gap", "time_s", *(f"residual_{rule}" for rule in RULES))
_INPUTS = (
    "task_bits", "local_cycles", "local_capacity_hz", "arrival_rate_hz", "slice_cycles", "rate_bps",
    "node_capacity_hz", "bandwidth_hz", "access_point_m", "device_m", "node_m", "tx_power_w",
)  # fmt: skip
_SITES = _INPUTS[-4:]
_DECISIONS = ("access_point", "node", "slice")
_SHARES = ("bandwidth_share", "radio_share", "compute_share")
_NAMES = ("node_kinds", "slice_names")


def arrow() -> Any:
    """The pyarrow package.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import pyarrow
    except ImportError:
        raise MissingExtraError("a store of labels", "labels") from None
    return pyarrow


@cache
def schema() -> pa.Schema:
    """Columns of a store. Lists are null where an instance failed or a scenario has no positions."""
    pa = arrow()
    return pa.schema(
        [
            pa.field("seed", pa.int64(), nullable=False),
            *(pa.field(name, pa.string()) for name in _WORDS),
            *(pa.field(name, pa.int32()) for name in _COUNTS),
            *(pa.field(name, pa.float64()) for name in _VERDICT),
            *(pa.field(name, pa.list_(pa.float64())) for name in _INPUTS),
            *(pa.field(name, pa.list_(pa.string())) for name in _NAMES),
            *(pa.field(name, pa.list_(pa.int32())) for name in _DECISIONS),
            *(pa.field(name, pa.list_(pa.float64())) for name in _SHARES),
        ],
        metadata={"schema": "slicewright/labels/v1"},
    )


def encode(labels: Sequence[Label]) -> bytes:
    """One record batch as an Arrow stream message: what workers send and the journal appends."""
    pa = arrow()
    rows = [_row(label) for label in labels]
    columns = [_column(field.type, [row.get(field.name) for row in rows]) for field in schema()]
    message: bytes = pa.RecordBatch.from_arrays(columns, schema=schema()).serialize().to_pybytes()
    return message


def _column(kind: pa.DataType, cells: list[Any]) -> pa.Array:
    """A column; lists of numbers are joined first, which is ten times faster than one by one."""
    pa = arrow()
    if not pa.types.is_list(kind) or pa.types.is_string(kind.value_type):
        return pa.array(cells, type=kind)
    missing = [cell is None for cell in cells]
    ends = np.cumsum([0, *(0 if cell is None else cell.size for cell in cells)])
    given = [cell for cell in cells if cell is not None]
    values = np.concatenate(given) if given else np.empty(0)
    return pa.ListArray.from_arrays(
        pa.array(ends, pa.int32()), pa.array(values, kind.value_type), mask=pa.array(missing, pa.bool_())
    )


@cache
def versions() -> str:
    """Versions of what makes a label, as JSON."""
    packages = {name: version_of(name) for name in ("slicewright", "numpy", "numba")}
    return json.dumps({"python": ".".join(map(str, sys.version_info[:3])), **packages})


def _row(label: Label) -> dict[str, Any]:
    row: dict[str, Any] = {
        "seed": label.seed,
        "split": label.split,
        "status": label.status,
        "method": label.method,
        "versions": versions(),
        "reason": label.reason,
        **{name: getattr(label, name) for name in ("cost_s", "bound_s", "gap", "time_s")},
        **{f"residual_{rule}": value for rule, value in label.residuals.items()},
    }
    if label.scenario is not None:
        row.update(_inputs(label.scenario))
    if label.solution is not None:
        decisions, shares = label.solution.decisions, label.solution.shares
        row["solver"] = label.solution.solver
        row.update((name, getattr(decisions, name).astype(np.int32)) for name in _DECISIONS)
        arrays = (shares.bandwidth.ravel(), shares.radio, shares.compute)
        row.update(zip(_SHARES, arrays, strict=True))
    return row


def _inputs(scenario: Scenario) -> dict[str, Any]:
    row: dict[str, Any] = {
        "queueing": scenario.queueing,
        "origin": json.dumps(dict(scenario.origin)),
        "devices": scenario.n_devices,
        "access_points": scenario.n_access_points,
        "nodes": scenario.n_nodes,
        "slices": scenario.n_slices,
        "node_kinds": list(scenario.node_kinds),
        "slice_names": [one.name for one in scenario.slices],
    }
    for name in _INPUTS:
        value = getattr(scenario.sites if name in _SITES else scenario, name)
        row[name] = None if value is None else np.ravel(value)
    return row


class LabelTable:
    """Labels read from a store, decoded row by row.

    Args:
        table: an Arrow table with the columns of :func:`schema`.
    """

    def __init__(self, table: pa.Table) -> None:
        self.arrow = table.combine_chunks()
        self._lists: dict[str, tuple[Any, Any]] = {}

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __iter__(self) -> Iterator[Label]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, row: int) -> Label:
        scenario = self.scenario(row)
        word = {name: self.value(row, name) for name in ("seed", "status", "method", "reason", "solver")}
        number = {name: self.value(row, name) for name in ("cost_s", "bound_s", "gap", "time_s")}
        residuals = {rule: self.value(row, f"residual_{rule}") for rule in RULES}
        solution = None
        if scenario is not None and word["solver"] is not None:
            decisions = Decisions(*(self.list_of(row, name).astype(np.int64) for name in _DECISIONS))
            bandwidth, radio, compute = (self.list_of(row, name) for name in _SHARES)
            shape = (scenario.n_access_points, scenario.n_slices)
            shares = Shares(bandwidth.reshape(shape), radio, compute)
            solution = Solution(decisions, shares, number["bound_s"] or 0.0, word["solver"])
        return Label(
            word["seed"], word["status"], word["method"], scenario, solution, **number,
            residuals={} if solution is None else residuals, reason=word["reason"] or "",
        )  # fmt: skip

    def scenario(self, row: int) -> Scenario | None:
        """The instance as it was solved, None where it could not be made."""
        if self.value(row, "devices") is None:
            return None
        i, a, j, n = (self.value(row, name) for name in _COUNTS)
        shape = {"slice_cycles": (i, n), "rate_bps": (i, a), "node_capacity_hz": (j, n)}
        inputs = {
            name: self.list_of(row, name).reshape(shape.get(name, (-1,)))
            for name in _INPUTS
            if name not in _SITES
        }
        given = {name: self.list_of(row, name) for name in _SITES if self.value(row, name) is not None}
        sites = {name: x if name == "tx_power_w" else x.reshape(-1, 2) for name, x in given.items()}
        names = self.value(row, "slice_names")
        return Scenario(
            **inputs,
            queueing=self.value(row, "queueing"),
            slices=tuple(SliceId(name, sst=1 + k % 255) for k, name in enumerate(names)),
            node_kinds=tuple(self.value(row, "node_kinds")),
            sites=Sites(**sites),
            origin=json.loads(self.value(row, "origin")),
        )

    def value(self, row: int, name: str) -> Any:
        """A cell as a Python value."""
        return self.arrow.column(name)[row].as_py()

    def list_of(self, row: int, name: str) -> Any:
        """A list cell as an array, without copying."""
        if name not in self._lists:
            column = self.arrow.column(name).combine_chunks()
            self._lists[name] = (column.offsets.to_numpy(), column.values.to_numpy())
        offsets, values = self._lists[name]
        return values[offsets[row] : offsets[row + 1]]
