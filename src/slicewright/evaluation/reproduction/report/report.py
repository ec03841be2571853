"""The report: the same content as one self-contained HTML page and as Markdown, with CSV of every curve and table."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from slicewright.evaluation.reproduction.engine.item import Outcome
from slicewright.evaluation.reproduction.engine.manifest import manifest
from slicewright.evaluation.reproduction.engine.measured import Measured, counts_of
from slicewright.evaluation.reproduction.engine.published_numbers import PROTOCOL
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.report.figures import draw
from slicewright.evaluation.reproduction.report.page import page
from slicewright.files.documents import write_atomically, write_document

TITLES = {
    "slicing": "Slicing: the publication on DeepSets-S, reproduced",
    "placement": "Placement: the publication on the GNN, reproduced",
}
WORDS = {
    "yes": "holds",
    "no": "does not hold",
    "partly": "holds in part",
    "open": "not settled at this scale",
    "finding": "finding",
}
SCALE_NOTES = {
    "tiny": "Tiny scale: a test of the machinery. Its numbers mean nothing.",
    "smoke": "Smoke scale: few runs, small trainings. Trends of methods that need no training are reliable; figures of "
    "trained models are far below what the published protocol gives, so claims about them that "
    "fail here are left open.",
    "quick": "Quick scale: a few to some tens of runs per point, and trainings on some hundred scenarios, so figures "
    "of trained models are below what the published protocol gives, and claims about them that fail here are left "
    "open.",
    "middle": "Middle scale: tens of runs per point and trainings on about a thousand scenarios. Figures of trained "
    "models are near but below what the published protocol gives.",
    "full": "Full scale: the protocol of the publication where it states one; what it leaves open is chosen, and "
    "each item says how.",
}


def _scale_notes(outcomes: Sequence[Outcome]) -> list[str]:
    """One sentence on every scale that items were measured at, with their names if there are several."""
    names: dict[str, list[str]] = {}
    for outcome in outcomes:
        names.setdefault(outcome.record.scale, []).append(outcome.item.name)
    scales = [scale for scale in SCALE_NOTES if scale in names]
    if len(scales) < 2:
        return [SCALE_NOTES[scale] for scale in scales]
    return [f"{SCALE_NOTES[scale]} Items: {', '.join(names[scale])}." for scale in reversed(scales)]


def _came_from(study: str, outcome: Outcome) -> str:
    """Protocol and origin of an item in a few words: what was done, where, and what it took."""
    record = outcome.record
    told = record.origin
    where = [f"scale {record.scale}"]
    if told:
        host = told["host"]
        where += [f"{told['date']}, commit {told['commit'] or 'unknown'}, `{told['command']}`"]
        where += [f"{host['processor']}, {host['jobs']} of {host['processors']} processors"]
    taken = f"{record.seconds:,.0f} s"
    if record.core_s is not None:
        taken += f" by the clock, {record.core_s:,.0f} s of one processor"
    return f"{_protocol(study, outcome)}Measured in {taken}: {'; '.join(where)}."


def _protocol(study: str, outcome: Outcome) -> str:
    counts = counts_of(outcome.data)
    if not counts:
        return ""
    published = PROTOCOL[study]
    words = [
        f"{name} {shown(value) if isinstance(value, str) else f'{value:,}'}"
        + (f" (published {published[name]:,})" if name in published and published[name] != value else "")
        for name, value in counts.items()
    ]
    return f"Protocol: {', '.join(words)}. "


def write_report(study: str, shop: Workshop, outcomes: Sequence[Outcome]) -> Path:
    """Write figures, CSV, manifest and both forms of the report; returns the HTML page."""
    about = manifest(study, shop)
    figures: dict[str, bytes] = {}
    for outcome in outcomes:
        name = outcome.item.name
        if outcome.data.get("panels"):
            figures[name] = draw(outcome.data["panels"])
            write_atomically(shop.output / "figures" / f"{name}.png", figures[name])
        write_atomically(shop.output / "data" / f"{name}.csv", _csv(outcome.data))
    write_document(about, shop.output / "manifest.json")
    write_atomically(shop.output / "report.md", _markdown(study, outcomes, about))
    return write_atomically(shop.output / "report.html", _html(study, outcomes, about, figures))


def _csv(data: Measured) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    if data.get("panels"):
        writer.writerow(["panel", "curve", "x_label", "x", "y_label", "mean", "half_width_90", "count"])
        for each in data["panels"]:
            for c in each["curves"]:
                for x, mean, half, count in zip(c["x"], c["mean"], c["half"], c["count"], strict=True):
                    writer.writerow(
                        [each["title"], c["label"], each["x_label"], x, each["y_label"], mean, half, count]
                    )
    if data.get("table"):
        writer.writerow(data["table"]["columns"])
        writer.writerows([["" if cell is None else cell for cell in row] for row in data["table"]["rows"]])
    return stream.getvalue()


def _markdown(study: str, outcomes: Sequence[Outcome], about: dict[str, Any]) -> str:
    lines = [f"# {TITLES[study]}", ""]
    for note in _scale_notes(outcomes):
        lines += [note, ""]
    lines += [*_about_lines(about), ""]
    rows = [[o.item.title, WORDS[o.verdict.holds], o.verdict.ours] for o in outcomes]
    lines += ["## In one table", "", *_markdown_table(["item", "claim", "ours"], rows), ""]
    for outcome in outcomes:
        item, verdict = outcome.item, outcome.verdict
        lines += [f"## {item.title}", "", f"**Published.** {item.published}", ""]
        lines += [
            f"**Ours.** {verdict.ours}.",
            "",
            f"**{WORDS[verdict.holds].capitalize()}.** {verdict.why}",
            "",
        ]
        if outcome.data.get("panels"):
            lines += [f"![{item.title}](figures/{item.name}.png)", ""]
        if outcome.data.get("table"):
            lines += [*_markdown_table(outcome.data["table"]["columns"], outcome.data["table"]["rows"]), ""]
        notes = [*outcome.data.get("notes", []), _came_from(study, outcome)]
        lines += [*(f"- {note}" for note in notes), ""]
    return "\n".join(lines)


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = ["| " + " | ".join(shown(x).replace("|", "\\|") for x in row) + " |" for row in (columns, *rows)]
    return [lines[0], "|" + "---|" * len(columns), *lines[1:]]


def _about_lines(about: dict[str, Any]) -> list[str]:
    host, versions = about["host"], about["versions"]
    return [
        f"Written by `{about['command']}`, commit `{about['commit'] or 'unknown'}`, {about['date']}, seed "
        f"{about['seed']}. Host: {host['system']} {host['machine']}, {host['processor']}, {host['jobs']} of "
        f"{host['processors']} processors. Every item names its own command, commit and host below. "
        f"Python {about['python']}, " + ", ".join(f"{k} {v}" for k, v in versions.items()) + ".",
        "",
        "Intervals are 90 % Student intervals over runs, or over folds in tables of cross-validation. "
        "Scenarios of figures were never trained on. Numbers of each item are in `data/`.",
    ]


def _html(study: str, outcomes: Sequence[Outcome], about: dict[str, Any], figures: dict[str, bytes]) -> str:
    parts = [f"<h1>{escape(TITLES[study])}</h1>"]
    parts += [f'<p class="scale">{escape(note)}</p>' for note in _scale_notes(outcomes)]
    parts += [f'<p class="small">{_code(line)}</p>' for line in _about_lines(about) if line]
    head = [
        [
            f'<a href="#{o.item.name}">{escape(o.item.title)}</a>',
            _badge(o.verdict.holds),
            escape(o.verdict.ours),
        ]
        for o in outcomes
    ]
    parts.append(_html_table(["item", "claim", "ours"], head, escaped=True, kind="overview"))
    for outcome in outcomes:
        item, verdict, data = outcome.item, outcome.verdict, outcome.data
        parts += [
            f'<section id="{item.name}"><h2>{escape(item.title)} {_badge(verdict.holds)}</h2>',
            f"<dl><dt>Published</dt><dd>{escape(item.published)}</dd>"
            f"<dt>Ours</dt><dd>{escape(verdict.ours)}.</dd><dt>Why</dt><dd>{escape(verdict.why)}</dd></dl>",
        ]
        if item.name in figures:
            picture = base64.b64encode(figures[item.name]).decode("ascii")
            parts.append(f'<img alt="{escape(item.title)}" src="data:image/png;base64,{picture}">')
        if data.get("table"):
            parts.append(_html_table(data["table"]["columns"], data["table"]["rows"]))
        parts += [f'<p class="small">{escape(note)}</p>' for note in data.get("notes", [])]
        parts.append(f'<p class="small">{_code(_came_from(study, outcome))}</p></section>')
    return page(TITLES[study], "\n".join(parts))


def _html_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, escaped: bool = False, kind: str = "numbers"
) -> str:
    head = "".join(f"<th>{escape(c)}</th>" for c in columns)
    cells = [[str(x) if escaped else escape(shown(x)) for x in row] for row in rows]
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in cells)
    return f'<div class="wide"><table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _code(line: str) -> str:
    """Escaped text; what Markdown has between backquotes is code here too."""
    parts = escape(line).split("`")
    return "".join(f"<code>{part}</code>" if k % 2 else part for k, part in enumerate(parts))


def _badge(holds: str) -> str:
    return f'<span class="badge {holds}">{WORDS[holds]}</span>'


def shown(cell: object) -> str:
    """A table's cell as text."""
    if cell is None:
        return "–"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)
