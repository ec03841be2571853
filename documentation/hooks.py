"""What the site builder calls: examples are run, reference pages written, equations drawn."""

from __future__ import annotations

import os
import posixpath
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from documentation import commands, http_api, reference
from documentation.equations import with_equations
from documentation.examples import ExampleError, examples_of, made_files, remembered_run, with_outputs
from documentation.notebooks import notebook

RUN = os.environ.get("SLICEWRIGHT_DOCS_RUN", "all")
"""Which examples are run: ``all``; ``changed``, those of pages whose examples have changed, whatever happened to the
package; or ``none``, for a quick look at words."""
_PICTURE = re.compile(r'<p>(<img [^>]*\bsrc="([^"]+)"[^>]*>)</p>')
"""A picture by itself: on a telephone what is written on it is small, so that a touch opens it in its full size."""
_SHORT_CODE = re.compile(r"<code>([^<]{1,28})</code>")
_outputs: dict[str, list[str]] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The reference has one page for each room."""
    rooms = [{room: reference.page_name(room)} for room in reference.ROOMS]
    for section in config.nav or []:
        for pages in section.values():
            if isinstance(pages, list) and {"Python": "api/index.md"} in pages:
                pages[pages.index({"Python": "api/index.md"})] = {"Python": ["api/index.md", *rooms]}
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Run the examples of all pages, and add what is made."""
    _outputs.clear()
    pages = {file.src_uri: file.content_string for file in files.documentation_pages()}
    wanted = {uri: text for uri, text in pages.items() if examples_of(text)}
    if RUN != "none":
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            runs = {
                uri: pool.submit(remembered_run, uri, examples_of(text), anew=RUN == "all")
                for uri, text in wanted.items()
            }
        failed = [str(error) for run in runs.values() if isinstance(error := run.exception(), ExampleError)]
        if failed:
            raise PluginError("\n\n".join(failed))
        for uri, run in runs.items():
            outputs, folder = run.result()
            _outputs[uri] = outputs
            for name in made_files(wanted[uri]):
                if not (folder / name).is_file():
                    raise PluginError(f"{uri}: its examples make no file {name}")
                files.append(_made(config, _made_uri(uri, name), folder / name))
            book = notebook(wanted[uri], outputs)
            files.append(File.generated(config, _made_uri(uri, _book(uri)), content=book))
    for uri, text in _reference_pages().items():
        files.append(File.generated(config, uri, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Examples with what they print; links to what they make."""
    uri = page.file.src_uri
    if uri in _outputs:
        markdown = with_outputs(markdown, _outputs[uri])
        here = posixpath.dirname(uri)
        markdown += f"\n\n---\n\nThis page as [a notebook](made:{_book(uri)}), with what it printed here.\n"
        return re.sub(
            r"made:([\w./-]+)",
            lambda found: posixpath.relpath(_made_uri(uri, found[1]), here or "."),
            markdown,
        )
    markdown = re.sub(r"!?\[([^\]]*)\]\(made:[\w./-]+\)(\{[^}]*\})?", r"*\1*", markdown)
    return re.sub(r"^( *```\w+) (?:run|save=).*$", r"\1", markdown, flags=re.MULTILINE)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Equations drawn; short code, such as the name of an option, is not broken at its hyphens; pictures are links."""
    try:
        html = _PICTURE.sub(r'<p><a href="\2" target="_blank" title="in its full size">\1</a></p>', html)
        return _SHORT_CODE.sub(r'<code class="short">\1</code>', with_equations(html))
    except ValueError as error:
        raise PluginError(f"{page.file.src_uri}: {error}") from None


def _made_uri(uri: str, name: str) -> str:
    return f"made/{uri.removesuffix('.md').replace('/', '-')}/{name}"


def _book(uri: str) -> str:
    return posixpath.basename(uri).removesuffix(".md") + ".ipynb"


def _made(config: MkDocsConfig, uri: str, path: Path) -> File:
    return File.generated(config, uri, abs_src_path=str(path))


def _reference_pages() -> dict[str, Any]:
    pages = {reference.page_name(room): reference.room_page(room) for room in reference.ROOMS}
    pages["api/index.md"] = reference.index_page()
    pages["http-api.md"] = http_api.page()
    pages["command-line.md"] = commands.page()
    return pages
