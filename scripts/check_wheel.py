"""Check a wheel as a user meets it: in an empty environment, outside the checkout, command by command.

Run by ``make wheel`` with every Python that the wheel brings kernels for. First commands must compile nothing, the
control plane must answer over HTTP and end when it is told to, and every model that is shipped must answer itself.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

FIRST = {
    "slicewright demo": ["demo"],
    "slicewright plan": ["plan", "paper-slicing"],
    "slicewright plan, few enough devices for a proof": ["plan", "paper-slicing", "--size", "8"],
    "slicewright plan --method exact": ["plan", "paper-slicing", "--method", "exact"],
    "slicewright place": ["place", "paper-placement"],
    "slicewright place --method queue-network": ["place", "paper-placement", "--method", "queue-network"],
}
"""First commands on a machine, each with an empty cache."""
DEVICE = {
    "id": "wheel-1",
    "task_bits": 4e7,
    "local_cycles": 1e8,
    "local_capacity_hz": 2e7,
    "arrival_rate_hz": 0.2,
    "slice_cycles": {"s0": 1e8, "s1": 1e8, "s2": 1e8},
    "position_m": [250.0, 250.0],
    "tx_power_w": 0.1,
}
"""A device of the published setting."""
PATIENCE_S = 600.0
"""A control plane that has not answered by then never will."""
MODELS = """
import json
from pathlib import Path
import slicewright as sw
from slicewright.models import cards
from slicewright.policies.placement.learned import LEARNED as PLACING
from slicewright.policies.slicing.learned import LEARNED as SLICING
from slicewright.placement.problem.presets import placement_preset

weights = Path(cards.__file__).parent / "weights"
shipped = {path.relative_to(weights).with_suffix("").as_posix() for path in weights.rglob("*.onnx")}
known = {method.model for method in SLICING} | {f"placement/{name}" for name in PLACING}
assert shipped == known, f"shipped, but not asked: {shipped - known}; asked, but not shipped: {known - shipped}"
scenario = {"schema": "slicewright/scenario/v1", "preset": "paper-slicing", "devices": 25}
for method in SLICING:
    plan = sw.plan(scenario, method=method.name, rounds=1, seed=1)
    alone = [note for note in plan.notes if note.startswith("search alone")]
    assert not alone, f"{method.name}: {alone}"
    assert plan.violations.feasible, f"{method.name}: {plan.violations}"
for name in PLACING:
    placed = sw.place(placement_preset("paper-placement", tasks=12), method=name, seed=1)
    alone = [note for note in placed.notes if note.startswith("search alone")]
    assert not alone and placed.violations.feasible, f"{name}: {alone} {placed.violations}"
