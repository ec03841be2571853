"""``slicewright demo``: the whole story on a shipped scenario."""

from __future__ import annotations

from pathlib import Path

import typer


def demo(
    output_dir: Path = typer.Option(
        Path("slicewright-demo"), "--output", "-o", metavar="DIR", help="Folder to write to."
    ),
) -> None:
    """The whole story in seconds: a scenario, a plan with its certificate, the baselines beside it, a picture."""
    from importlib.resources import as_file, files

    import slicewright as sw
    from slicewright.cli.commands.planning.compare import comparison_table
    from slicewright.cli.options import output, progress_output, show_duration, show_percent
    from slicewright.cli.views.plan_view import print_plan
    from slicewright.evaluation.comparison import compare_methods
    from slicewright.evaluation.maps import draw_plan

    console, remarks = output(), progress_output()
    with as_file(files("slicewright.data") / "demo.yaml") as path:
        scenario = sw.load_scenario(path)
    output_dir.mkdir(parents=True, exist_ok=True)

    console.rule("[bold]1. A scenario", align="left")
    console.print(
        f"{scenario.n_devices} devices want to compute. {scenario.n_access_points} access points, "
        f"{scenario.n_nodes - 1} in-network (COIN) nodes and a MEC server could help, in {scenario.n_slices} slices.\n"
        f"If nobody offloads, the tasks take {scenario.local_time_s.sum():.4g} s in all."
    )
    console.rule("[bold]2. A plan, and how good it is at least", align="left")
    with remarks.status("planning"):
        plan = sw.plan(scenario)
        _ = plan.lower_bound_s  # worked out when first read
    print_plan(console, plan, most_devices=5)
    console.rule("[bold]3. What others would do, given the same time", align="left")
    methods = ["auto", "best-response", "greedy", "prap", "erap", "mec-only", "random", "local"]
    with remarks.status("comparing"):
        rows = compare_methods({"demo": scenario}, methods, budget_s=0.005)
    console.print(comparison_table(rows, 1))
    console.rule("[bold]4. Judged from its file, by the code that judges every plan", align="left")
    plan_path = sw.save_plan(plan, output_dir / "plan.json")
    scenario_path = sw.save_scenario(scenario, output_dir / "scenario.yaml")
    judged = sw.check(scenario, plan_path)
    console.print("all of 13a to 13g hold" if judged.feasible else judged.explain())
    with remarks.status("drawing"):
        picture = output_dir / "plan.png"
        draw_plan(plan, picture)
    console.rule("[bold]Done", align="left")
    console.print(
        f"Decided in {show_duration(plan.runtime_s)}; no plan can be more than {show_percent(plan.gap)} cheaper.\n"
        f"Picture: {picture}\nPlan: {plan_path}\nScenario: {scenario_path}\n"
        f"Next: slicewright plan {scenario_path} --map map.html, or slicewright --help"
    )
