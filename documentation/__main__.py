"""``python -m documentation PAGE...``: runs the examples of pages and prints them with what they print."""

from __future__ import annotations

import sys
from pathlib import Path

from documentation.examples import ROOT, ExampleError, examples_of, made_files, remembered_run, with_outputs


def main() -> int:
    """The command."""
    failed = 0
    for name in sys.argv[1:]:
        path = Path(name).resolve()
        text = path.read_text(encoding="utf-8")
        page = path.relative_to(ROOT / "docs").as_posix()
        try:
            outputs, folder = remembered_run(page, examples_of(text))
        except ExampleError as error:
            print(error)
            failed = 1
            continue
        print(with_outputs(text, outputs))
        missing = [file for file in made_files(text) if not (folder / file).is_file()]
        if missing:
            print(f"{page}: no example makes {', '.join(missing)}")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
