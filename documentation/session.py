"""Runs the examples of one page, in the folder it is started in: a program that :mod:`documentation.examples` starts.

Reads a JSON list of examples from standard input and writes one line of JSON: what each of them printed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

from documentation import ready_commands

_CALL = re.compile(r"^\s*slicewright ", re.MULTILINE)


def main() -> None:
    """Run what standard input asks for."""
    examples = json.load(sys.stdin)
    answer, sys.stdout = sys.stdout, sys.stderr
    space: dict[str, Any] = {"__name__": "__main__"}
    outputs: list[str] = []
    outcome: dict[str, Any] = {"outputs": outputs}
    ready = _ready(examples)
    for number, example in enumerate(examples):
        expected = "fails" in example["words"]
        try:
            output, failed = _run(example, space)
        except Exception:  # noqa: BLE001  # an example may fail in any way
            output, failed = traceback.format_exc(), True
        if failed != expected:
            why = "the example fails" if failed else "the example was to fail, and does not"
            outcome = {"failed": number, "why": why, "output": output}
            break
        outputs.append(output)
    if ready is not None:
        shutil.rmtree(ready)
    answer.write("\n" + json.dumps(outcome) + "\n")
    answer.flush()
    os._exit(0)  # threads of servers that an example started are nobody's any more


def _ready(examples: list[dict[str, Any]]) -> Path | None:
    """Where the command is that shells of these examples find first; nowhere if it is called once at most."""
    shells = [each["code"] for each in examples if each["language"] == "bash" and not each["saved_as"]]
    if sum(len(_CALL.findall(code)) for code in shells) < 2:  # one call is one start either way
        return None
    folder = ready_commands.offer()
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return folder


def _run(example: dict[str, Any], space: dict[str, Any]) -> tuple[str, bool]:
    """What an example prints, and whether it ends with an error."""
    if example["saved_as"]:
        file = Path(example["saved_as"])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(example["code"], encoding="utf-8")
        return "", "fails" in example["words"]
    if example["language"] == "bash":
        shell = ["bash", "-euo", "pipefail", "-c", example["code"]]
        done = subprocess.run(
            shell,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        failed = done.returncode != 0
        return done.stdout + (done.stderr if failed else ""), failed
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(example["code"], "example", "exec"), space)
        except Exception as error:
            if "fails" not in example["words"]:
                raise
            printed.write(f"{type(error).__name__}: {error}\n")
            return printed.getvalue(), True
    return printed.getvalue(), False


if __name__ == "__main__":
    main()
