"""Examples in pages: found, run in the order of their page, and shown with what they print.

A fenced block whose first line says ``run`` is an example::

    ```python run
    print("hello")
    ```

All examples of a page run in one folder, Python in one name space, one after the other: a page is a complete program.
Further words: ``fails`` (it has to end with an error, which is shown), ``quiet`` (what it prints is not
shown). ``save=NAME`` instead of ``run`` writes the block to a file of the folder.
Files that examples write are pictures and links of the page as ``made:NAME``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "examples"
LONGEST_S = 900
FENCE = re.compile(
    r"^(?P<indent>[ ]*)```(?P<language>\w+) (?P<words>(?:run|save=)[^\n]*)\n(?P<code>.*?)^(?P=indent)```[ ]*$",
    re.MULTILINE | re.DOTALL,
)
_MADE = re.compile(r"made:([\w./-]+)")


class ExampleError(Exception):
    """An example of a page does not do what the page says; the message has page, line and what it printed."""


class Example(NamedTuple):
    """A block of a page.

    Attributes:
        language: ``python`` or ``bash``; of saved files any.
        code: its text.
        words: what its first line says after the language.
        line: of the page on which it begins.
    """

    language: str
    code: str
    words: tuple[str, ...]
    line: int

    @property
    def saved_as(self) -> str | None:
        """Name of the file that it is written to instead of being run."""
        return next((word.removeprefix("save=") for word in self.words if word.startswith("save=")), None)


def examples_of(text: str) -> list[Example]:
    """The examples of a page, in order."""
    found = []
    for match in FENCE.finditer(text):
        indent = len(match["indent"])
        code = "".join(line[indent:] for line in match["code"].splitlines(keepends=True))
        line = text.count("\n", 0, match.start()) + 1
        found.append(Example(match["language"], code, tuple(match["words"].split()), line))
    return found


def made_files(text: str) -> list[str]:
    """Names of the files that a page shows or links, and its examples make."""
    return list(dict.fromkeys(_MADE.findall(text)))


def run_page(page: str, examples: Sequence[Example], folder: Path) -> list[str]:
    """What each example prints; the files that they make are in the folder.

    Raises:
        ExampleError: one of them fails, or does not fail though it says so.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "shared").symlink_to(_shared(), target_is_directory=True)
    asked = json.dumps([example._asdict() | {"saved_as": example.saved_as} for example in examples])
    process = subprocess.Popen(
        [*_alone(), sys.executable, "-m", "documentation.session"],
        cwd=folder,
        env=_environment(),
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        told, complaints = process.communicate(asked, timeout=LONGEST_S)
    except subprocess.TimeoutExpired as error:
        raise ExampleError(f"{page}: its examples take longer than {LONGEST_S} s") from error
    finally:
        _end_what_was_left_running(process.pid)
    if process.returncode:
        raise ExampleError(f"{page}: {complaints}")
    outcome = json.loads(told.splitlines()[-1])
    if "failed" in outcome:
        example = examples[outcome["failed"]]
        raise ExampleError(
            f"{page}, line {example.line}: {outcome['why']}\n{example.code}\n{outcome['output']}"
        )
    return list(outcome["outputs"])


def remembered_run(page: str, examples: Sequence[Example], *, anew: bool = True) -> tuple[list[str], Path]:
    """As :func:`run_page`, in a folder of its own, once for every state of page and package.

    Args:
        page: its name below ``docs``.
        examples: of the page.
        anew: run them again when the package has changed, too, not only when they have.
    """
    state = {"examples": hashlib.sha256(repr(examples).encode()).hexdigest(), "sources": _sources()}
    folder = FOLDER / page.removesuffix(".md").replace("/", "-")
    told = folder.with_suffix(".json")
    if told.exists():
        known = json.loads(told.read_text(encoding="utf-8"))
        if known["state"] == state or (not anew and known["state"]["examples"] == state["examples"]):
            return list(known["outputs"]), folder
    outputs = run_page(page, examples, folder)
    told.write_text(json.dumps({"state": state, "outputs": outputs}), encoding="utf-8")
    return outputs, folder


def with_outputs(text: str, outputs: Sequence[str]) -> str:
    """The page with what its examples print below each of them."""
    remaining = iter(zip(examples_of(text), outputs, strict=True))

    def shown(match: re.Match[str]) -> str:
        example, output = next(remaining)
        indent = match["indent"]
        title = f' title="{example.saved_as}"' if example.saved_as else ""
        block = f"{indent}```{example.language}{title}\n{match['code']}{indent}```"
        if not output.strip() or "quiet" in example.words or example.saved_as:
            return block
        lines = "".join(f"{indent}{line}".rstrip() + "\n" for line in output.rstrip().splitlines())
        return f'{block}\n\n{indent}```{{.text .output title="what it prints"}}\n{lines}{indent}```'

    return FENCE.sub(shown, text)


@cache
def _alone() -> tuple[str, ...]:
    """What gives examples a network of their own, where the kernel allows it: ports that pages name are free there."""
    own_user = () if os.geteuid() == 0 else ("--map-root-user",)
    prefix = ("unshare", "--net", *own_user, "sh", "-c", 'ip link set lo up && exec "$0" "$@"')
    try:
        tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    except OSError:
        return ()
    return () if tried.returncode else prefix


def _environment() -> dict[str, str]:
    """Examples see this checkout, whatever else is installed, and a terminal of a certain width."""
    path = [str(ROOT / "src"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(path),
        "COLUMNS": "88",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "MPLBACKEND": "agg",
    }
    return {**os.environ, **own}


def _shared() -> Path:
    return Path(os.environ.get("SLICEWRIGHT_SHARED") or ROOT.parent / "shared")


@cache
def _sources() -> str:
    """A hash of all that examples depend on."""
    found = hashlib.sha256()
    package = sorted((ROOT / "src/slicewright").rglob("*"))
    for path in [*package, ROOT / "documentation/session.py"]:
        if path.suffix in (".py", ".js", ".css", ".json", ".onnx", ".yaml"):
            found.update(path.read_bytes())
    return found.hexdigest()


def _end_what_was_left_running(group: int) -> None:
    """Servers that a page started and did not stop."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
