"""Opens every page of the built site in a browser, as people do: at desktop and phone width, light and dark.

``python -m documentation.look`` says what is wrong and ends with 1: a broken link, a complaint of the console, anything
wider than the screen, a search that finds nothing. ``--pictures FOLDER`` keeps what was seen, every page from its
top to its end.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import http.server
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

from documentation.examples import ROOT
from tests.control.support.browser import Page, browser, chromium

SITE = ROOT / "build" / "site"
LOOKS = (("desktop", 1360, 900), ("phone", 390, 844))
SCHEMES = ("light", "dark")
_LOADED = "document.readyState === 'complete' && [...document.images].every((i) => i.complete || i.loading === 'lazy')"
_WIDER = """(() => {
  const inner = document.documentElement.clientWidth;
  const scrolls = (e) => { for (; e && e !== document.body; e = e.parentElement) {
    const style = getComputedStyle(e);
    if (/auto|scroll|hidden/.test(style.overflowX) || style.position === 'fixed') return true; } return false; };
  const wide = [...document.querySelectorAll('main *, header *, footer *')]
    .filter((e) => e.getBoundingClientRect().right > inner + 1 && !scrolls(e))
    .map((e) => e.outerHTML.slice(0, 120));
  if (document.documentElement.scrollWidth > inner + 1) wide.push('the page itself');
  return wide.slice(0, 3); })()"""
_FOUND = "document.querySelectorAll('.md-search-result__item').length > 0"
_SEARCH = """(() => { const open = document.querySelector('#__search'); if (!open.checked) open.click();
  const box = document.querySelector('.md-search__input'); box.focus(); box.value = %r;
  for (const kind of ['focus', 'keydown', 'input', 'keyup'])
    box.dispatchEvent(new Event(kind, {bubbles: true})); })()"""


class _Links(HTMLParser):
    """Targets and anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        for name, value in attrs:
            if value is None:
                continue
            if name in ("id", "name"):
                self.anchors.add(value)
            if (tag, name) in (
                ("a", "href"),
                ("img", "src"),
                ("link", "href"),
                ("script", "src"),
                ("iframe", "src"),
            ):
                self.targets.append(value)


def broken_links(site: Path = SITE) -> list[str]:
    """Links within the site that lead nowhere, and anything that a page would fetch from elsewhere."""
    pages: dict[Path, _Links] = {}
    for path in sorted(site.rglob("*.html")):
        pages[path.resolve()] = found = _Links()
        found.feed(path.read_text(encoding="utf-8"))
    broken = []
    for path, found in pages.items():
        if "made" in path.relative_to(site.resolve()).parts or path.name == "404.html":
            continue
        for target in found.targets:
            address, anchor = urldefrag(target)
            if urlparse(address).scheme:
                continue
            to = (path.parent / unquote(address)).resolve() if address else path
            if not to.is_file():
                broken.append(f"{path.relative_to(site.resolve())}: {target}")
            elif anchor and to in pages and unquote(anchor) not in pages[to].anchors and anchor != "__skip":
                broken.append(f"{path.relative_to(site.resolve())}: {target} (no such anchor)")
    return broken


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what goes wrong is seen by the browser."""


@contextmanager
def served(site: Path = SITE) -> Iterator[str]:
    """The site on a free port of this machine."""
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


async def look(site: Path, pictures: Path | None) -> list[str]:
    """What is wrong with any page."""
    wrong = []
    names = [path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html"))]
    pages = [name for name in names if not name.startswith("made/") and name != "404.html"]
    with served(site) as address, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        async with browser(Path(profile)) as page:
            for kind, width, height in LOOKS:
                for scheme in SCHEMES:
                    await page.look(scheme, width, height)
                    await page.open(f"{address}/index.html")
                    await page.wait_for(_LOADED)
                    await page.evaluate("localStorage.clear()")  # as somebody who comes for the first time
                    for name in pages:
                        wrong += [
                            f"{name}, {kind}, {scheme}: {what}"
                            for what in await _see(page, f"{address}/{name}")
                        ]
                        if pictures:
                            folder = pictures / f"{kind}-{scheme}"
                            folder.mkdir(parents=True, exist_ok=True)
                            await page.pictures(folder, name.replace("/", "-").removesuffix(".html"))
            for start in (address, site.as_uri()):
                wrong += await _search(page, f"{start}/index.html")
    return wrong


async def _see(page: Page, url: str, scheme: str | None = None) -> list[str]:
    """What is wrong with one page at one width and scheme."""
    page.complaints.clear()
    await page.open(url)
    await page.wait_for(f"location.href.startsWith({url!r}) && {_LOADED}")
    wide = await page.evaluate(_WIDER)
    shown = await page.evaluate("document.body.dataset.mdColorScheme")
    if scheme and shown != {"light": "default", "dark": "slate"}[scheme]:
        page.complaints.append(f"is shown in the scheme {shown}")
    return [*page.complaints, *(f"wider than the screen: {what}" for what in wide)]


async def _search(page: Page, url: str) -> list[str]:
    """Search for a word that is there."""
    wrong = await _see(page, url)
    await page.evaluate(_SEARCH % "certificate")
    try:
        await page.wait_for(_FOUND, timeout_s=15)
    except TimeoutError:
        wrong.append(f"search finds nothing at {url}")
    return [*wrong, *page.complaints]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--site", type=Path, default=SITE)
    parser.add_argument("--links-only", action="store_true", help="open no browser")
    parser.add_argument("--pictures", type=Path, help="folder for what was seen")
    asked = parser.parse_args()
    wrong = broken_links(asked.site)
    if chromium() is None and not asked.links_only:
        print("chromium is not installed: links only")
    elif not asked.links_only:
        wrong += asyncio.run(look(asked.site, asked.pictures))
    print("\n".join(wrong) or "nothing is wrong with any page")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
