"""The HTML around a report: one file, no scripts, nothing loaded from elsewhere, readable in print."""

from __future__ import annotations

from html import escape

from slicewright.drawing.palette import FAINT, INK, PAPER, SOFT

_STYLE = f"""
:root {{ color-scheme: light; }}
body {{ font: 16px/1.5 system-ui, sans-serif; color: {INK}; background: {PAPER}; margin: 2.5rem auto; max-width: 72rem;
  padding: 0 1.25rem; }}
h1 {{ font-size: 1.7rem; line-height: 1.25; margin: 0 0 .75rem; }}
h2 {{ font-size: 1.2rem; margin: 0 0 .6rem; }}
section {{ border-top: 1px solid {FAINT}; padding-top: 1.6rem; margin-top: 2rem; }}
.scale {{ border-left: 4px solid #0072B2; padding: .2rem 0 .2rem .8rem; }}
.small {{ font-size: .82rem; color: {SOFT}; overflow-wrap: anywhere; }}
dl {{ display: grid; grid-template-columns: 6rem 1fr; gap: .35rem 1rem; margin: 0 0 1rem; }}
dt {{ color: {SOFT}; }}
dd {{ margin: 0; }}
img {{ max-width: 100%; height: auto; display: block; margin: 1rem 0; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: .88rem; margin: .8rem 0; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid {FAINT}; }}
th {{ border-bottom: 2px solid {SOFT}; font-weight: 600; }}
table.numbers td:not(:first-child), table.numbers th:not(:first-child) {{ text-align: right; }}
table.numbers td:not(:first-child) {{ white-space: nowrap; }}
table.numbers td:first-child {{ min-width: 12rem; }}
.wide table {{ font-size: .82rem; }}
.wide th, .wide td {{ padding-right: .6rem; }}
a {{ color: #00548a; text-decoration: none; }}
a:hover {{ text-decoration: underline; }}
.badge {{ font-size: .78rem; font-weight: 600; padding: .1rem .5rem; border-radius: 3px; white-space: nowrap;
  border: 1px solid; }}
.yes {{ color: #00684c; border-color: #009E73; }}
.no {{ color: #9b4400; border-color: #D55E00; background: #fdf0e8; }}
.partly {{ color: #7a5300; border-color: #E69F00; }}
.open {{ color: {SOFT}; border-color: {SOFT}; }}
.finding {{ color: #00548a; border-color: #0072B2; }}
@media print {{ body {{ margin: 0; max-width: none; font-size: 11pt; }} section {{ break-inside: avoid; }} }}
"""


def page(title: str, body: str) -> str:
    """A whole page with the body's markup."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )
