"""Maps of plans and scenarios: PNG, PDF and SVG by matplotlib, HTML by plotly (extra ``html``)."""

from __future__ import annotations

from pathlib import Path

from slicewright.errors import InvalidOptionError
from slicewright.network.scenario import Scenario
from slicewright.slicing.plan import Plan

ENDINGS = (".png", ".pdf", ".svg", ".html")


def draw_plan(plan: Plan, path: str | Path) -> Path:
    """Draw who goes where and how much everything is used; the ending of ``path`` chooses the format.

    Devices, access points, nodes and the chosen links on a map (or in columns if the scenario has no positions), with
    bars of the loads beside it.

    Raises:
        InvalidOptionError: the ending is not one of .png, .pdf, .svg and .html.
        MissingExtraError: .html without plotly.
    """
    file = _checked(path)
    if file.suffix.lower() == ".html":
        from slicewright.evaluation.maps.web import write_plan

        return write_plan(plan, file)
    from slicewright.evaluation.maps.page import save_page
    from slicewright.evaluation.maps.plan_page import plan_page

    return save_page(plan_page(plan), file)


def draw_scenario(scenario: Scenario, path: str | Path) -> Path:
    """Draw a scenario before it is planned: where things are, who reaches what, what is asked of the network.

    Raises:
        InvalidOptionError: the ending is not one of .png, .pdf, .svg and .html.
        MissingExtraError: .html without plotly.
    """
    file = _checked(path)
    if file.suffix.lower() == ".html":
        from slicewright.evaluation.maps.web import write_scenario

        return write_scenario(scenario, file)
    from slicewright.evaluation.maps.page import save_page
    from slicewright.evaluation.maps.scenario_page import scenario_page

    return save_page(scenario_page(scenario), file)


def _checked(path: str | Path) -> Path:
    file = Path(path)
    if file.suffix.lower() not in ENDINGS:
        raise InvalidOptionError("map file", f"must end in one of {', '.join(ENDINGS)}", value=file.name)
    return file
