"""Maps of plans and scenarios: PNG, PDF and SVG by matplotlib, HTML that works offline."""

from __future__ import annotations

from pathlib import Path

from slicewright.files import pictures
from slicewright.network.scenario import Scenario
from slicewright.slicing.plan import Plan

ENDINGS = (*pictures.ENDINGS, ".html")


def draw_plan(plan: Plan, path: str | Path) -> Path:
    """Draw who goes where and how much everything is used; the ending of ``path`` chooses the format.

    Devices, access points, nodes and the chosen links on a map (or in columns if the scenario has no positions), with
    bars of the loads beside it.

    Raises:
        InvalidOptionError: the ending is not one of .png, .pdf, .svg and .html.
    """
    file = map_file(path)
    if file.suffix.lower() == ".html":
        from slicewright.evaluation.maps.web import write_plan

        return write_plan(plan, file)
    from slicewright.evaluation.maps.page import DPI
    from slicewright.evaluation.maps.plan_page import plan_page

    return pictures.write_picture(plan_page(plan), file, dpi=DPI)


def draw_scenario(scenario: Scenario, path: str | Path) -> Path:
    """Draw a scenario before it is planned: where things are, who reaches what, what is asked of the network.

    Raises:
        InvalidOptionError: the ending is not one of .png, .pdf, .svg and .html.
    """
    file = map_file(path)
    if file.suffix.lower() == ".html":
        from slicewright.evaluation.maps.web import write_scenario

        return write_scenario(scenario, file)
    from slicewright.evaluation.maps.page import DPI
    from slicewright.evaluation.maps.scenario_page import scenario_page

    return pictures.write_picture(scenario_page(scenario), file, dpi=DPI)


def map_file(path: str | Path, *, field: str = "map") -> Path:
    """The file of a map; commands ask before they plan.

    Raises:
        InvalidOptionError: the ending is not one of .png, .pdf, .svg and .html; names ``field``.
    """
    return pictures.picture_file(path, field=field, endings=ENDINGS)
