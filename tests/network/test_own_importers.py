"""Importers of users' own: a small package, installed by pip into a folder, offers one by an entry point."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import slicewright as sw
from slicewright.errors import InvalidScenarioError, UnknownNameError
from slicewright.network.importers import importer

MODULE = '''
from pathlib import Path

import slicewright as sw


def read(source, *, seed=0, devices=4.0, **parameters):
    """Lines of "name cores": everything else is a preset's."""
    lines = Path(source).read_text(encoding="utf-8").split()
    if not lines:
        raise sw.InvalidScenarioError(str(source), "has no line")
    scenario = sw.preset("paper-slicing", devices=int(float(devices)), seed=seed)
    told = ["racks are small"]
    return scenario.with_(origin={"importer": "rack", "report": {"odd": told, "remember": told}})


def broken(source, *, seed=0):
    return {"not": "a scenario"}
'''
METADATA = "Metadata-Version: 2.1\nName: rack-importer\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
ENTRY_POINTS = """[slicewright.importers]
rack = rack_importer:read
rack-broken = rack_importer:broken
rack-missing = rack_importer_of_another_name:read
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package in it."""
    home = tmp_path_factory.mktemp("site")
    wheel = home / "rack_importer-1.0-py3-none-any.whl"
    info = "rack_importer-1.0.dist-info"
    parts = {
        "rack_importer.py": MODULE,
        f"{info}/METADATA": METADATA,
        f"{info}/WHEEL": WHEEL,
        f"{info}/entry_points.txt": ENTRY_POINTS,
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in (*parts, f"{info}/RECORD")))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run(
        [*command, "--disable-pip-version-check", "--target", home / "packages", wheel],
        check=True,
        timeout=120,
    )
    (home / "rack.txt").write_text("a 4\n")
    (home / "empty.txt").write_text("")
    return home


def slicewright(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    paths = [str(site / "packages"), *filter(None, [os.environ.get("PYTHONPATH")]), *sys.path]
    return subprocess.run(
        [sys.executable, "-m", "slicewright", *words], cwd=site, capture_output=True, text=True, timeout=300,
        check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )  # fmt: skip


def test_it_is_listed_used_and_its_report_is_repeated(site: Path) -> None:
    listed = slicewright(site, "scenario", "import", "--list")
    assert "from the package rack-importer" in listed.stdout
    done = slicewright(
        site, "scenario", "import", "rack", "rack.txt", "-o", "s.json", "--seed", "3", "--set", "devices=5"
    )
    assert done.returncode == 0, done.stderr
    assert "odd: racks are small" in done.stdout
    assert sw.load_scenario(site / "s.json").n_devices == 5
    assert "racks are small" in slicewright(site, "check", "s.json").stdout


@pytest.mark.parametrize(
    ("name", "file", "parameters", "told"),
    [
        ("rack", "empty.txt", {}, "has no line"),
        ("rack-broken", "rack.txt", {}, "rack-broken: must return a Scenario, not a dict"),
        ("rack-missing", "rack.txt", {}, "rack-missing: cannot be loaded from the package rack-importer"),
        ("rack", "rack.txt", {"devices": "x"}, "rack: of the package rack-importer failed: ValueError"),
        (
            "rack-broken",
            "rack.txt",
            {"colour": 1},
            "rack-broken: of the package rack-importer failed: TypeError",
        ),
    ],
)
def test_what_goes_wrong_in_it_is_one_sentence(
    site: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    file: str,
    parameters: dict[str, object],
    told: str,
) -> None:
    monkeypatch.syspath_prepend(site / "packages")
    with pytest.raises(InvalidScenarioError, match=told) as refused:
        importer(name)(site / file, **parameters)
    assert "\n" not in str(refused.value)


def test_no_importer_of_that_name(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(site / "packages")
    with pytest.raises(UnknownNameError, match="rack"):
        importer("rak")
    with pytest.raises(FileNotFoundError):
        importer("rack")(site / "nowhere.txt")
