"""Pages as notebooks: the words, the examples and what they printed when the site was built."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from documentation.examples import FENCE, Example, examples_of


def notebook(text: str, outputs: Sequence[str]) -> str:
    """A page as a notebook (nbformat 4).

    Args:
        text: of the page.
        outputs: what each example of it prints.
    """
    cells: list[dict[str, Any]] = []
    end = 0
    for match, example, output in zip(FENCE.finditer(text), examples_of(text), outputs, strict=True):
        cells += _words(text[end : match.start()], len(cells))
        cells.append(_code(example, output, len(cells)))
        end = match.end()
    cells += _words(text[end:], len(cells))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": about, "cells": cells}, indent=1)


def _words(text: str, number: int) -> list[dict[str, Any]]:
    text = text.replace("](made:", "](").strip()
    if not text:
        return []
    return [{"cell_type": "markdown", "id": f"c{number}", "metadata": {}, "source": text}]


def _code(example: Example, output: str, number: int) -> dict[str, Any]:
    source = example.code.rstrip("\n")
    if example.saved_as:
        source = f"%%writefile {example.saved_as}\n{source}"
    elif example.language == "bash":
        source = f"%%bash\n{source}"
    shown = [{"output_type": "stream", "name": "stdout", "text": output}] if output else []
    tags = {"tags": ["raises-exception"]} if "fails" in example.words else {}
    return {
        "cell_type": "code",
        "id": f"c{number}",
        "metadata": tags,
        "execution_count": None,
        "source": source,
        "outputs": shown,
    }
