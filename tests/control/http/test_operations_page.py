"""What operators are given names metrics, flags, tests and alerts that exist."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from pathlib import Path

import yaml
from typer.testing import CliRunner

import slicewright as sw
from slicewright.cli.main import app
from slicewright.control.http.gauges import server_gauges
from slicewright.control.http.guards.auth import Access, TokenFile
from slicewright.control.http.guards.connections import ConnectionLimits
from slicewright.control.http.guards.work import Bench
from slicewright.enforcement.linux import Keeper
from tests.control.support.running import running

DOCS = Path(__file__).parents[3] / "docs"
FILES = DOCS / "operations"
_METRIC = re.compile(r"slicewright_[a-z_]+")


_BY = re.compile(r"\bby \(([^)]*)\)")
_LEGEND = re.compile(r"\{\{(\w+)\}\}")
_MATCHED = re.compile(r"[{,](\w+)!?=")
_SAMPLE = re.compile(r"^(slicewright_\w+)(?:\{(.*)\})? ", re.MULTILINE)


def exposition() -> str:
    """What a control plane tells Prometheus."""

    async def scrape() -> str:
        async with running(sw.preset("paper-slicing", devices=4, seed=1)) as (_, client):
            await client.get("/v1/plan")
            return (await client.get("/metrics")).text

    return asyncio.run(scrape())


def told_labels() -> dict[str, set[str]]:
    """Labels by metric, of those that have samples."""
    found: dict[str, set[str]] = {}
    for metric, labels in _SAMPLE.findall(exposition() + Keeper(list).metrics()):
        found.setdefault(metric, set()).update(re.findall(r'(\w+)="', labels))
    return found


def told_metrics(folder: Path) -> set[str]:
    """Names of everything that Prometheus is told."""
    tokens = folder / "tokens.yaml"
    tokens.write_text("tokens: [{name: a, token: 0123456789abcdef, scopes: [read]}]")
    families = server_gauges(Bench(), {}, ConnectionLimits(), Access(TokenFile(tokens)))
    counters = {f"{family.name}_total" for family in families if family.type == "counter"}
    gauges = {"slicewright_http_connections"}
    exposed = exposition() + Keeper(list).metrics()
    return set(_METRIC.findall(exposed)) | counters | gauges


def test_alerts_and_dashboard_ask_for_metrics_that_are_told(tmp_path: Path) -> None:
    rules = yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"][0]["rules"]
    board = json.loads((FILES / "grafana.json").read_text())
    asked = [rule["expr"] for rule in rules]
    asked += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    told = told_metrics(tmp_path)
    unknown = {name for expression in asked for name in _METRIC.findall(expression)} - told
    assert not unknown
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_dashboard_names_its_lines_by_labels_that_the_metrics_have() -> None:
    board = json.loads((FILES / "grafana.json").read_text())
    told = told_labels()
    for target in (target for panel in board["panels"] for target in panel["targets"]):
        expression = target["expr"]
        kept = {label for group in _BY.findall(expression) for label in re.split(r",\s*", group)}
        named = set(_LEGEND.findall(target["legendFormat"]))
        if kept:
            assert named <= kept, f"{target['legendFormat']} asks for what {expression} does not keep"
        for metric in set(_METRIC.findall(expression)) & set(told):
            asked = kept | set(_MATCHED.findall(expression))
            assert asked - {"le", "instance"} <= told[metric], f"{metric} has labels {told[metric]}"


def test_a_board_of_many_access_points_shows_no_line_for_each() -> None:
    board = json.loads((FILES / "grafana.json").read_text())
    for target in (target for panel in board["panels"] for target in panel["targets"]):
        if "access_point" in target["expr"]:
            assert target["expr"].startswith(("topk(10", "avg by (slice)")), target["expr"]


def test_the_page_says_what_to_do_about_every_alert() -> None:
    page = (DOCS / "operations.md").read_text()
    rules = yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"][0]["rules"]
    assert all(f"**{rule['alert']}**" in page for rule in rules)
    assert {rule["labels"]["severity"] for rule in rules} == {"page", "ticket"}


def test_tests_and_flags_that_are_named_exist() -> None:
    page = (DOCS / "operations.md").read_text()
    for path in re.findall(r"`(tests/[a-z_/]+(?:\.py)?)`", page):
        assert (DOCS.parent / path).exists(), path
    for unit in FILES.glob("*.service"):
        words = re.findall(r"^ExecStart=\S+/slicewright (.*)$", unit.read_text(), re.MULTILINE)[0].split()
        known = flags_of(words)
        assert known
        assert {word for word in words if word.startswith("--")} <= known, unit.name


def flags_of(words: list[str]) -> set[str]:
    """Flags of the command that these words call, as its help lists them."""
    called = list(itertools.takewhile(lambda word: word[0] not in "-/", words))
    told = CliRunner().invoke(app, [*called, "--help"], env={"COLUMNS": "300", "TERM": "dumb"})
    return set(re.findall(r"--[a-z][a-z-]*", told.output))
