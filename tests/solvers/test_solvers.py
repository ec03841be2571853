"""Every back-end answers the same programmes with the same kind of result."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slicewright.errors import InvalidOptionError, MissingExtraError, SolverError, UnknownNameError
from slicewright.solvers import (
    SOLVERS,
    Capability,
    Programme,
    Result,
    Rows,
    SmoothProblem,
    Solver,
    SolverOptions,
    SolverStatus,
    available_solvers,
    gurobi_licence,
    minimise_smooth,
    solve,
    solver,
)
from tests.present import present
from tests.shared import ROOT

INTEGER_SOLVERS = [name for name in ("scip", "highs", "gurobi") if solver(name).available]
CONE_SOLVERS = [name for name in ("scip", "gurobi") if solver(name).available]


def knapsack(count: int, seed: int = 0, *, start: bool = False) -> Programme:
    """Minimise minus the value of a knapsack with two weights: slow to prove from a few dozen items on."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(100, 1000, (2, count)).astype(np.float64)
    value = weight.sum(axis=0) + rng.integers(0, 50, count)
    rows = Rows()
    item = np.arange(count)
    for one in weight:
        rows.add(1, (np.zeros(count, dtype=np.int64), item, one), upper=float(one.sum() / 2))
    matrix, lower, upper = rows.finish(count)
    nothing = np.zeros(count)
    return Programme(
        cost=-value, lower=nothing, upper=np.ones(count), integer=np.ones(count, dtype=np.bool_),
        matrix=matrix, row_lower=lower, row_upper=upper, start=nothing if start else None,
    )  # fmt: skip


def cone() -> Programme:
    """Minimise x + y where x y >= z ** 2 and z >= 3: 6 at (3, 3, 3)."""
    rows = Rows()
    rows.add(1, (np.array([0]), np.array([2]), 1.0), lower=3.0)
    matrix, lower, upper = rows.finish(3)
    return Programme(
        cost=np.array([1.0, 1.0, 0.0]), lower=np.zeros(3), upper=np.full(3, 10.0), integer=np.zeros(3, dtype=np.bool_),
        matrix=matrix, row_lower=lower, row_upper=upper, cones=np.array([[0, 1, 2]]),
    )  # fmt: skip


def best_knapsack(programme: Programme) -> float:
    """By trying everything."""
    count = programme.cost.size
    choices = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
    fits = (choices @ programme.matrix.toarray().T <= programme.row_upper + 1e-9).all(axis=1)
    return float((choices @ programme.cost)[fits].min())


@pytest.mark.parametrize("name", INTEGER_SOLVERS)
def test_integer_programmes_against_enumeration(name: str) -> None:
    programme = knapsack(12)
    result = solve(programme, solver_name=name)
    assert result.status is SolverStatus.OPTIMAL
    assert result.objective == pytest.approx(best_knapsack(programme), rel=1e-4)
    assert result.bound <= result.objective + 1e-6
    assert result.gap <= 1e-4
    assert result.values is not None
    assert programme.cost @ result.values == pytest.approx(result.objective)
    assert (result.solver, bool(result.version)) == (name, True)
    assert 0 < result.time_s < 60


@pytest.mark.parametrize("name", CONE_SOLVERS)
def test_cones(name: str) -> None:
    result = solve(cone(), solver_name=name)
    assert result.status is SolverStatus.OPTIMAL
    assert result.objective == pytest.approx(6.0, rel=1e-4)


@pytest.mark.parametrize("name", ["scip", "highs"])
def test_a_time_limit_returns_the_incumbent_and_its_gap(name: str) -> None:
    programme = knapsack(60, start=True)
    result = solve(programme, solver_name=name, options=SolverOptions(time_limit_s=0.3, gap=0.0))
    assert result.status is SolverStatus.FEASIBLE
    assert result.values is not None
    assert (programme.matrix @ result.values <= programme.row_upper + 1e-6).all()
    assert math.isfinite(result.bound)
    assert 0.0 <= result.gap < 1.0 or result.objective == 0.0
    assert result.time_s < 3.0


@pytest.mark.parametrize("name", ["scip", "highs"])
def test_a_node_limit_stops_at_the_same_point(name: str) -> None:
    options = SolverOptions(node_limit=20, seed=3, gap=0.0)
    one, other = (solve(knapsack(40), solver_name=name, options=options) for _ in range(2))
    assert one.status is SolverStatus.FEASIBLE
    assert (one.objective, one.bound) == (other.objective, other.bound)
    np.testing.assert_array_equal(one.values, other.values)


@pytest.mark.parametrize("name", INTEGER_SOLVERS)
def test_infeasible_programmes(name: str) -> None:
    rows = Rows()
    rows.add(1, (np.zeros(2, dtype=np.int64), np.arange(2), 1.0), lower=3.0)
    matrix, lower, upper = rows.finish(2)
    programme = Programme(
        cost=np.ones(2), lower=np.zeros(2), upper=np.ones(2), integer=np.ones(2, dtype=np.bool_),
        matrix=matrix, row_lower=lower, row_upper=upper,
    )  # fmt: skip
    result = solve(programme, solver_name=name)
    assert result.status is SolverStatus.INFEASIBLE
    assert result.values is None
    assert not result.status.has_point
    assert result.gap == math.inf


def test_threads_can_change_between_runs_of_highs() -> None:
    for threads in (1, 2, 1):
        assert (
            solve(knapsack(10), solver_name="highs", options=SolverOptions(threads=threads)).status
            is SolverStatus.OPTIMAL
        )