print(json.dumps(sorted(known)))
"""
"""Every model on an instance of the size that it was made for; one that another method stood in for has failed."""


class Installed:
    """A wheel in an environment of its own.

    Args:
        wheel: with what it needs from the package index. here: a folder for the environment and everything else.
    """

    def __init__(self, wheel: Path, here: Path) -> None:
        self.here = here
        venv.create(here / "venv", with_pip=True)
        self.python = here / "venv" / "bin" / "python"
        install = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, f"{wheel.resolve()}[control]"], check=True, cwd=here)

    def environment(self, cache: Path) -> dict[str, str]:
        """Of a process that finds nothing of the checkout."""
        mine = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "NUMBA_"))}
        return {**mine, "SLICEWRIGHT_CACHE": str(cache)}

    def run(self, *arguments: str, cache: Path) -> str:
        """What a command prints.

        Raises:
            SystemExit: it failed; with what it said.
        """
        run = subprocess.run(
            [self.python, *arguments],
            env=self.environment(cache),
            cwd=self.here,
            capture_output=True,
            text=True,
        )
        if run.returncode:
            raise SystemExit(
                f"{' '.join(arguments)[:80]}: exit code {run.returncode}\n{run.stdout}{run.stderr}"
            )
        return run.stdout


def check_first_commands(installed: Installed) -> None:
    """Each with an empty cache, which stays empty.

    Raises:
        SystemExit: one failed, or had to compile.
    """
    for k, (title, arguments) in enumerate(FIRST.items()):
        cache = installed.here / f"cache-{k}"
        with timed(title, cache):
            installed.run("-m", "slicewright", *arguments, cache=cache)
        if compiled := made_in(cache):
            raise SystemExit(f"{title}: compiled {', '.join(compiled)}; `pip list` says for which numba")


def check_models(installed: Installed) -> None:
    """Every shipped model once, for both problems.

    Raises:
        SystemExit: one did not answer itself.
    """
    cache = installed.here / "cache-models"
    with timed("every shipped model", cache):
        told = installed.run("-c", MODELS, cache=cache)
    print(f"  asked: {', '.join(json.loads(told))}")


def check_serve(installed: Installed) -> None:
    """The control plane: started, asked over HTTP, told to end.

    Raises:
        SystemExit: it did not start, answered wrongly, or did not end as it should.
    """
    cache = installed.here / "cache-serve"
    with timed("slicewright serve", cache), serving(installed, cache) as url:
        ready(url)
        admitted = asked(f"{url}v1/requests", {"devices": [DEVICE]})
        found = asked(f"{url}v1/requests/{DEVICE['id']}")
        plan = asked(f"{url}v1/plan?view=desired")
        page = urllib.request.urlopen(url, timeout=PATIENCE_S).read()
        if (
            not admitted
            or found.get("id") != DEVICE["id"]
            or not plan.get("decisions")
            or b"<html" not in page
        ):
            raise SystemExit(f"slicewright serve: answered {admitted}, {found} and {str(plan)[:200]}")


@contextmanager
def serving(installed: Installed, cache: Path) -> Iterator[str]:
    """A control plane of the published scenario and its address; interrupted afterwards, as by a user.

    Raises:
        SystemExit: it did not say where it is, or ended otherwise than by the interruption.
    """
    log = installed.here / "serve.log"
    command = [installed.python, "-m", "slicewright", "serve", "paper-slicing", "--port", "0"]
    with log.open("w") as errors:
        server = subprocess.Popen(
            command, env=installed.environment(cache), cwd=installed.here, stdout=errors, stderr=errors
        )
    try:
        until = time.monotonic() + PATIENCE_S
        while not (url := re.search(r"http://\S+:\d+/", log.read_text())):
            if server.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"slicewright serve did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield url.group()
        server.send_signal(signal.SIGINT)
        code = server.wait(30.0)
    finally:
        server.kill()
        server.wait()
    if code not in (0, 130) or "Traceback" in log.read_text():
        raise SystemExit(f"slicewright serve ended with {code}:\n{log.read_text()}")


def ready(url: str) -> None:
    """Wait until the control plane leads and has decided.

    Raises:
        SystemExit: it has not in good time.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(f"{url}readyz", timeout=PATIENCE_S):
                return
        except urllib.error.HTTPError as error:
            with error:
                told = error.read().decode()
        if time.monotonic() > until:
            raise SystemExit(f"{url}readyz: {told}")
        time.sleep(0.1)


def asked(url: str, body: object = None) -> dict[str, Any]:
    """The document that an address answers with.

    Raises:
        SystemExit: it answers with a problem.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            document: dict[str, Any] = json.load(answer)
            return document
    except urllib.error.HTTPError as error:
        with error:
            raise SystemExit(f"{url}: {error.code} {error.read().decode()}") from None


def made_in(cache: Path) -> list[str]:
    """Kernels that had to be compiled."""
    return sorted(path.name for path in cache.rglob("*.nbc"))


@contextmanager
def timed(title: str, cache: Path) -> Iterator[None]:
    """Print what something took, and what it compiled."""
    began, used = time.perf_counter(), os.times()
    yield
    now = os.times()
    seconds = now.children_user + now.children_system - used.children_user - used.children_system
    count = len(made_in(cache))
    compiled = f"{count} kernels compiled" if count else "nothing compiled"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    print(
        f"Python {version}, {title}: {time.perf_counter() - began:.1f} s, {seconds:.1f} s of a processor, {compiled}",
        flush=True,
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path, help="what is checked, with this Python")
    wheel = parser.parse_args().wheel
    with TemporaryDirectory() as name:
        installed = Installed(wheel, Path(name))
        check_first_commands(installed)
        check_models(installed)
        check_serve(installed)


if __name__ == "__main__":
    main()