def test_continuous_programmes_have_a_bound_too() -> None:
    programme = knapsack(8)
    relaxed = Programme(**{**programme.__dict__, "integer": np.zeros(8, dtype=np.bool_)})
    results = [solve(relaxed, solver_name=name) for name in INTEGER_SOLVERS]
    assert all(result.bound == pytest.approx(results[0].objective, rel=1e-6) for result in results)


def test_what_a_solver_cannot_do_is_said_in_one_sentence() -> None:
    with pytest.raises(SolverError, match=r"^HiGHS does not take cones; use one of scip, gurobi$"):
        solve(cone(), solver_name="highs")
    with pytest.raises(SolverError, match=r"^Ipopt does not take mixed-integer programmes"):
        solve(knapsack(3), solver_name="ipopt")
    with pytest.raises(UnknownNameError, match="'scip'"):
        solve(knapsack(3), solver_name="skip")


def test_a_missing_package_names_its_extra() -> None:
    missing = Solver("gurobi", "Gurobi", "no_such_package_as_gurobi", "gurobi", Capability.CONES)
    assert not missing.available
    assert missing.version == ""
    with pytest.raises(MissingExtraError, match=r"pip install 'slicewright\[gurobi\]'"):
        missing.require()


def test_availability_imports_nothing() -> None:
    """What is not imported cannot take a licence."""
    code = (
        "import sys; from slicewright.solvers import *; assert 'scip' in available_solvers(Capability.CONES); "
        "[one.version for one in SOLVERS.values()]; "
        "print([m for m in ('pyscipopt', 'highspy', 'casadi', 'gurobipy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"


def test_capabilities_select() -> None:
    assert "highs" not in available_solvers(Capability.CONES)
    assert set(available_solvers(Capability.INTEGERS | Capability.BOUND)) >= {"scip", "highs"}
    assert available_solvers(Capability.NONLINEAR) in ([], ["ipopt"])
    assert set(available_solvers()) <= set(SOLVERS)


@pytest.mark.skipif(not solver("gurobi").available, reason="the extra 'gurobi' is not installed")
@pytest.mark.skipif(gurobi_licence() is not None, reason="there is a full licence here")
def test_gurobi_without_a_licence_refuses_large_programmes_in_one_sentence() -> None:
    with pytest.raises(SolverError, match=r"larger than the Gurobi licence here allows") as refusal:
        solve(knapsack(2500), solver_name="gurobi")
    assert "\n" not in str(refusal.value)


def test_the_licence_file_is_looked_for_where_gurobi_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRB_LICENSE_FILE", str(tmp_path / "gurobi.lic"))
    assert gurobi_licence() is None
    (tmp_path / "gurobi.lic").touch()
    assert gurobi_licence() == tmp_path / "gurobi.lic"


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_limit_s": 0.0},
        {"node_limit": 0},
        {"gap": -1.0},
        {"feasibility": 0.0},
        {"seed": -1},
        {"threads": 0},
    ],
)
def test_impossible_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionError, match=next(iter(wrong))):
        SolverOptions(**wrong)


def test_large_seeds_fold_into_what_solvers_take() -> None:
    assert 0 <= SolverOptions(seed=2**63 + 5).short_seed < 2**31


def test_gaps_without_a_bound_or_a_point_are_infinite() -> None:
    assert Result(SolverStatus.FEASIBLE, "ipopt", "", objective=1.0).gap == math.inf
    assert Result(SolverStatus.NO_SOLUTION, "scip", "", bound=1.0).gap == math.inf
    assert Result(SolverStatus.OPTIMAL, "scip", "", objective=2.0, bound=1.0).gap == 0.5
    assert Result(SolverStatus.OPTIMAL, "scip", "", objective=0.0, bound=0.0).gap == 0.0


def rosenbrock(limit: float) -> SmoothProblem:
    """With both variables on a disc around the origin."""
    casadi = pytest.importorskip("casadi")
    x = casadi.SX.sym("x", 2)
    return SmoothProblem(
        variables=x,
        objective=(1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2,
        constraints=casadi.sumsqr(x) - limit,
        lower=np.full(2, -2.0),
        upper=np.full(2, 2.0),
        start=np.zeros(2),
    )


def test_ipopt() -> None:
    result = minimise_smooth(rosenbrock(4.0), SolverOptions(gap=1e-10))
    assert result.status is SolverStatus.OPTIMAL
    np.testing.assert_allclose(present(result.values), 1.0, atol=1e-5)
    assert result.bound == -math.inf
    assert result.version.startswith("casadi ")


def test_ipopt_says_infeasible_and_keeps_feasible_iterates() -> None:
    assert minimise_smooth(rosenbrock(-1.0)).status in (SolverStatus.INFEASIBLE, SolverStatus.FAILED)
    stopped = minimise_smooth(rosenbrock(4.0), SolverOptions(time_limit_s=1e-4, gap=1e-12))
    assert stopped.status in (SolverStatus.FEASIBLE, SolverStatus.NO_SOLUTION)
    assert (stopped.values is None) == (stopped.status is SolverStatus.NO_SOLUTION)


@pytest.mark.parametrize("name", INTEGER_SOLVERS)
def test_nothing_is_printed_from_the_first_solution_of_a_process_on(name: str) -> None:
    """Also by the libraries' own means: standard output belongs to whoever uses this one."""
    code = (
        "from slicewright.solvers import SolverOptions, solve\n"
        "from tests.solvers.test_solvers import knapsack\n"
        f"for k in range(2): solve(knapsack(6, k), solver_name={name!r}, options=SolverOptions(time_limit_s=5.0))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
